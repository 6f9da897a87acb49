"""Unfolds a text with ``format=flowed; delsp=yes`` (RFC 3676).

A program that writes it cuts a paragraph into lines anywhere, between two Chinese characters, for
example. A program that does not know it shows these line ends.
"""

from collections.abc import Iterator
from io import StringIO

from smtp_relay.message.media_types import MediaType

_LINE_END = "\r\n"
_SIGNATURE = "-- "


def unfolded(text: str, kind: MediaType) -> str:
    """``text`` without the line ends that the program has added, if ``kind`` says so."""
    parameters = kind.parameters
    is_flowed = parameters.get("format", "").lower() == "flowed"
    if not is_flowed or parameters.get("delsp", "").lower() != "yes":
        return text
    written = StringIO(newline="")
    open_depth: int | None = None  # of quotation, if the line before goes on
    for line in _lines(text):
        bare = line.removesuffix(_LINE_END)
        content = bare.lstrip(">")
        depth = len(bare) - len(content)
        content = content.removeprefix(" ")  # space-stuffing (section 4.4)
        is_signature = content == _SIGNATURE
        if open_depth is not None and (open_depth != depth or is_signature):
            written.write(_LINE_END)
            open_depth = None
        if open_depth is None and depth:
            written.write(">" * depth + " ")
        if content.endswith(" ") and not is_signature:
            written.write(content[:-1])
            open_depth = depth
        else:
            written.write(content + line[len(bare) :])
            open_depth = None
    return written.getvalue()


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find(_LINE_END, start)
        end = len(text) if end < 0 else end + len(_LINE_END)
        yield text[start:end]
        start = end
