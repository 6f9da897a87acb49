"""The JavaScript modules, loaded at first use, because importing them fails outside a request.

An import also fails while JavaScript runs a coroutine. So ``entry`` calls ``load_all``.
"""

from functools import cache
from typing import Any

from workers import import_from_javascript


@cache
def bridge() -> Any:
    """The module ``bridge.mjs``."""
    return import_from_javascript("runtime/bridge.mjs")


@cache
def memory() -> Any:
    """The module ``memory.mjs``."""
    return import_from_javascript("runtime/memory.mjs")


@cache
def coroutines() -> Any:
    """The module ``coroutines.mjs``."""
    return import_from_javascript("runtime/coroutines.mjs")


def load_all() -> None:
    """Load the modules, so that later no import is needed."""
    for load in (bridge, memory, coroutines):
        load()
