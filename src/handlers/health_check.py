"""``GET /health_check``: check that the Worker and its database respond."""

from errors import Unavailable
from store.database import DatabaseUnavailable, StatementRejected, ping
from web.context import RequestContext
from web.responses import Response, text_response

_RETRY_SECONDS = 10


async def check(context: RequestContext) -> Response:
    """Check the health of the service.

    Checks that the Worker and its database respond.

    :response 200 str: The Worker and its database respond.
    :errors: database_down
    :operation checkHealth: Deployment
    """
    try:
        await ping(context.database)
    except (DatabaseUnavailable, StatementRejected) as error:
        raise Unavailable("database_down", retry_after=_RETRY_SECONDS) from error
    return text_response("OK")
