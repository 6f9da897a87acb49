"""Cloudflare Turnstile: human verification of anonymous clients.

https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from errors import BadRequest, Unavailable
from log import log
from web.context import RequestContext

# The token of a solved challenge, as a field of a request.
Token = Annotated[
    str | None,
    Meta(description="The Turnstile token, if the deployment requires human verification."),
]

_RETRY_SECONDS = 10
_MAX_TOKEN_CHARACTERS = 2048
# Error codes that do not depend on the client's token.
_FAULTS_OF_THE_SERVICE = frozenset(
    {"internal-error", "missing-input-secret", "invalid-input-secret"}
)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Verdict(msgspec.Struct, rename={"error_codes": "error-codes"}):
    success: bool
    error_codes: list[str] = []


_decode_verdict = msgspec.json.Decoder(_Verdict).decode


async def check_human(context: RequestContext, token: str | None) -> None:
    """Verify ``token``, the ``cf_token`` of a request, if both Turnstile keys are set.

    :raises BadRequest: ``human_verification_failed``.
    :raises Unavailable: ``human_verification_unavailable``: Turnstile gave no usable response, or
        rejected the secret key.
    """
    settings = context.settings
    if not settings.verifies_humans:
        return
    if not token or len(token) > _MAX_TOKEN_CHARACTERS:
        raise BadRequest("human_verification_failed")
    from urllib.parse import urlencode  # imported here: it costs start-up time

    form = {"secret": settings.cf_turnstile_secret_key or "", "response": token}
    if context.request.client_ip:
        form["remoteip"] = context.request.client_ip
    try:
        response = await context.services.fetch(
            settings.cf_turnstile_verify_url, _FORM, urlencode(form).encode()
        )
        verdict = _decode_verdict(response.text)
    except Exception as error:  # no response in time, or the response can't be read
        log("turnstile_error", kind=type(error).__name__)
        raise Unavailable("human_verification_unavailable", retry_after=_RETRY_SECONDS) from error
    if verdict.success:
        return
    log("turnstile_rejected", codes=verdict.error_codes)  # they also report a wrong secret key
    if _FAULTS_OF_THE_SERVICE.intersection(verdict.error_codes):
        raise Unavailable("human_verification_unavailable", retry_after=_RETRY_SECONDS)
    raise BadRequest("human_verification_failed")
