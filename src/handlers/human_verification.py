"""The challenge of Turnstile in front of what strangers may do, where the deployment has one."""

from call import Call
from runtime.turnstile import verify_human


async def check_human(call: Call, token: str | None) -> None:
    """Check ``token``, the ``cf_token`` of a request; nothing is asked unless both keys are set.

    :raises BadRequest, Unavailable: as ``verify_human`` does.
    """
    settings = call.settings
    if settings.cf_turnstile_site_key and settings.cf_turnstile_secret_key:
        await verify_human(
            token,
            secret=settings.cf_turnstile_secret_key,
            url=settings.cf_turnstile_verify_url,
            client=call.request.client_ip,
        )
