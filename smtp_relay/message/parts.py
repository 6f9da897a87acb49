"""The tree of parts into what the API knows: a text, an HTML, and files."""

import base64
import itertools
import mimetypes
from dataclasses import dataclass, field
from typing import Any

from smtp_relay.message.charsets import decode
from smtp_relay.message.entity import Entity, parts
from smtp_relay.message.faults import Malformed, Uncarriable
from smtp_relay.message.header_text import header_text
from smtp_relay.message.media_types import MediaType, media_type, written
from smtp_relay.message.transfer_encodings import decoded_body, is_identity

_MAX_DEPTH = 10  # each level holds the bytes of all within it
_MAX_PARTS = 1000
_TOO_MANY = f"more than {_MAX_PARTS} parts, or parts more than {_MAX_DEPTH} deep in each other"

# Fields of a part with another name than Content- have no meaning (RFC 2046, section 5.1), and
# programs leave marks there: X-Unix-Mode, X-Attachment-Id. Of the others these are read:
_FIELDS = {"content-description", "content-disposition", "content-id", "content-location"}
_FIELDS |= {"content-transfer-encoding", "content-type"}
# And nobody misses these:
_FIELDS |= {"content-class", "content-language", "content-length", "content-md5"}

_BODIES = ("text/plain", "text/html")
_EMPTY_LINE = "\r\n"


class _Bodies:
    """What may say one thing in two ways: all in a multipart/alternative, or a text by itself.

    Compared by identity.
    """

    def __init__(self, *, in_alternative: bool = False) -> None:
        self.in_alternative = in_alternative


@dataclass(slots=True)
class Content:
    """What a mail consists of; the members of ``attachments`` are those of the API."""

    text: str | None = None
    html: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """As fields of a request. An empty ``text`` asks that none be made of the HTML."""
        text, html = self.text, self.html
        if not text and not html and self.attachments:
            # The API wants a text beside files, and an empty line is as empty as none.
            text, html = _EMPTY_LINE, None
        said: dict[str, Any] = {"text": text or ""}
        if html:
            said["html"] = html
        if self.attachments:
            said["attachments"] = self.attachments
        return said


def read_content(message: Entity) -> Content:
    """The text, the HTML and the files of ``message``.

    :raises Malformed: a part can't be read.
    :raises Uncarriable: a part, or what its header says, is not carried.
    """
    reader = _Reader()
    reader.read(message, _Bodies())
    return reader.content


class _Reader:
    def __init__(self) -> None:
        self.content = Content()
        self._owner: _Bodies | None = None  # those that the bodies found so far belong to
        self._count = 0

    def read(
        self, entity: Entity, bodies: _Bodies | None, *, strict: bool = False, depth: int = 0
    ) -> None:
        """Read a part and all in it.

        A text in it becomes one of ``bodies``, a file where there are none or its place is taken;
        where ``strict``, it is refused then.
        """
        self._count += 1
        if self._count > _MAX_PARTS or depth > _MAX_DEPTH:
            raise Malformed(f"{entity.place}{_TOO_MANY}")
        kind = media_type(entity)
        if entity.number:  # the header of the message is not only that of its content
            _check_fields(entity, kind)
        if kind.main == "multipart":
            self._read_multipart(entity, kind, bodies, strict, depth)
        elif kind.main == "message":
            raise _uncarriable(entity, kind, "a message inside of a message can't be carried")
        elif bodies and _is_text(kind) and self._has_place(bodies, kind):
            self._owner = bodies
            text = decode(decoded_body(entity), kind.charset, f"{entity.place}the text")
            if kind.sub == "html":
                self.content.html = text
            else:
                self.content.text = text
        elif strict:
            raise _uncarriable(entity, kind, "of alternatives one text and one HTML are carried")
        else:
            self._attach(entity, kind)

    def _read_multipart(
        self, entity: Entity, kind: MediaType, bodies: _Bodies | None, strict: bool, depth: int
    ) -> None:
        inside = _parts(entity, kind)
        depth += 1
        if kind.sub == "alternative":
            if bodies is None or self._owner not in (None, bodies):
                why = "alternatives beside another text can't be carried"
                raise _uncarriable(entity, kind, why)
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
                # Texts beside each other are no alternatives: the first is the body.
                own = bodies if bodies is None or bodies.in_alternative else _Bodies()
                self.read(part, own, depth=depth)
        else:
            raise _uncarriable(entity, kind, "this kind of multipart can't be carried")

    def _has_place(self, bodies: _Bodies, kind: MediaType) -> bool:
        taken = self.content.html if kind.sub == "html" else self.content.text
        return taken is None and self._owner in (None, bodies)

    def _attach(self, entity: Entity, kind: MediaType) -> None:
        filename = kind.filename or _made_up_name(entity, kind)
        description = header_text(
            entity.value("content-description") or b"", f"{entity.place}Content-Description"
        )
        if description not in ("", filename):
            raise Uncarriable(f"{entity.place}Content-Description can't be carried")
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
        raise Malformed(f"{entity.place}a multipart has no Content-Transfer-Encoding")
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
            raise Uncarriable(f"{entity.place}{field_.name} can't be carried")
    # What it means for a file is carried by a content id; for a text it is where its links begin.
    can_be_carried = _content_id(entity) and not (_is_text(kind) or kind.main == "multipart")
    if entity.value("content-location") and not can_be_carried:
        raise Uncarriable(f"{entity.place}Content-Location can't be carried")


def _root(inside: list[Entity], kind: MediaType) -> Entity:
    """Of a multipart/related the part that the others belong to (RFC 2387, section 3.2)."""
    start = kind.parameters.get("start", "").strip(" <>")
    named = (part for part in inside if start and _content_id(part) == start)
    return next(named, inside[0])


def _is_text(kind: MediaType) -> bool:
    """Whether it is to be read with the mail, and not a file."""
    return kind.full in _BODIES and kind.disposition != "attachment" and not kind.filename


def _content_id(entity: Entity) -> str:
    value = entity.value("content-id") or b""
    text = header_text(value, f"{entity.place}Content-ID").strip(" ")
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def _made_up_name(entity: Entity, kind: MediaType) -> str:
    """A name for a part without one, which the API wants: ``part-2.1.png``."""
    ending = mimetypes.guess_extension(kind.full, strict=False) or ".bin"
    return f"part-{entity.number or 1}{ending}"


def _uncarriable(entity: Entity, kind: MediaType, why: str) -> Uncarriable:
    return Uncarriable(f"{entity.place}{kind.full}: {why}")
