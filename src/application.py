"""A request's way through the house: CORS, guard, handler, and the answer's last headers."""

import time
import traceback
from dataclasses import replace

from answers import Answer, prefers_plain_text, refusal_answer
from call import Call
from clock import now
from delivery import Outlive
from guards import check, check_client_rate, check_site_password, guard_of_unknown
from rates import policy_headers
from refusals import MethodNotAllowed, NotFound, Refusal, ServerFault, Unavailable
from resend_errors import is_resend_path, resend_refusal_answer
from routes import METHODS, Match, match
from runtime.bindings import Bindings
from runtime.log import log
from runtime.request import Request
from sentences import language_of
from store.database import DatabaseUnavailable, StatementRefused

_EXPOSED = (
    "Idempotent-Replayed, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, X-Request-Id"
)
_DATABASE_RETRY_SECONDS = 5


async def respond(request: Request, bindings: Bindings, outlive: Outlive) -> Answer:
    """Answer ``request``, whatever happens, and write its line in the log."""
    started = time.perf_counter()
    matched = match(request.path)
    message_ids: list[str] = []
    noted: dict[str, str] = {}
    try:
        answer = await _answer(request, bindings, outlive, matched, message_ids, noted)
    except Refusal as refusal:
        answer = _refused(refusal, request, bindings)
    except DatabaseUnavailable:
        silent = Unavailable("database_unavailable", retry_after=_DATABASE_RETRY_SECONDS)
        answer = _refused(silent, request, bindings)
    except StatementRefused:
        answer = _refused(ServerFault("database_refused"), request, bindings)
    except Exception as error:
        # Where it happened, without the exception's text: that may quote what a client sent.
        frames = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        log("internal_error", request_id=request.id, kind=type(error).__name__, frames=frames)
        answer = _refused(ServerFault("internal_error"), request, bindings)
    database = bindings.database
    log(
        "request",
        request_id=request.id,
        method=request.method,
        route=next((route.path for route in matched.routes.values()), None),
        status=answer.status,
        code=answer.code,
        message_id=message_ids[0] if message_ids else None,
        messages=len(message_ids),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
        d1_round_trips=database.round_trips if database else 0,
        d1_rows_written=database.rows_written if database else 0,
    )
    await request.hear_out()
    headers = {
        **noted,
        **answer.headers,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": _EXPOSED,
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request.id,
    }
    return replace(answer, headers=headers, body=b"" if request.method == "HEAD" else answer.body)


async def _answer(
    request: Request,
    bindings: Bindings,
    outlive: Outlive,
    matched: Match,
    message_ids: list[str],
    noted: dict[str, str],
) -> Answer:
    if request.method == "OPTIONS":
        return _preflight(request)
    routes = matched.routes
    route = routes.get(request.method)
    guarded = route or next(iter(routes.values()), None)
    guard = guarded.guard if guarded else guard_of_unknown(request.path)
    if route and route.sends and bindings.settings.send_rate_limit:
        noted |= policy_headers(bindings.settings.send_rate_limit)
    check_site_password(guard, request, bindings.settings)
    if route and route.limited:
        await check_client_rate(request, bindings.rate_limiter)
    database = bindings.database
    verified = check(guard, request, bindings.settings, has_database=database is not None)
    if not routes:
        raise NotFound("not_found")
    if route is None:
        raise MethodNotAllowed(sorted(routes))
    assert database is not None  # the guard has seen to it
    call = Call(
        request=request,
        settings=bindings.settings,
        database=database,
        transport=bindings.transport,
        alarm=bindings.alarm,
        outlive=outlive,
        parameters=matched.parameters,
        verified=verified,
        message_ids=message_ids,
        headers=noted,
    )
    return await route.handler(call)


def _preflight(request: Request) -> Answer:
    headers = {
        "Access-Control-Allow-Methods": ", ".join([*METHODS, "OPTIONS"]),
        "Access-Control-Max-Age": "86400",
        "Vary": "Access-Control-Request-Headers",
    }
    requested = request.header("access-control-request-headers")
    if requested:
        headers["Access-Control-Allow-Headers"] = requested
    return Answer(204, headers=headers)


def _refused(refusal: Refusal, request: Request, bindings: Bindings) -> Answer:
    language = language_of(request.header("x-lang"), otherwise=bindings.default_language)
    if is_resend_path(request.path):
        return resend_refusal_answer(refusal, request_id=request.id, language=language, now=now())
    plain = prefers_plain_text(request.header("accept"))
    return refusal_answer(refusal, request_id=request.id, language=language, plain=plain)
