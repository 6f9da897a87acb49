"""The settings that clients may see: of the site, and of one address."""

from answers import Answer, json_answer
from call import Call
from clock import now
from store.balances import send_balance
from version import VERSION


async def of_the_site(call: Call) -> Answer:
    settings = call.settings
    return json_answer(
        {
            "title": settings.title,
            "prefix": settings.prefix,
            "addressRegex": settings.address_regex.pattern,
            "minAddressLen": settings.min_address_len,
            "maxAddressLen": settings.max_address_len,
            "defaultDomains": settings.creation_domains,
            "domains": settings.domains,
            "needAuth": bool(settings.passwords),
            "enableUserCreateEmail": settings.enable_user_create_email,
            "disableAnonymousUserCreateEmail": settings.disable_anonymous_user_create_email,
            "disableCustomAddressName": settings.disable_custom_address_name,
            "enableUserDeleteEmail": settings.enable_user_delete_email,
            "enableAddressPassword": settings.enable_address_password,
            "enableSendMail": call.transport is not None,
            "cfTurnstileSiteKey": settings.cf_turnstile_site_key or "",
            "disableAdminPasswordCheck": settings.disable_admin_password_check,
            "version": f"v{VERSION}",
            "smtpImapProxyConfig": settings.smtp_imap_proxy_config,
        }
    )


async def of_the_address(call: Call) -> Answer:
    balance = await send_balance(
        call.database,
        call.credential,
        default=call.settings.default_send_balance,
        now=now(),
    )
    return json_answer({"address": call.credential.address, "send_balance": balance})
