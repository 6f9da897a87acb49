"""``POST /open_api/admin_login``: check an administrator password."""

from errors import Unauthorized
from handlers.open_api.site_login import is_right
from web.context import RequestContext
from web.responses import Response, Success, json_response


async def log_in(context: RequestContext) -> Response:
    """Check an administrator password.

    Checks whether requests with this password in `x-admin-auth` are accepted.

    :body PasswordLogin:
    :response 200 Success: The password is valid.
    :errors: admin_password_required
    :operation checkAdminPassword: Deployment
    """
    settings = context.settings
    is_good = await is_right(context, settings.admin_passwords)
    if not is_good and not settings.disable_admin_password_check:
        raise Unauthorized("admin_password_required")
    return json_response(Success(success=True))
