"""`/open_api/settings` and `/api/settings`."""

from api.settings import AccessAnswer, AddressSettings, SiteSettings
from settings import VERSION
from tools.openapi.operation import Operation, Success
from tools.openapi.samples import ADDRESS

_SITE = SiteSettings(
    title="Send Mail API",
    prefix="",
    address_regex="[^a-z0-9]",
    min_address_len=1,
    max_address_len=30,
    default_domains=("example.com",),
    domains=("example.com", "example.org"),
    need_auth=False,
    enable_user_create_email=True,
    disable_anonymous_user_create_email=False,
    disable_custom_address_name=False,
    enable_user_delete_email=False,
    enable_address_password=False,
    enable_send_mail=True,
    cf_turnstile_site_key="",
    disable_admin_password_check=False,
    version=f"v{VERSION}",
    smtp_imap_proxy_config={"smtp": {"host": "smtp.example.com", "port": 587, "starttls": True}},
)

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/request_send_mail_access",
        id="requestAccess",
        tag="Addresses",
        summary="Ask for a send balance",
        description="Grants the deployment's default balance; where there is none, an "
        "administrator is shown the request.",
        answers=(
            Success(
                description="The request is made.",
                type=AccessAnswer,
                examples={"made": AccessAnswer("ok")},
            ),
        ),
        refusals=("already_requested",),
    ),
    Operation(
        method="GET",
        path="/api/settings",
        id="getAddressSettings",
        tag="Addresses",
        summary="Get the address and its balance",
        description="The address of the credential, and what is left of its send balance. An "
        "address that was never granted one is granted the deployment's default.",
        answers=(
            Success(
                description="The address and its balance.",
                type=AddressSettings,
                examples={"balance": AddressSettings(ADDRESS, 97)},
            ),
        ),
    ),
    Operation(
        method="GET",
        path="/open_api/settings",
        id="getSiteSettings",
        tag="Deployment",
        summary="Get the settings of the deployment",
        description="What clients may know of this deployment before they have a credential.",
        answers=(
            Success(description="The settings.", type=SiteSettings, examples={"settings": _SITE}),
        ),
        asks_database=False,
    ),
)
