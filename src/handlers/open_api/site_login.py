"""``POST /open_api/site_login``: check the site password."""

from msgspec import Struct

from accounts.passwords import Digest, client_digest, digest_of
from errors import Unauthorized
from web.auth import is_one_of
from web.body import read_json
from web.context import RequestContext
from web.responses import Response, Success, json_response


class PasswordLogin(Struct):
    """A password to check."""

    password: Digest = None


async def log_in(context: RequestContext) -> Response:
    """Check a site password.

    Checks whether requests with this password in `x-custom-auth` are accepted. A deployment without
    a site password accepts any password.

    :body PasswordLogin:
    :response 200 Success: The password is valid.
    :errors: site_password_required
    :operation checkSitePassword: Deployment
    """
    passwords = context.settings.passwords
    if not await is_right(context, passwords) and passwords:
        raise Unauthorized("site_password_required")
    return json_response(Success(success=True))


async def is_right(context: RequestContext, passwords: tuple[str, ...]) -> bool:
    """Whether the body contains the digest of one of ``passwords``."""
    body = await read_json(context.request, PasswordLogin)
    digests = tuple(client_digest(password) for password in passwords)
    return is_one_of(digest_of(body.password or ""), digests)
