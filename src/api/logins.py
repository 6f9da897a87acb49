"""Credentials and passwords: looking at them, changing them."""

from typing import Annotated

from msgspec import Meta, Struct

_Digest = Annotated[
    str | None,
    Meta(description="The SHA-256 of the password in hexadecimal digits. Required."),
]


class CredentialLogin(Struct):
    """A credential to be looked at."""

    credential: Annotated[str | None, Meta(description="An address JWT. Required.")] = None


class PasswordLogin(Struct):
    """A password to be looked at."""

    password: _Digest = None


class AddressLogin(Struct):
    """An address and its password, for a credential."""

    email: Annotated[str | None, Meta(description="The mail address. Required.")] = None
    password: _Digest = None
    cf_token: Annotated[
        str | None,
        Meta(description="What the human verification gave, where the deployment has one."),
    ] = None


class PasswordChange(Struct):
    """Another password for an address."""

    new_password: _Digest = None


class LoggedIn(Struct):
    """A credential, and whose it is."""

    jwt: Annotated[str, Meta(description="The credential of the address (the address JWT).")]
    address: Annotated[str, Meta(description="The mail address.")]


class Rotated(Struct):
    """The credential that takes the place of another one."""

    jwt: Annotated[str, Meta(description="The new credential of the address.")]
