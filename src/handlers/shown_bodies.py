"""The bodies of one message in a response, bounded by the bytes that they take there.

A message has at most 3.9 MB of text, but a control character takes six bytes as JSON, and seven in
the JSON within JSON of ``raw``.
"""

from typing import NamedTuple

from store.database import Row
from store.message_content import body_of
from store.sendbox import SHOWN_CHARACTERS

MAX_BYTES = 10 * 1024 * 1024
CUT_CHARACTERS = 500_000  # of each body: at most 6 MB as JSON

_NAMED = b"\b\t\n\f\r"  # escaped as a backslash and a letter
_NUMBERED = bytes(code for code in range(0x20) if code not in _NAMED)  # escaped as \\u0001


class ShownBodies(NamedTuple):
    """The text, the HTML, and the content of ``raw``, which is one of the two."""

    text: str | None
    html: str | None
    content: str | None
    is_cut: bool


class _Size(NamedTuple):
    """The bytes of a text as JSON, and as JSON within JSON."""

    once: int
    twice: int


def shown_bodies(parts: list[Row], *, in_raw: bool = True) -> ShownBodies:
    """The bodies from their ``parts``, as much of them as a response has.

    :param in_raw: whether the response has ``raw`` besides the text and the HTML.
    """
    text, html = body_of(parts, "text"), body_of(parts, "html")
    content = text if html is None else html
    apart = sum(_size(body).once for body in (text, html) if body)
    if apart + (_size(content).twice if in_raw and content else 0) <= MAX_BYTES:
        return ShownBodies(text, html, content, False)
    if apart > MAX_BYTES:
        text, html = (body and body[:CUT_CHARACTERS] for body in (text, html))
    return ShownBodies(text, html, content and content[:SHOWN_CHARACTERS], True)


def _size(text: str) -> _Size:
    data = text.encode()
    quoted = data.count(b'"') + data.count(b"\\")
    named = len(data) - len(data.translate(None, _NAMED))
    numbered = len(data) - len(data.translate(None, _NUMBERED))
    once = len(data) + quoted + named + 5 * numbered
    return _Size(once, once + 2 * quoted + named + numbered)
