"""Rules for the values of single header fields: References, List-Unsubscribe, restricted values."""

import re

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.errors import Unsupported

MAX_VALUE_BYTES = 2048
SEPARATOR = ", "

# The provider accepts only these values, in lower case.
RESTRICTED = {
    "auto-submitted": ("auto-generated", "auto-replied", "auto-notified"),
    "importance": ("high", "normal", "low"),
    "precedence": ("bulk", "list", "junk"),
    "priority": ("normal", "non-urgent", "urgent"),
    "sensitivity": ("personal", "private", "company-confidential"),
}
# What follows the value: a parameter (RFC 3834, section 5.2) or a comment.
_AFTER_KEYWORD = re.compile(r"[;(\s]")

_SCHEMES = ("https://", "mailto:")
# URIs in angle brackets (RFC 2369, section 2), in the form that the API accepts.
_URI = r"<(?:https://|mailto:)[^<>\s]++>"
_URIS = re.compile(rf"{_URI}(?: *+, *+{_URI})*+", re.IGNORECASE)
# A URI in angle brackets, which may be folded, or without them. Or a comment.
_URI_OR_COMMENT = re.compile(r"<([^<>]*+)>|\(([^()]*+)\)|([^\s<>(),]++)")
_ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058, section 3.1


def references(name: str, value: str, adaptations: Adaptations) -> str | None:
    """The first message id and as many of the last ones as fit (RFC 5537, section 3.4.4)."""
    if _size(value) <= MAX_VALUE_BYTES:
        return value
    first, *others = value.replace("><", "> <").split()
    kept = [first] if _size(first) <= MAX_VALUE_BYTES else []
    size = _size("".join(kept))
    last: list[str] = []
    for word in reversed(others):
        size += _size(word) + bool(kept or last)  # and a space between two
        if size > MAX_VALUE_BYTES:
            break
        last.append(word)
    kept += reversed(last)
    if not kept:
        return value  # a later rule leaves it out
    problem = Unsupported(f"{name} is too long")
    adaptations.add("shortened", f"{name} shortened to {MAX_VALUE_BYTES:,} bytes", problem)
    return " ".join(kept)


def list_unsubscribe(name: str, value: str, adaptations: Adaptations) -> str | None:
    """The https and mailto URIs. The provider accepts no others, and no comments."""
    if _URIS.fullmatch(value) and _size(value) <= MAX_VALUE_BYTES:
        return value
    problem = Unsupported(f"{name} contains more than https and mailto URIs")
    uris, is_complete = list[str](), True
    for match in _URI_OR_COMMENT.finditer(value):
        uri = _without_spaces((match[1] or match[3] or "").strip())
        scheme = next((one for one in _SCHEMES if uri.lower().startswith(one)), uri)
        if len(uri) > len(scheme):
            uris.append(f"<{uri}>")
        else:
            is_complete = False
    if not uris:
        sentence = f"{name} left out: it has no https or mailto URI"
        adaptations.add("left_out", sentence, problem)
        return None
    kept = those_that_fit(uris)
    if not kept:
        return value  # a later rule leaves it out
    if len(kept) < len(uris):
        adaptations.add("left_out", f"{name}: URIs left out that are too long", problem)
    elif is_complete:
        adaptations.add("repaired", f"{name} written as URIs in angle brackets", problem)
    if not is_complete:
        sentence = f"{name}: all but https and mailto URIs left out"
        adaptations.add("left_out", sentence, problem)
    return SEPARATOR.join(kept)


def _without_spaces(uri: str) -> str:
    """A folded URI in one piece. Spaces in the subject or text of a mailto URI are encoded."""
    before, mark, query = uri.partition("?")
    is_mail = before.lower().startswith("mailto:")
    return "".join(before.split()) + mark + ("%20" if is_mail else "").join(query.split())


def list_unsubscribe_post(name: str, value: str, adaptations: Adaptations) -> str | None:
    """The only value that RFC 8058 allows."""
    if value == _ONE_CLICK:
        return value
    problem = Unsupported(f"{name} has a value that the provider does not accept")
    if "".join(value.split()).lower() == _ONE_CLICK.lower():
        adaptations.add_unnoted(problem)
        return _ONE_CLICK
    adaptations.add("left_out", f"{name} left out: it is not {_ONE_CLICK}", problem)
    return None


def restricted(name: str, value: str, adaptations: Adaptations) -> str | None:
    """One of the values that the provider accepts, in lower case."""
    accepted = RESTRICTED[name.lower()]
    if value in accepted:
        return value
    problem = Unsupported(f"{name} has a value that the provider does not accept")
    bare = value.strip(" ;").lower()
    if bare in accepted:
        adaptations.add_unnoted(problem)
        return bare
    keyword = _AFTER_KEYWORD.split(bare, maxsplit=1)[0]
    if keyword in accepted:
        adaptations.add("shortened", f"{name} shortened to its keyword", problem)
        return keyword
    sentence = f"{name} left out: the provider accepts only {', '.join(accepted)}"
    adaptations.add("left_out", sentence, problem)
    return None


def not_too_long(name: str, value: str, adaptations: Adaptations) -> str | None:
    """No value that is longer than the provider accepts."""
    if _size(value) <= MAX_VALUE_BYTES:
        return value
    problem = Unsupported(f"{name} is too long")
    adaptations.add("left_out", f"{name} left out: it is too long", problem)
    return None


def those_that_fit(given: list[str]) -> list[str]:
    """Those of the values ``given`` that the provider accepts together, from the first on."""
    kept, size = list[str](), 0
    for value in given:
        longer = size + _size(value) + (len(SEPARATOR) if kept else 0)
        if longer <= MAX_VALUE_BYTES:
            kept.append(value)
            size = longer
    return kept


def _size(text: str) -> int:
    return len(text.encode())


# By the name of the field in lower case. All other fields have no rule here.
RULES = {
    "references": references,
    "list-unsubscribe": list_unsubscribe,
    "list-unsubscribe-post": list_unsubscribe_post,
    **dict.fromkeys(RESTRICTED, restricted),
}
