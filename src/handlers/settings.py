"""The settings that clients may see: of the site, and of one address."""

from answers import Answer, json_answer
from api.settings import AddressSettings, SiteSettings
from call import Call
from clock import now
from settings import VERSION
from store.balances import send_balance


async def of_the_site(call: Call) -> Answer:
    settings = call.settings
    return json_answer(
        SiteSettings(
            title=settings.title,
            prefix=settings.prefix,
            address_regex=settings.address_regex.pattern,
            min_address_len=settings.min_address_len,
            max_address_len=settings.max_address_len,
            default_domains=settings.creation_domains,
            domains=settings.domains,
            need_auth=bool(settings.passwords),
            enable_user_create_email=settings.enable_user_create_email,
            disable_anonymous_user_create_email=settings.disable_anonymous_user_create_email,
            disable_custom_address_name=settings.disable_custom_address_name,
            enable_user_delete_email=settings.enable_user_delete_email,
            enable_address_password=settings.enable_address_password,
            enable_send_mail=call.transport is not None,
            cf_turnstile_site_key=settings.cf_turnstile_site_key or "",
            disable_admin_password_check=settings.disable_admin_password_check,
            version=f"v{VERSION}",
            smtp_imap_proxy_config=settings.smtp_imap_proxy_config,
        )
    )


async def of_the_address(call: Call) -> Answer:
    balance = await send_balance(
        call.database,
        call.credential,
        default=call.settings.default_send_balance,
        now=now(),
    )
    return json_answer(AddressSettings(call.credential.address, balance))
