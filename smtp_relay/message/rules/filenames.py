"""Rules for the names of files, and for the names of files that have none."""

import re
from contextlib import suppress

from smtp_relay.message.adaptations import Adaptations, shown
from smtp_relay.message.characters import ENCODED_WORD, FORBIDDEN_IN_FILENAME
from smtp_relay.message.entity import Entity, read_entity
from smtp_relay.message.errors import CannotRelay, Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.rules.repeated import with_each_field_once
from smtp_relay.message.rules.texts import TextRule, changed, note
from smtp_relay.message.transfer_encodings import decoded_body

MAX_BYTES = 255  # the limit of the API, in UTF-8
_MAX_ENDING_BYTES = 20
_SUBJECT_WITHIN_BYTES = 64 * 1024

_SEPARATOR = re.compile(r"[/\\]")


def _last_segment(name: str) -> str:
    return _SEPARATOR.split(name.rstrip("/\\"))[-1]


def _with_accepted_characters(name: str) -> str:
    return ENCODED_WORD.sub("_", FORBIDDEN_IN_FILENAME.sub("_", name))


def _shortened(name: str) -> str:
    """``name`` in at most ``MAX_BYTES``, with its ending."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    start, dot, ending = name.rpartition(".")
    if not start or len(ending.encode()) > _MAX_ENDING_BYTES:
        start, dot, ending = name, "", ""
    space = MAX_BYTES - len((dot + ending).encode())
    return start.encode()[:space].decode(errors="ignore") + dot + ending


RULES = (
    TextRule(
        _last_segment, "renamed", "{what} reduced to its last segment", "{what} contains a slash"
    ),
    TextRule(
        _with_accepted_characters,
        "renamed",
        "{what}: characters that are not allowed replaced by _",
        "{what} contains characters that are not allowed",
    ),
    TextRule(
        _shortened, "shortened", f"{{what}} shortened to {MAX_BYTES} bytes", "{what} is too long"
    ),
)


def accepted(name: str) -> str:
    """``name`` as the API accepts it, unless it is blank."""
    return changed(RULES, name)[0]


def is_blank(name: str) -> bool:
    """Whether nothing readable remains of ``name`` if it is changed to what the API accepts."""
    return not _has_characters(accepted(name))


def _has_characters(name: str) -> bool:
    return bool(name.replace(".", "").strip())


def adapted(name: str, entity: Entity, number: int) -> str:
    """``name`` as the API accepts it. ``number`` is the position of the attachment.

    :raises Unsupported: the relay is strict, and a rule applies.
    """
    new, applied = changed(RULES, name)
    if _has_characters(new):
        note(applied, f"Filename of {shown(new)}", entity.adaptations)
        return new
    new = f"attachment-{number}"
    problem = Unsupported(entity.about("the filename is blank"))
    entity.adaptations.add("renamed", f"Blank filename replaced by {new}", problem)
    return new


def of_message(entity: Entity) -> str:
    """A filename for a message inside a message: its subject."""
    subject = ""
    unnoted = Adaptations()
    with suppress(CannotRelay):
        inner = with_each_field_once(
            read_entity(decoded_body(entity)[:_SUBJECT_WITHIN_BYTES], unnoted)
        )
        subject = header_text(inner.value("subject") or b"", "Subject", unnoted)
    return accepted(_SEPARATOR.sub("_", f"{subject.strip() or 'message'}.eml"))
