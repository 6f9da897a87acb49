"""The JavaScript side, loaded at first use: modules can't be imported outside of a request."""

from functools import cache
from typing import Any

from workers import import_from_javascript


@cache
def bridge() -> Any:
    """The module ``bridge.mjs``."""
    return import_from_javascript("runtime/bridge.mjs")
