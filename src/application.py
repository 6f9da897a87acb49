"""The request pipeline: CORS, authentication, dispatch, response headers, access log."""

import time
from dataclasses import dataclass, field, replace

from errors import ApiError, MethodNotAllowed, NotFound, ServerFault, Unavailable
from locales import language_of
from log import frames, log
from routes import METHODS, Area, Match, area_of, load_handler, match
from services import Services
from store.database import DatabaseUnavailable, StatementRefused
from web.auth import check_access, check_client_rate, check_site_password
from web.context import RequestContext
from web.rate_limit_headers import policy_headers
from web.request import Request
from web.responses import Response, error_response, prefers_plain_text

_EXPOSED = (
    "Idempotent-Replayed, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, X-Request-Id"
)
_DATABASE_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request, the route at its path, and the message ids and headers that its handler adds."""

    request: Request
    services: Services
    area: Area
    match: Match
    message_ids: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


async def respond(request: Request, services: Services) -> Response:
    """The response to ``request``. Errors become responses; one line is logged."""
    started = time.perf_counter()
    exchange = _Exchange(request, services, area_of(request.path), match(request.path))
    try:
        response = await _dispatch(exchange)
    except ApiError as error:
        response = _error(error, exchange)
    except DatabaseUnavailable:
        unavailable = Unavailable("database_unavailable", retry_after=_DATABASE_RETRY_SECONDS)
        response = _error(unavailable, exchange)
    except StatementRefused:
        response = _error(ServerFault("database_refused"), exchange)
    except Exception as error:
        kind = type(error).__name__
        log("internal_error", request_id=request.id, kind=kind, frames=frames(error))
        response = _error(ServerFault("internal_error"), exchange)
    _log_access(exchange, response, milliseconds=(time.perf_counter() - started) * 1000)
    await request.drain_body()
    headers = {
        **exchange.headers,
        **response.headers,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": _EXPOSED,
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request.id,
    }
    body = b"" if request.method == "HEAD" else response.body
    return replace(response, headers=headers, body=body)


async def _dispatch(exchange: _Exchange) -> Response:
    request, services, area = exchange.request, exchange.services, exchange.area
    if request.method == "OPTIONS":
        return _preflight(request)
    routes = exchange.match.routes
    route = routes.get(request.method)
    settings = services.settings
    if route and route.sends and settings.send_rate_limit:
        exchange.headers.update(policy_headers(settings.send_rate_limit))
    check_site_password(area.access, request, settings)
    if route and route.limited:
        await check_client_rate(request, services.rate_limiter)
    database = services.database
    verified = check_access(area.access, request, settings, has_database=database is not None)
    if not routes:
        raise NotFound("not_found")
    if route is None:
        raise MethodNotAllowed(sorted(routes))
    assert database is not None  # check_access requires it
    context = RequestContext(
        request=request,
        services=services,
        database=database,
        parameters=exchange.match.parameters,
        verified=verified,
        message_ids=exchange.message_ids,
        headers=exchange.headers,
    )
    return await load_handler(route)(context)


def _preflight(request: Request) -> Response:
    headers = {
        "Access-Control-Allow-Methods": ", ".join([*METHODS, "OPTIONS"]),
        "Access-Control-Max-Age": "86400",
        "Vary": "Access-Control-Request-Headers",
    }
    requested = request.header("access-control-request-headers")
    if requested:
        headers["Access-Control-Allow-Headers"] = requested
    return Response(204, headers=headers)


def _error(error: ApiError, exchange: _Exchange) -> Response:
    request, services = exchange.request, exchange.services
    language = language_of(request.header("x-lang"), otherwise=services.default_language)
    if exchange.area.has_resend_errors:
        # Imported here, because most requests have no error.
        from handlers.resend.errors import resend_error_response

        return resend_error_response(
            error, request_id=request.id, language=language, now=services.clock()
        )
    plain = prefers_plain_text(request.header("accept"))
    return error_response(error, request_id=request.id, language=language, plain=plain)


def _log_access(exchange: _Exchange, response: Response, *, milliseconds: float) -> None:
    routes, message_ids = exchange.match.routes.values(), exchange.message_ids
    database = exchange.services.database
    log(
        "request",
        request_id=exchange.request.id,
        method=exchange.request.method,
        route=next((route.path for route in routes), None),
        status=response.status,
        code=response.code,
        message_id=message_ids[0] if message_ids else None,
        messages=len(message_ids),
        milliseconds=round(milliseconds, 1),
        d1_round_trips=database.round_trips if database else 0,
        d1_rows_written=database.rows_written if database else 0,
    )
