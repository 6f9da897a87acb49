"""Cloudflare Turnstile: asking whether a person has solved the challenge of the site."""

import msgspec
from pyodide.ffi import to_js

from refusals import BadRequest, Unavailable
from runtime.bridge import bridge
from runtime.log import log

_ANSWER_MILLISECONDS = 5000
_RETRY_SECONDS = 10
_MAX_TOKEN_CHARACTERS = 2048
_INTERNAL_ERROR = "internal-error"


class _Verdict(msgspec.Struct, rename={"error_codes": "error-codes"}):
    success: bool
    error_codes: list[str] = []


_decode_verdict = msgspec.json.Decoder(_Verdict).decode


async def verify_human(token: str | None, *, secret: str, url: str, client: str | None) -> None:
    """Check the ``token`` that the challenge gave to the client at this network address.

    :raises BadRequest: ``human_verification_failed``.
    :raises Unavailable: ``human_verification_unavailable``: nobody answers at ``url``.
    """
    if not token or len(token) > _MAX_TOKEN_CHARACTERS:
        raise BadRequest("human_verification_failed")
    form = {"secret": secret, "response": token, **({"remoteip": client} if client else {})}
    try:
        encoded = to_js(msgspec.json.encode(form))
        verdict = _decode_verdict(await bridge().postForm(url, encoded, _ANSWER_MILLISECONDS))
    except Exception as error:  # no answer in time, or none that can be read
        log("turnstile_error", kind=type(error).__name__)
        raise Unavailable("human_verification_unavailable", retry_after=_RETRY_SECONDS) from error
    if verdict.success:
        return
    log("turnstile_refused", codes=verdict.error_codes)  # also tells of a wrong secret
    if _INTERNAL_ERROR in verdict.error_codes:
        raise Unavailable("human_verification_unavailable", retry_after=_RETRY_SECONDS)
    raise BadRequest("human_verification_failed")
