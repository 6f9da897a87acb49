"""The plain text of an HTML mail, for mail programs without HTML.

Every tag becomes a mark of one or two characters, or nothing. Each further step replaces one kind
of mark in the whole text at once. This takes a fraction of the time of a loop over the tags.
"""

import re
from itertools import chain, compress

from mail.markup import attribute, pieces, unescaped
from mail.nesting import BULLETS, ITEM, LIST_END, MARKS, NUMBERS, QUOTATION, QUOTATION_END, indented

# In characters. Only the beginning of longer HTML is converted, because CPU time is limited. The
# text then ends with the line _CUT.
MAX_HTML = 128 * 1024
_CUT = "[...]"

# The marks are control characters. Control characters in the HTML itself are removed first. _BLOCK
# is the end of a block, _BREAK a line break, _CELL the beginning of a cell, _SPACE a preserved
# space. A link is _LINK, its address, _ADDRESS_END, its text, _LINK_END.
_BLOCK, _BREAK, _CELL, _SPACE, _LINK, _ADDRESS_END, _LINK_END = _MARKS = "\1\2\3\4\5\6\7"
# White space and marks: they do not belong to the text of a link if they are at its ends.
_AROUND = f" \t\n\r\f\xa0{_MARKS}{MARKS}"
_PARAGRAPH = _BLOCK + _BREAK

_BLOCKS = (
    "address article aside body center dd details div dl dt fieldset figcaption footer form header"
    " html legend main nav option section summary tbody tfoot thead tr"
)
_PARAGRAPHS = "blockquote figure h1 h2 h3 h4 h5 h6 p pre table"
_MARK_OF_TAG = {
    **{end + name: _BLOCK for name in _BLOCKS.split() for end in ("", "/")},
    **{end + name: _PARAGRAPH for name in _PARAGRAPHS.split() for end in ("", "/")},
    **{"br": _BREAK, "/br": _BREAK, "td": _CELL, "th": _CELL, "a": _LINK_END, "/a": _LINK_END},
    **{"ul": _BLOCK + BULLETS, "ol": _BLOCK + NUMBERS, "li": _BLOCK + ITEM, "/li": _BLOCK},
    **{"/ul": _BLOCK + LIST_END, "/ol": _BLOCK + LIST_END},
    **{"blockquote": _PARAGRAPH + QUOTATION, "/blockquote": _PARAGRAPH + QUOTATION_END},
    "hr": _PARAGRAPH + "-" * 20 + _PARAGRAPH,
}

_CONTROLS = bytes([*range(0x09), *range(0x0E, 0x20)])
_LINKED = re.compile(f"{_LINK}([^{_LINK}{_ADDRESS_END}]*+){_ADDRESS_END}([^{_LINK_END}]*+)")
_SCHEMES = ("http://", "https://", "mailto:", "tel:")
# An "&" that begins no character reference. In an address, a reference must end with a semicolon:
# "&copy" in "?a=1&copy=2" is no reference.
_AMPERSAND = re.compile("&(?!#?[0-9a-z]{1,32};)", re.IGNORECASE)
# Adjacent ends of blocks end a line only once. A line break after them adds an empty line.
_LINE_END = re.compile(f"[{_PARAGRAPH}][ {_BLOCK}{_CELL}]*+({_BREAK}?)[ {_PARAGRAPH}{_CELL}]*+")
_CELLS = re.compile(f"{_CELL}[ {_CELL}]*+")


def plain_text(html: str) -> str:
    """The visible text of ``html``; empty if there is none.

    Links become ``text (address)``. List items begin with their number or a star. Bars separate the
    cells of a row. Lines of quotations begin with ``> ``. Images become their alternative text.
    HTML longer than ``MAX_HTML`` is cut off; the text then ends with a line ``[...]``.
    """
    text = _marked(_without_controls(html[:MAX_HTML]))
    text = _LINKED.sub(_with_address, unescaped(text)).replace(_LINK_END, "")
    text = " ".join(text.split())
    text = indented(_in_lines(text))
    text = _with_bars(text).replace(_SPACE, " ").strip("\n")
    return f"{text}\n{_CUT}" if text and len(html) > MAX_HTML else text


def _without_controls(html: str) -> str:
    # bytes.translate is ten times faster than a regular expression.
    kept = html.encode("utf-8", "surrogatepass").translate(None, _CONTROLS)
    return kept.decode("utf-8", "surrogatepass")


def _marked(html: str) -> str:
    texts, names, attributes = pieces(html)
    if "pre" in names:
        _preformat(texts, names)
    marks = [_MARK_OF_TAG.get(name, "") for name in names]
    for at in compress(range(len(names)), map({"a", "img"}.__contains__, names)):
        if names[at] == "img":
            marks[at] = attribute(attributes[at], "alt").strip()
        else:
            marks[at] += _link(attribute(attributes[at], "href"))
    return _BLOCK + texts[0] + "".join(chain.from_iterable(zip(marks, texts[1:], strict=True)))


def _preformat(texts: list[str], names: list[str]) -> None:
    """Mark the spaces and line ends in ``<pre>``, so that they are preserved."""
    is_preformatted = False
    for at, name in enumerate(names, 1):
        if name in ("pre", "/pre"):
            is_preformatted = name == "pre"
        if is_preformatted:
            lines = texts[at].expandtabs(4).replace("\r\n", "\n")
            texts[at] = lines.replace("\n", _BREAK).replace(" ", _SPACE)


def _link(href: str) -> str:
    address = "%20".join(href.split())
    if not address.lower().startswith(_SCHEMES):
        return ""
    return _LINK + _AMPERSAND.sub("&amp;", address) + _ADDRESS_END


def _with_address(link: re.Match[str]) -> str:
    address, text = link.groups()
    visible = text.strip(_AROUND)
    if not visible or visible in (address, address.partition(":")[2].lstrip("/")):
        return text
    before, _, after = text.partition(visible)
    return f"{before}{visible} ({address}){after}"


def _in_lines(text: str) -> str:
    text = text.replace(f" {_BLOCK}", _BLOCK).replace(f" {_BREAK}", _BREAK)
    return _LINE_END.sub("\n\\1", text).replace(_BREAK, "\n").rstrip(f"\n {_CELL}{MARKS}")


def _with_bars(text: str) -> str:
    if _CELL not in text:
        return text
    return _CELLS.sub(" | ", text.replace(f" {_CELL}", _CELL)).replace(" | \n", "\n")
