"""HTML cut into texts and tags, as the tokenizer of the HTML standard cuts it, in the main.

Not by ``html.parser``: in some versions of Python its time grows with the square of what is
unfinished, and there is no end to the HTML that is. Here one pattern takes all that it has looked
at, to the end of the HTML if need be, so no character is looked at twice. And for each tag or
reference there is only a look into a table: any more Python would be most of the time it takes.
"""

import re

# Up to the ">" of a tag: names, and values that may be quoted.
_INSIDE = r"""[^>=]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|(?!["']))[^>=]*+)*+"""
_TAG = re.compile(
    rf"""
    <(?:
      !--(?:-?>|.*?(?:-->|\Z))
    | (?=[stin])  # most tags are none of these
      (?P<unseen>script|style|title|template|iframe|noembed|noframes)(?=[\s/>]){_INSIDE}
          (?:>[^<]*+(?:<(?!/(?P=unseen)[\s/>])[^<]*+)*+[^>]*+>?|.*)
    | (?P<name>/?[a-z][^\s/>]*+)(?P<attributes>{_INSIDE})(?:>|.*)
    | [!?/][^>]*+>?
    )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'>/=]++)\s*+"""
    r"""(?:=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s"'>]++)))?"""
)
_REFERENCE = re.compile("(&(?:#[0-9]++|#x[0-9a-f]++|[a-z][a-z0-9]{1,31}+);?)", re.I | re.A)
_LONGEST_REFERENCE = 40  # a number of more digits is no character


def pieces(html: str) -> tuple[list[str], list[str], list[str | None]]:
    """``html`` as its texts, and of the tags between them the names and the attributes.

    There is one text more than there are tags. Names are in lower case, with a ``/`` before that of
    an end tag, and empty, without attributes, for what shows nothing: a comment, a script with what
    is in it. Character references stand as they are written, for ``unescaped``.
    """
    cut = _TAG.split(html)
    lower = {name: (name or "").lower() for name in set(cut[2::4])}
    return cut[::4], [lower[name] for name in cut[2::4]], cut[3::4]


def attribute(attributes: str | None, wanted: str) -> str:
    """The value of the attribute ``wanted`` as it is written, empty where there is none."""
    for match in _ATTRIBUTE.finditer(attributes or ""):
        if match["name"].lower() == wanted:
            return match["double"] or match["single"] or match["bare"] or ""
    return ""


def unescaped(text: str) -> str:
    """``text`` with its character references read."""
    if "&" not in text:
        return text
    from html import unescape  # here: its table of two thousand names costs start-up time

    cut = _REFERENCE.split(text)
    characters = {
        reference: unescape(reference) if len(reference) <= _LONGEST_REFERENCE else "\ufffd"
        for reference in set(cut[1::2])
    }
    cut[1::2] = [characters[reference] for reference in cut[1::2]]
    return "".join(cut)
