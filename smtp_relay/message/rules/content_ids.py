"""Rules for Content-IDs, with which the HTML text shows attachments (RFC 2392)."""

import hashlib
import re
from collections.abc import Callable
from re import Match
from urllib.parse import quote, unquote

from smtp_relay.message.adaptations import Adaptations, shown
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.rules.files import File

MAX_CHARACTERS = 128
_HASH_CHARACTERS = 32
_PIECES = 10_000

# The API accepts printable ASCII characters without angle brackets.
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "<>")
# A reference in an attribute or in CSS. A search takes linear time: each alternative ends at the
# character that must be before it.
_REFERENCE = re.compile(
    "cid:(?:"
    '(?<="cid:)([^"<>]++)(?=")'
    "|(?<='cid:)([^'<>]++)(?=')"
    r"|(?<=\(cid:)([^()<>]++)(?=\))"
    "|([^ \t\r\n\"'<>(),]++)"
    ")",
    re.IGNORECASE,
)


def content_id_of(entity: Entity) -> str:
    """The Content-ID of a part without its angle brackets, empty if there is none."""
    value = entity.value("content-id") or b""
    text = header_text(value, f"{entity.place}Content-ID", entity.adaptations).strip(" ")
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def adapted(files: list[File], html: str | None, adaptations: Adaptations) -> str | None:
    """Change the Content-IDs of ``files`` to what the API accepts; return the HTML with them.

    :raises Unsupported: the relay is strict, and a rule applies.
    """
    if not any(file.content_id for file in files):
        return html
    _attached_unless_shown(files, html, adaptations)
    new_ids: dict[str, str] = {}
    used: set[str] = set()
    for file in files:
        old = new = file.content_id or ""
        if not old:
            continue
        noted = adaptations.apart()
        for rule in RULES:
            new = rule(file, new, noted)
        if new in used:
            problem = Unsupported(f"The Content-ID of {file.filename} is not the only one")
            sentence = f"Second equal Content-ID of {shown(file.filename)} left out"
            adaptations.add("left_out", sentence, problem)
        else:
            adaptations.include(noted)
            new_ids.setdefault(old, new)
        file.content_id = None if new in used else new
        used.add(new)
    changed = {old: new for old, new in new_ids.items() if old != new}
    return _with_new_ids(html, changed) if html and changed else html


def _attached_unless_shown(files: list[File], html: str | None, adaptations: Adaptations) -> None:
    """The API shows a file with a Content-ID inline. The message may say that it is attached."""
    asked = {file.content_id for file in files if file.is_attached}
    found = _REFERENCE.finditer(html or "") if asked else ()
    in_html = {name for reference in found for name in _names(reference) if name in asked}
    for file in files:
        if file.is_attached and file.content_id and file.content_id not in in_html:
            sentence = f"Content-ID of {shown(file.filename)} left out: no HTML text shows the file"
            adaptations.add("left_out", sentence, None)
            file.content_id = None


def _with_accepted_characters(file: File, content_id: str, adaptations: Adaptations) -> str:
    encoded = quote(content_id, safe=_SAFE)
    if encoded != content_id:
        problem = Unsupported(f"The Content-ID of {file.filename} contains forbidden characters")
        adaptations.add(
            "repaired", f"Content-ID of {shown(file.filename)} percent-encoded", problem
        )
    return encoded


def _short(file: File, content_id: str, adaptations: Adaptations) -> str:
    if len(content_id) <= MAX_CHARACTERS:
        return content_id
    problem = Unsupported(f"The Content-ID of {file.filename} is too long")
    adaptations.add(
        "shortened", f"Content-ID of {shown(file.filename)} replaced by a hash", problem
    )
    return hashlib.sha256(content_id.encode()).hexdigest()[:_HASH_CHARACTERS]


RULES: tuple[Callable[[File, str, Adaptations], str], ...] = (_with_accepted_characters, _short)


def _with_new_ids(html: str, new_ids: dict[str, str]) -> str:
    from html import escape  # with the names of all characters, which take memory

    joined: list[str] = []
    pieces: list[str] = []
    end = 0
    for found in _REFERENCE.finditer(html):
        new = next((new_ids[name] for name in _names(found) if name in new_ids), None)
        if new is not None:
            pieces += (html[end : found.start()], found[0][: len("cid:")], escape(new))
            end = found.end()
        if len(pieces) > _PIECES:  # a list of all pieces can take ten times the memory of the HTML
            joined.append("".join(pieces))
            pieces.clear()
    return "".join((*joined, *pieces, html[end:]))


def _names(reference: Match[str]) -> tuple[str, ...]:
    """The Content-IDs that a reference can mean. Programs disagree on how to encode them."""
    from html import unescape  # as above

    written = next(group for group in reference.groups() if group is not None)
    plain = unescape(written)
    return written, plain, unquote(plain)
