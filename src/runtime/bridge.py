"""The JavaScript module, loaded at its first use, because importing it fails outside a request."""

from functools import cache
from typing import Any

from workers import import_from_javascript


@cache
def bridge() -> Any:
    """The module ``bridge.mjs``."""
    return import_from_javascript("runtime/bridge.mjs")
