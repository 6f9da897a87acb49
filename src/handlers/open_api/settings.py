"""``GET /open_api/settings``: the public settings of the deployment."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from settings import VERSION
from web.context import RequestContext
from web.responses import Response, json_response


class SiteSettings(Struct, rename="camel"):
    """The public settings of the deployment."""

    title: Annotated[str, Meta(description="The name of the deployment.")]
    prefix: Annotated[str, Meta(description="The prefix of the names of new addresses.")]
    address_regex: Annotated[
        str, Meta(description="A regular expression. Matching text is removed from names.")
    ]
    min_address_len: Annotated[int, Meta(description="The minimum length of a name.")]
    max_address_len: Annotated[int, Meta(description="The maximum length of a name.")]
    default_domains: Annotated[
        tuple[str, ...], Meta(description="The domains in which anyone can create an address.")
    ]
    domains: Annotated[tuple[str, ...], Meta(description="All domains of the deployment.")]
    need_auth: Annotated[
        bool, Meta(description="Whether the site password is required, in `x-custom-auth`.")
    ]
    enable_user_create_email: Annotated[
        bool, Meta(description="Whether clients other than administrators can create addresses.")
    ]
    disable_anonymous_user_create_email: Annotated[
        bool, Meta(description="Whether `POST /api/new_address` is disabled for anonymous clients.")
    ]
    disable_custom_address_name: Annotated[
        bool, Meta(description="Whether names are always random, even if a name is requested.")
    ]
    enable_user_delete_email: Annotated[
        bool, Meta(description="Whether owners can delete messages and addresses.")
    ]
    enable_address_password: Annotated[
        bool, Meta(description="Whether addresses have passwords in addition to credentials.")
    ]
    enable_send_mail: Annotated[bool, Meta(description="Whether the deployment can send mail.")]
    cf_turnstile_site_key: Annotated[
        str, Meta(description="The Turnstile site key; empty if none is set.")
    ]
    enable_global_turnstile_check: Annotated[
        bool,
        Meta(
            description="Whether creating an address and logging in with a password require a "
            "Turnstile token."
        ),
    ]
    disable_admin_password_check: Annotated[
        bool, Meta(description="Whether administration needs no password (development only).")
    ]
    version: Annotated[str, Meta(description="The version of this service.")]
    smtp_imap_proxy_config: Annotated[
        dict[str, Any],
        Meta(
            description="The SMTP relay: `{smtp: {host, port, starttls}}`; `{}` if there is none."
        ),
    ]


async def show(context: RequestContext) -> Response:
    """Get the settings of the deployment.

    Returns the public settings. A client needs no credential to read them.

    :response 200 SiteSettings: The settings.
    :operation getSiteSettings: Deployment
    """
    settings = context.settings
    return json_response(
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
            enable_send_mail=context.services.can_send,
            cf_turnstile_site_key=settings.cf_turnstile_site_key or "",
            enable_global_turnstile_check=settings.verifies_humans,
            disable_admin_password_check=settings.disable_admin_password_check,
            version=f"v{VERSION}",
            smtp_imap_proxy_config=settings.smtp_imap_proxy_config,
        )
    )
