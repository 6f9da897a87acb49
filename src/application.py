"""A request's way through the house: CORS, guard, handler, and the answer's last headers."""

import time
import traceback
from dataclasses import replace

from answers import Answer, prefers_plain_text, refusal_answer
from call import Call
from delivery import Outlive
from guards import check, guard_of_unknown
from refusals import MethodNotAllowed, NotFound, Refusal, ServerFault, Unavailable
from routes import METHODS, routes_at
from runtime.bindings import Bindings
from runtime.log import log
from runtime.request import Request
from settings import LANGUAGES
from store.database import DatabaseUnavailable

_EXPOSED = "Retry-After, X-Request-Id"
_DATABASE_RETRY_SECONDS = 5


async def respond(request: Request, bindings: Bindings, outlive: Outlive) -> Answer:
    """Answer ``request``, whatever happens, and write its line in the log."""
    started = time.perf_counter()
    try:
        answer = await _answer(request, bindings, outlive)
    except Refusal as refusal:
        answer = _refused(refusal, request, bindings)
    except DatabaseUnavailable:
        silent = Unavailable("database_unavailable", retry_after=_DATABASE_RETRY_SECONDS)
        answer = _refused(silent, request, bindings)
    except Exception as error:
        # Where it happened, without the exception's text: that may quote what a client sent.
        frames = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        log(
            "internal_error",
            request_id=request.id,
            kind=type(error).__name__,
            frames=frames,
        )
        answer = _refused(ServerFault("internal_error"), request, bindings)
    database = bindings.database
    log(
        "request",
        request_id=request.id,
        method=request.method,
        route=request.path if routes_at(request.path) else None,
        status=answer.status,
        code=answer.code,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
        d1_round_trips=database.round_trips if database else 0,
        d1_rows_written=database.rows_written if database else 0,
    )
    if request.method == "HEAD":
        answer = replace(answer, body=b"")
    answer.headers.update(
        {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": _EXPOSED,
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request.id,
        }
    )
    return answer


async def _answer(request: Request, bindings: Bindings, outlive: Outlive) -> Answer:
    if request.method == "OPTIONS":
        return _preflight(request)
    routes = routes_at(request.path)
    guard = next(iter(routes.values())).guard if routes else guard_of_unknown(request.path)
    database = bindings.database
    verified = check(guard, request, bindings.settings, has_database=database is not None)
    if not routes:
        raise NotFound("not_found")
    if request.method not in routes:
        raise MethodNotAllowed(sorted(routes))
    assert database is not None  # the guard has seen to it
    call = Call(request, bindings.settings, database, bindings.transport, outlive, verified)
    return await routes[request.method].handler(call)


def _preflight(request: Request) -> Answer:
    headers = {
        "Access-Control-Allow-Methods": ", ".join([*METHODS, "OPTIONS"]),
        "Access-Control-Allow-Headers": request.header("access-control-request-headers"),
        "Access-Control-Max-Age": "86400",
        "Vary": "Access-Control-Request-Headers",
    }
    return Answer(204, headers=headers)


def _refused(refusal: Refusal, request: Request, bindings: Bindings) -> Answer:
    language = request.header("x-lang")
    if language not in LANGUAGES:
        language = bindings.default_language
    plain = prefers_plain_text(request.header("accept"))
    return refusal_answer(refusal, request_id=request.id, language=language, plain=plain)
