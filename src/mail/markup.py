"""Split HTML into texts and tags, approximately like the tokenizer of the HTML standard.

``html.parser`` is not suitable: in some versions of Python its time grows with the square of the
length of unfinished markup. Here a single pattern consumes every character that it scans, to the
end of the HTML if necessary, so the time is linear. For each tag or character reference, Python
code only looks up a table: more work per tag would dominate the run time.
"""

import re

# The inside of a tag up to ">": attribute names, and values that may be quoted.
_INSIDE = r"""[^>=]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|(?!["']))[^>=]*+)*+"""
_TAG = re.compile(
    rf"""
    <(?:
      !--(?:-?>|.*?(?:-->|\Z))
    | (?=[stin])  # a quick check: most tags begin with another letter
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
_LONGEST_REFERENCE = 40  # in characters; a longer number is not the number of a character


def pieces(html: str) -> tuple[list[str], list[str], list[str | None]]:
    """The texts of ``html``, and the names and the attributes of the tags between them.

    There is one more text than tags. Names are in lower case; an end tag has a ``/`` before its
    name. Invisible markup, such as a comment or a whole script, is a tag with an empty name and
    None as its attributes. Character references are kept; ``unescaped`` replaces them.
    """
    cut = _TAG.split(html)
    lower = {name: (name or "").lower() for name in set(cut[2::4])}
    return cut[::4], [lower[name] for name in cut[2::4]], cut[3::4]


def attribute(attributes: str | None, wanted: str) -> str:
    """The value of the attribute ``wanted``, with its character references; empty if missing."""
    for match in _ATTRIBUTE.finditer(attributes or ""):
        if match["name"].lower() == wanted:
            return match["double"] or match["single"] or match["bare"] or ""
    return ""


def unescaped(text: str) -> str:
    """``text`` with its character references replaced."""
    if "&" not in text:
        return text
    from html import unescape  # here: its table of two thousand names is slow to load

    cut = _REFERENCE.split(text)
    characters = {
        reference: unescape(reference) if len(reference) <= _LONGEST_REFERENCE else "\ufffd"
        for reference in set(cut[1::2])
    }
    cut[1::2] = [characters[reference] for reference in cut[1::2]]
    return "".join(cut)
