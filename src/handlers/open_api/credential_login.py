"""``POST /open_api/credential_login``: check an address credential."""

from typing import Annotated

from msgspec import Meta, Struct

from accounts.credentials import verify
from store.addresses import require_valid
from web.body import read_json
from web.context import RequestContext
from web.responses import Response, Success, json_response


class CredentialLogin(Struct):
    """A credential to check."""

    credential: Annotated[str | None, Meta(description="An address JWT. Required.")] = None


async def log_in(context: RequestContext) -> Response:
    """Check a credential.

    Checks whether an address JWT is valid: this deployment issued it, it has not expired or been
    replaced, and its address still exists.

    :body CredentialLogin:
    :response 200 Success: The credential is valid.
    :errors: invalid_credential, DATABASE
    :operation checkCredential: Addresses
    """
    body = await read_json(context.request, CredentialLogin)
    await require_valid(
        context.database, verify(body.credential, secrets=context.settings.jwt_secrets)
    )
    return json_response(Success(success=True))
