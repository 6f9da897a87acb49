"""Converts the tree of parts to what the API accepts: a text, an HTML text, and attachments."""

import base64
import itertools
import mimetypes
from dataclasses import dataclass, field
from typing import Any

from smtp_relay.message.charsets import decode
from smtp_relay.message.entity import Entity, parts
from smtp_relay.message.errors import Malformed, Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.media_types import MediaType, media_type, written
from smtp_relay.message.transfer_encodings import decoded_body, is_identity

_MAX_DEPTH = 10  # each level holds a copy of everything inside it
_MAX_PARTS = 1000
_TOO_MANY = f"more than {_MAX_PARTS} parts, or more than {_MAX_DEPTH} levels of parts"

# Only the Content- fields of a part have a meaning (RFC 2046, section 5.1). Programs add others,
# like X-Unix-Mode and X-Attachment-Id, which the relay ignores. It reads these:
_FIELDS = {"content-description", "content-disposition", "content-id", "content-location"}
_FIELDS |= {"content-transfer-encoding", "content-type"}
# It ignores these, which do not change how a part is displayed:
_FIELDS |= {"content-class", "content-language", "content-length", "content-md5"}

_BODIES = ("text/plain", "text/html")
_EMPTY_LINE = "\r\n"


class _Bodies:
    """Identifies the bodies that are alternatives of each other: a text and an HTML text.

    All bodies in one multipart/alternative share one object. Any other body has its own object.
    """

    def __init__(self, *, in_alternative: bool = False) -> None:
        self.in_alternative = in_alternative


@dataclass(slots=True)
class Content:
    """The content of a message. ``attachments`` has the form of the API."""

    text: str | None = None
    html: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """The fields of a request. An empty ``text`` keeps the API from deriving one from HTML."""
        text, html = self.text, self.html
        if not text and not html and self.attachments:
            # The API requires a text with attachments. An empty line looks the same as no text.
            text, html = _EMPTY_LINE, None
        fields: dict[str, Any] = {"text": text or ""}
        if html:
            fields["html"] = html
        if self.attachments:
            fields["attachments"] = self.attachments
        return fields


def read_content(message: Entity) -> Content:
    """The text, the HTML text and the attachments of ``message``.

    :raises Malformed: a part can't be read.
    :raises Unsupported: a part, or a field of its header, is not supported.
    """
    reader = _Reader()
    reader.read(message, _Bodies())
    return reader.content


class _Reader:
    def __init__(self) -> None:
        self.content = Content()
        self._owner: _Bodies | None = None  # shared by the texts found so far
        self._count = 0

    def read(
        self, entity: Entity, bodies: _Bodies | None, *, strict: bool = False, depth: int = 0
    ) -> None:
        """Read a part and everything inside it.

        A text becomes the text or HTML text of the message if ``bodies`` still has a place for it.
        Any other part becomes an attachment, or an error if ``strict``. If ``bodies`` is None, a
        text becomes an attachment too.

        :raises Malformed, Unsupported: as ``read_content`` does.
        """
        self._count += 1
        if self._count > _MAX_PARTS or depth > _MAX_DEPTH:
            raise Malformed(f"{entity.place}{_TOO_MANY}")
        kind = media_type(entity)
        if entity.number:  # `headers.py` handles the fields of the message itself
            _check_fields(entity, kind)
        if kind.main == "multipart":
            self._read_multipart(entity, kind, bodies, strict, depth)
        elif kind.main == "message":
            raise _unsupported(entity, kind, "a message inside a message is not supported")
        elif bodies and _is_text(kind) and self._has_place(bodies, kind):
            self._owner = bodies
            text = decode(decoded_body(entity), kind.charset, f"{entity.place}the text")
            if kind.sub == "html":
                self.content.html = text
            else:
                self.content.text = text
        elif strict:
            raise _unsupported(
                entity, kind, "only a text and an HTML text are supported as alternatives"
            )
        else:
            self._attach(entity, kind)

    def _read_multipart(
        self, entity: Entity, kind: MediaType, bodies: _Bodies | None, strict: bool, depth: int
    ) -> None:
        inside = _parts(entity, kind)
        depth += 1
        if kind.sub == "alternative":
            if bodies is None or self._owner not in (None, bodies):
                why = "alternatives beside another text are not supported"
                raise _unsupported(entity, kind, why)
            if not bodies.in_alternative:
                bodies = _Bodies(in_alternative=True)
            for part in inside:
                self.read(part, bodies, strict=True, depth=depth)
        elif kind.sub == "related":
            root = _root(inside, kind)
            for part in inside:
                if part is root:
                    self.read(part, bodies, strict=strict, depth=depth)
                else:
                    self.read(part, None, depth=depth)
        elif kind.sub == "mixed":
            for part in inside:
                # Texts beside each other are not alternatives: only the first becomes the body.
                own = bodies if bodies is None or bodies.in_alternative else _Bodies()
                self.read(part, own, depth=depth)
        else:
            raise _unsupported(entity, kind, "this kind of multipart is not supported")

    def _has_place(self, bodies: _Bodies, kind: MediaType) -> bool:
        taken = self.content.html if kind.sub == "html" else self.content.text
        return taken is None and self._owner in (None, bodies)

    def _attach(self, entity: Entity, kind: MediaType) -> None:
        filename = kind.filename or _generated_name(entity, kind)
        description = header_text(
            entity.value("content-description") or b"", f"{entity.place}Content-Description"
        )
        if description not in ("", filename):
            raise Unsupported(f"{entity.place}Content-Description is not supported")
        attachment = {
            "filename": filename,
            "content_type": written(kind, entity.place),
            "content": base64.b64encode(decoded_body(entity)).decode("ascii"),
        }
        content_id = _content_id(entity)
        if content_id:
            attachment["content_id"] = content_id
        self.content.attachments.append(attachment)


def _parts(entity: Entity, kind: MediaType) -> list[Entity]:
    if not is_identity(entity):
        raise Malformed(f"{entity.place}a multipart can't have a Content-Transfer-Encoding")
    try:
        boundary = kind.parameters.get("boundary", "").encode("ascii")
    except UnicodeEncodeError as error:
        raise Malformed(f"{entity.place}the boundary of the multipart is not ASCII") from error
    inside = list(itertools.islice(parts(entity, boundary), _MAX_PARTS + 1))
    if len(inside) > _MAX_PARTS:
        raise Malformed(f"{entity.place}{_TOO_MANY}")
    return inside


def _check_fields(entity: Entity, kind: MediaType) -> None:
    for field_ in entity.fields:
        if field_.key.startswith("content-") and field_.key not in _FIELDS:
            raise Unsupported(f"{entity.place}{field_.name} is not supported")
    # Content-Location names a part, as the content id does. An attachment needs only one of them.
    # In a text, Content-Location is also the base of relative links.
    is_redundant = _content_id(entity) and not (_is_text(kind) or kind.main == "multipart")
    if entity.value("content-location") and not is_redundant:
        raise Unsupported(f"{entity.place}Content-Location is not supported")


def _root(inside: list[Entity], kind: MediaType) -> Entity:
    """The root part of a multipart/related (RFC 2387, section 3.2)."""
    start = kind.parameters.get("start", "").strip(" <>")
    named = (part for part in inside if start and _content_id(part) == start)
    return next(named, inside[0])


def _is_text(kind: MediaType) -> bool:
    """Whether a part is a text or HTML text to display, and not an attachment."""
    return kind.full in _BODIES and kind.disposition != "attachment" and not kind.filename


def _content_id(entity: Entity) -> str:
    value = entity.value("content-id") or b""
    text = header_text(value, f"{entity.place}Content-ID").strip(" ")
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _generated_name(entity: Entity, kind: MediaType) -> str:
    """A filename for a part that has none, ``part-2.1.png`` for example. The API requires one."""
    ending = mimetypes.guess_extension(kind.full, strict=False) or ".bin"
    return f"part-{entity.number or 1}{ending}"


def _unsupported(entity: Entity, kind: MediaType, why: str) -> Unsupported:
    return Unsupported(f"{entity.place}{kind.full}: {why}")
