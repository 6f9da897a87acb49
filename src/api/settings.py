"""What clients may know of a deployment, and of one address."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct


class SiteSettings(Struct, rename="camel"):
    """The settings of the deployment that clients may know."""

    title: Annotated[str, Meta(description="The name of the deployment.")]
    prefix: Annotated[str, Meta(description="What stands in front of the names of new addresses.")]
    address_regex: Annotated[
        str, Meta(description="A regular expression: what matches it is removed from names.")
    ]
    min_address_len: Annotated[int, Meta(description="The fewest characters of a name.")]
    max_address_len: Annotated[int, Meta(description="The most characters of a name.")]
    default_domains: Annotated[
        tuple[str, ...], Meta(description="Where anybody may create an address.")
    ]
    domains: Annotated[tuple[str, ...], Meta(description="Every domain of the deployment.")]
    need_auth: Annotated[
        bool, Meta(description="Whether the site password is asked for, in `x-custom-auth`.")
    ]
    enable_user_create_email: Annotated[
        bool, Meta(description="Whether anybody but administrators may create addresses.")
    ]
    disable_anonymous_user_create_email: Annotated[
        bool, Meta(description="Whether creating addresses takes more than knowing the site.")
    ]
    disable_custom_address_name: Annotated[
        bool, Meta(description="Whether names are random, whatever is asked for.")
    ]
    enable_user_delete_email: Annotated[
        bool, Meta(description="Whether owners may delete messages and addresses.")
    ]
    enable_address_password: Annotated[
        bool, Meta(description="Whether addresses have passwords beside their credentials.")
    ]
    enable_send_mail: Annotated[
        bool, Meta(description="Whether the deployment is set up for sending.")
    ]
    cf_turnstile_site_key: Annotated[
        str, Meta(description="The site key of the human verification, empty without one.")
    ]
    disable_admin_password_check: Annotated[
        bool, Meta(description="Whether administration is open to everybody (development only).")
    ]
    version: Annotated[str, Meta(description="The version of this service.")]
    smtp_imap_proxy_config: Annotated[
        dict[str, Any],
        Meta(description="Where mail programs connect: `{smtp: {host, port, starttls}}`, or `{}`."),
    ]


class AddressSettings(Struct):
    """What an address may know of itself."""

    address: Annotated[str, Meta(description="The mail address of the credential.")]
    send_balance: Annotated[
        int,
        Meta(description="How many more recipients it may send to; 99999 where it is unlimited."),
    ]


class AccessAnswer(Struct):
    """The request is made."""

    status: Annotated[Literal["ok"], Meta(description="Always `ok`.")]
