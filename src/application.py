"""The request pipeline: CORS, authentication, dispatch, response headers, access log."""

import time
from dataclasses import replace

from errors import ApiError, MethodNotAllowed, NotFound, ServerFault, Unavailable
from log import frames, log
from routes import METHODS, Area, Route, area_of, known_path, load_handler, match
from services import Services
from store.database import DatabaseUnavailable, StatementRejected
from web.auth import check_access, check_client_rate, check_site_password
from web.context import RequestContext
from web.rate_limit_headers import policy_headers
from web.request import MAX_BODY_BYTES, Request
from web.responses import Response, error_response

_EXPOSED = (
    "Idempotent-Replayed, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, "
    "RateLimit-Reset, Retry-After, X-Request-Id, X-Warnings"
)
_DATABASE_RETRY_SECONDS = 5


async def respond(request: Request, services: Services) -> Response:
    """The response to ``request``. An exception becomes an error response.

    Writes one line to the access log.
    """
    try:
        return await _respond(request, services)
    finally:
        services.memory.release()


async def _respond(request: Request, services: Services) -> Response:
    started = time.perf_counter()
    request.path = known_path(request.path)
    area, (routes, parameters) = area_of(request.path), match(request.path)
    context = RequestContext(request, services, parameters)
    try:
        response = await _dispatch(context, area, routes)
    except Exception as error:
        response = _error_response(_api_error(error, request), context, area)
        # The functions that raised the error may hold both the error and the body. Without this,
        # the body would stay in memory until the garbage collector runs.
        error.__traceback__ = None
    _log_access(context, routes, response, milliseconds=(time.perf_counter() - started) * 1000)
    services.memory.release()  # the client may take long to send the rest of the body
    await request.drain_body()
    headers = {
        **context.headers,
        **response.headers,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": _EXPOSED,
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request.id,
    }
    body = b"" if request.method == "HEAD" else response.body
    return replace(response, headers=headers, body=body)


async def _dispatch(context: RequestContext, area: Area, routes: dict[str, Route]) -> Response:
    request, services = context.request, context.services
    if request.method == "OPTIONS":
        return _preflight(request)
    route = routes.get(request.method)
    settings = services.settings
    if route and route.sends and settings.send_rate_limit:
        context.headers.update(policy_headers(settings.send_rate_limit))
    check_site_password(area.access, request, settings)
    if route and route.limited:
        await check_client_rate(request, services.rate_limiter)
    if route and route.large:
        request.max_body_bytes = MAX_BODY_BYTES
    context.verified = check_access(
        area.access, request, settings, has_database=services.database is not None
    )
    if context.verified is not None:
        request.client = context.verified.address
    if not routes:
        raise NotFound("not_found")
    if route is None:
        raise MethodNotAllowed(sorted(routes))
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


def _api_error(error: Exception, request: Request) -> ApiError:
    match error:
        case ApiError():
            return error
        case DatabaseUnavailable():
            return Unavailable("database_unavailable", retry_after=_DATABASE_RETRY_SECONDS)
        case StatementRejected():
            return ServerFault("database_refused")
    kind = type(error).__name__
    log("internal_error", request_id=request.id, kind=kind, frames=frames(error))
    return ServerFault("internal_error")


def _error_response(error: ApiError, context: RequestContext, area: Area) -> Response:
    request = context.request
    if area.has_resend_errors:
        # Imported only here, because most requests have no error and imports slow a Worker's start.
        from handlers.resend.errors import resend_error_response

        return resend_error_response(
            error, request_id=request.id, language=context.language, now=context.now()
        )
    return error_response(
        error,
        request_id=request.id,
        language=context.language,
        plain=context.wants_text_errors,
    )


def _log_access(
    context: RequestContext, routes: dict[str, Route], response: Response, *, milliseconds: float
) -> None:
    message_ids, database = context.message_ids, context.services.database
    log(
        "request",
        request_id=context.request.id,
        method=context.request.method,
        route=next((route.path for route in routes.values()), None),
        status=response.status,
        code=response.code,
        message_id=message_ids[0] if message_ids else None,
        messages=len(message_ids),
        milliseconds=round(milliseconds, 1),
        d1_round_trips=database.round_trips if database else 0,
        d1_rows_written=database.rows_written if database else 0,
        attempts=context.services.attempts,
    )
