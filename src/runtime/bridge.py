"""The JavaScript modules, loaded at first use, because importing them fails outside a request."""

from functools import cache
from typing import Any

from workers import import_from_javascript


@cache
def bridge() -> Any:
    """The module ``bridge.mjs``."""
    return import_from_javascript("runtime/bridge.mjs")


@cache
def bodies() -> Any:
    """The module ``bodies.mjs``."""
    return import_from_javascript("runtime/bodies.mjs")


@cache
def memory() -> Any:
    """The module ``memory.mjs``."""
    return import_from_javascript("runtime/memory.mjs")
