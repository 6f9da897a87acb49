"""Creating addresses."""

from typing import Annotated

from msgspec import Meta, Struct


class NewAddress(Struct):
    """An address that anybody asks for."""

    name: Annotated[
        str | None,
        Meta(
            description="The part before the @. What may not stand in it is removed; "
            "without one, or with nothing left of it, a random name is taken."
        ),
    ] = None
    domain: Annotated[
        str | None,
        Meta(
            description="One of `defaultDomains` of `GET /open_api/settings`; "
            "without one the service chooses."
        ),
    ] = None
    cf_token: Annotated[
        str | None,
        Meta(description="What the human verification gave, where the deployment has one."),
    ] = None


class AdminNewAddress(Struct, rename="camel"):
    """An address that an administrator asks for."""

    name: Annotated[
        str | None,
        Meta(description="The part before the @, 1 to 30 characters. Required."),
    ] = None
    domain: Annotated[
        str | None,
        Meta(
            description="One of `domains` of `GET /open_api/settings`; "
            "without one the service chooses."
        ),
    ] = None
    enable_prefix: Annotated[
        bool | None,
        Meta(description="Whether the deployment's prefix is put in front of the name."),
    ] = None


class CreatedAddress(Struct):
    """A new address, and what its owner needs to use it."""

    jwt: Annotated[str, Meta(description="The credential of the address (the address JWT).")]
    address: Annotated[str, Meta(description="The mail address.")]
    address_id: Annotated[int, Meta(description="The number of the address; never used again.")]
    password: Annotated[
        str | None,
        Meta(
            description="A password to log in with, shown this once; "
            "null unless the deployment has `ENABLE_ADDRESS_PASSWORD`."
        ),
    ]
