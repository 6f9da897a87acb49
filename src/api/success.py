"""The answer of what only has to be done."""

from typing import Annotated

from msgspec import Meta, Struct


class Success(Struct):
    """It is done, or good."""

    success: Annotated[bool, Meta(description="Always true; anything else is an error.")]
