"""Pass long texts to JavaScript as UTF-8.

In JSON a character can take six bytes, and both sides would hold the JSON beside the texts.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from pyodide.ffi import to_js

K = TypeVar("K")

# A shorter text is passed faster as JSON.
_LONG_CHARACTERS = 64 * 1024


def long_texts(values: Iterable[tuple[K, object]]) -> dict[K, str]:
    """The long texts among ``values``, by their keys."""
    return {
        key: value
        for key, value in values
        if isinstance(value, str) and len(value) > _LONG_CHARACTERS
    }


def to_js_texts(texts: dict[K, str]) -> Any:
    """``texts`` as a JavaScript array of keys and UTF-8; None if there are none."""
    return to_js([(key, text.encode()) for key, text in texts.items()]) if texts else None
