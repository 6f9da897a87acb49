"""Attachments: decoding of base64, and validation of filenames, types and content ids."""

import binascii
import hashlib
import re
from collections.abc import Sequence

from errors import field_error
from mail.characters import has_control, has_deceptive, has_encoded_word
from mail.fields import AttachmentField, BufferField
from mail.media_types import guessed_type
from mail.message import Attachment

MAX_ATTACHMENTS = 100
MAX_FILENAME_BYTES = 255  # the limit of common file systems
MAX_CONTENT_TYPE_CHARACTERS = 255
MAX_CONTENT_ID_CHARACTERS = 128

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]++"  # RFC 2045, section 5.1
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*+"'
_CONTENT_TYPE = re.compile(
    rf"(?P<type>{_TOKEN})/(?P<subtype>{_TOKEN})(?: *; *{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))*+"
)
_CONTENT_ID = re.compile("[!-;=?-~]+")  # printable ASCII without angle brackets
_PATH_SEPARATOR = re.compile(r"[/\\]")


def read_attachments(given: Sequence[AttachmentField] | None) -> tuple[Attachment, ...]:
    """Validate and decode the attachments of a request; return them in the given order.

    :raises BadRequest: with a code that begins with ``attachment``. Its field is ``attachments``,
        or the invalid member of a file, such as ``attachments[0].filename``.
    """
    if given and len(given) > MAX_ATTACHMENTS:
        raise field_error("attachments_too_many", "attachments", limit=MAX_ATTACHMENTS)
    attachments: list[Attachment] = []
    content_ids: set[str] = set()
    for index, file in enumerate(given or ()):
        path = f"attachments[{index}]"
        filename = _filename(f"{path}.filename", file.filename)
        content_id = _content_id(f"{path}.content_id", file.content_id)
        if content_id in content_ids:
            raise field_error("attachment_content_id_repeated", f"{path}.content_id")
        if content_id is not None:
            content_ids.add(content_id)
        content_type = _content_type(f"{path}.content_type", file.content_type, filename)
        content = _content(f"{path}.content", file.content, content_type)
        digest = hashlib.sha256(content).hexdigest()
        attachments.append(
            Attachment(filename, content_type, len(content), digest, content_id, content)
        )
    return tuple(attachments)


def _filename(field: str, given: str | None) -> str:
    # A character has at least one byte, so this check also bounds the work of the next checks.
    if given and len(given) > MAX_FILENAME_BYTES:
        raise field_error("attachment_filename_too_long", field, limit=MAX_FILENAME_BYTES)
    if not given or not given.strip():
        raise field_error("attachment_filename_missing", field)
    if (
        has_control(given)
        or has_deceptive(given)
        or has_encoded_word(given)
        or _PATH_SEPARATOR.search(given)
    ):
        raise field_error("attachment_filename_invalid", field)
    if len(given.encode()) > MAX_FILENAME_BYTES:
        raise field_error("attachment_filename_too_long", field, limit=MAX_FILENAME_BYTES)
    return given


def _content_type(field: str, given: str | None, filename: str) -> str:
    if given is None:
        return guessed_type(filename)
    is_short = len(given) <= MAX_CONTENT_TYPE_CHARACTERS
    given = given.rstrip("; ") if is_short else given
    match = _CONTENT_TYPE.fullmatch(given) if is_short else None
    if match is None:
        limit = MAX_CONTENT_TYPE_CHARACTERS
        raise field_error("attachment_content_type_invalid", field, limit=limit)
    # RFC 2046 forbids base64 for multipart types (section 5.1). message/rfc822 is a complete mail.
    # Other message types are fragments of mails, or references to mails (section 5.2).
    kind, subtype = match["type"].lower(), match["subtype"].lower()
    if kind == "multipart" or (kind == "message" and subtype != "rfc822"):
        raise field_error("attachment_content_type_refused", field)
    return given


def _content_id(field: str, given: str | None) -> str | None:
    if given is None:
        return None
    is_short = len(given) <= MAX_CONTENT_ID_CHARACTERS + len("<>")
    bare = given[1:-1] if is_short and given.startswith("<") and given.endswith(">") else given
    if len(bare) > MAX_CONTENT_ID_CHARACTERS or _CONTENT_ID.fullmatch(bare) is None:
        raise field_error("attachment_content_id_invalid", field, limit=MAX_CONTENT_ID_CHARACTERS)
    return bare


def _content(field: str, given: str | list[int] | BufferField | None, content_type: str) -> bytes:
    if given is None:
        raise field_error("attachment_content_missing", field)
    if isinstance(given, BufferField):
        return bytes(given.data)
    if isinstance(given, list):
        return bytes(given)
    # Laravel gives a calendar as it is. The colon makes it different from any base64.
    if given.startswith("BEGIN:VCALENDAR") and _is_calendar(content_type):
        return given.encode()
    if given[:5].lower() == "data:":
        raise field_error("attachment_content_is_data_url", field)
    if not given.isascii():
        raise field_error("attachment_content_invalid", field)
    # A regular expression would need more memory: it would make a list of all lines.
    base64 = given.replace("\n", "").replace("\r", "")
    digits = base64.rstrip("=")
    padding = -len(digits) % 4
    if len(base64) - len(digits) not in (0, padding):
        raise field_error("attachment_content_invalid", field)
    try:
        return binascii.a2b_base64(digits + "=" * padding, strict_mode=True)
    except ValueError as error:
        raise field_error("attachment_content_invalid", field) from error


def _is_calendar(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "text/calendar"
