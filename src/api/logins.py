"""Asking whether a credential or password is good."""

from typing import Annotated

from msgspec import Meta, Struct


class CredentialLogin(Struct):
    """A credential to be looked at."""

    credential: Annotated[str | None, Meta(description="An address JWT. Required.")] = None


class Success(Struct):
    """It is done, or good."""

    success: Annotated[bool, Meta(description="Always true; anything else is an error.")]
