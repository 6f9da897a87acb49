"""Converts the tree of parts to what the API accepts: a text, an HTML text, and attachments."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.boundaries import boundary_of
from smtp_relay.message.charsets import decode_leniently
from smtp_relay.message.entity import Entity, parts
from smtp_relay.message.errors import Malformed
from smtp_relay.message.media_types import TEXT_AND_HTML, MediaType, media_type, written
from smtp_relay.message.rules import content_ids, filenames, inline, structure
from smtp_relay.message.rules.content_ids import content_id_of
from smtp_relay.message.rules.files import File, file_with, without_copies
from smtp_relay.message.rules.flowed import unfolded
from smtp_relay.message.rules.inline import Text
from smtp_relay.message.rules.part_fields import note_fields
from smtp_relay.message.rules.repeated import with_each_field_once
from smtp_relay.message.rules.structure import Alternatives, Part, unsupported
from smtp_relay.message.transfer_encodings import decoded_body, is_identity

_MAX_DEPTH = 10  # each level holds a copy of everything inside it
_MAX_PARTS = 1000
_TOO_MANY = f"more than {_MAX_PARTS} parts, or more than {_MAX_DEPTH} levels of parts"

_IDENTIFIES = {"content-id", "content-location"}  # a part that the HTML text shows
_EMPTY_LINE = "\r\n"

_Inside = tuple[Entity, MediaType]  # a part of a multipart


class _Bodies:
    """Identifies the bodies that are alternatives of each other: a text and an HTML text.

    All bodies in one multipart/alternative share one object. Any other body has its own object.
    Only a strict relay needs this: it displays no text beside another one.
    """

    def __init__(self, *, in_alternative: bool = False) -> None:
        self.in_alternative = in_alternative


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part is.

    ``alternatives`` are the texts beside the part if it is an alternative, else None.
    ``is_resource`` says that it belongs to the HTML text of a multipart/related. ``bodies`` is None
    if a strict relay would display no text here.
    """

    bodies: _Bodies | None = field(default_factory=_Bodies)
    alternatives: Alternatives | None = None
    is_resource: bool = False
    is_signature: bool = False
    depth: int = 0


def read_content(message: Entity) -> dict[str, Any]:
    """The fields ``text``, ``html`` and ``attachments`` of the request for ``message``.

    An empty ``text`` keeps the API from making one from the HTML. Without ``text``, it makes one.

    :raises Malformed: a part can't be read.
    :raises Unsupported: a part can't be sent. Or the relay is strict, and the API has no place for
        a part, or for a field of its header.
    """
    adaptations = message.adaptations
    reader = _Reader(is_strict=adaptations.is_strict)
    texts = reader.read(message, media_type(message), _Place())
    text = reader.joined(texts, adaptations) or Text()
    files = without_copies(reader.files, adaptations)
    html = content_ids.adapted(files, text.html, adaptations)
    plain = text.text or inline.text_version(text.texts_in_html, html or "", adaptations)
    if plain == "" and not html and (files or not adaptations.is_strict):
        # The API requires a text. An empty line looks the same as no text.
        plain = _EMPTY_LINE
    fields = {"html": html, "attachments": [file.fields() for file in files]}
    return fields if plain is None else {"text": plain, **fields}


class _Reader:
    def __init__(self, *, is_strict: bool) -> None:
        self.files: list[File] = []
        self._is_strict = is_strict
        self._taken: dict[str, _Bodies] = {}  # by a strict relay: media types of texts
        self._count = 0

    def read(self, entity: Entity, kind: MediaType, place: _Place) -> list[Text]:
        """The texts to display in a part and everything inside it. The others become ``files``.

        :raises Malformed, Unsupported: as ``read_content`` does.
        """
        self._count += 1
        if self._count > _MAX_PARTS or place.depth > _MAX_DEPTH:
            raise Malformed(f"{entity.place}{_TOO_MANY}")
        if kind.main == "multipart":
            note_fields(entity)
            return self._read_multipart(entity, kind, place)
        if self._is_displayed(entity, kind, place):
            note_fields(entity)
            self._taken[kind.full] = place.bodies or _Bodies()
            return [_text(entity, kind)]
        noted = entity.adaptations.apart()
        own = replace(entity, adaptations=noted)
        part = Part(own, kind, place.alternatives, place.is_signature, place.is_resource)
        if file := structure.adapted(part):
            self._attach(file, is_attached=kind.main == "message" or place.is_signature)
        else:
            entity.adaptations.include(noted)
        return []

    def joined(self, texts: list[Text], adaptations: Adaptations) -> Text | None:
        """``texts`` as one, without those that are too long for this. They become ``files``."""
        shown, too_long = inline.those_html_can_show(texts)
        for text in too_long:
            name = f"part-{text.number}.txt"
            sentence = f"{text.place}attached as {name}: too long for the HTML text"
            noted = adaptations.apart()
            noted.add("attached", sentence, None)
            content = (text.text or "").encode()
            self.files.append(file_with(content, name, "text/plain; charset=utf-8", noted))
        return inline.joined(shown, adaptations)

    def _is_displayed(self, entity: Entity, kind: MediaType, place: _Place) -> bool:
        """Whether a part is a text or HTML text to display, and not a file."""
        if kind.full not in TEXT_AND_HTML or kind.disposition == "attachment":
            return False
        if self._is_strict:
            has_place = kind.full not in self._taken and not self._is_beside(place.bodies)
            return has_place and not kind.is_named and place.bodies is not None
        if place.is_resource and any(field_.key in _IDENTIFIES for field_ in entity.fields):
            return False
        is_alone = not entity.number or place.alternatives is not None
        return is_alone or not kind.is_named

    def _is_beside(self, bodies: _Bodies | None) -> bool:
        """Whether there is a text that is no alternative to ``bodies``."""
        return any(taken is not bodies for taken in self._taken.values())

    def _read_multipart(self, entity: Entity, kind: MediaType, place: _Place) -> list[Text]:
        inside = _parts(entity, kind)
        below = replace(place, alternatives=None, is_signature=False, depth=place.depth + 1)
        if kind.sub == "alternative":
            return self._read_alternatives(entity, kind, inside, below)
        if kind.sub == "related":
            root = _root(inside, kind, entity.adaptations)
            of_root = replace(below, alternatives=place.alternatives)
            of_others = replace(below, bodies=None, is_resource=True)
            places = [of_root if part is root else of_others for part, _ in inside]
        else:
            structure.note_kind_of_multipart(entity, kind)
            if below.bodies and not below.bodies.in_alternative:
                places = [replace(below, bodies=_Bodies()) for _ in inside]
            else:
                places = [below] * len(inside)
            if kind.sub == "signed":
                places[1:] = [replace(below, is_signature=True) for _ in inside[1:]]
        by_part = [self.read(*part, where) for part, where in zip(inside, places, strict=True)]
        texts = [text for found in by_part for text in found]
        are_alone = all(len(found) == 1 for found in by_part)
        return inline.paired(texts, entity.adaptations) if are_alone else texts

    def _read_alternatives(
        self, entity: Entity, kind: MediaType, inside: list[_Inside], below: _Place
    ) -> list[Text]:
        adaptations, bodies = entity.adaptations, below.bodies
        if bodies is None or self._is_beside(bodies):
            why = "alternatives beside another text are not supported"
            adaptations.add_unnoted(unsupported(entity, kind, why))
        if bodies is None or not bodies.in_alternative:
            bodies = _Bodies(in_alternative=True)
        beside = _once(lambda: self._shown_types(inside, below))
        below = replace(below, bodies=bodies, alternatives=beside)
        texts = [self.joined(self.read(*part, below), adaptations) for part in inside]
        return inline.alternative([text for text in texts if text], adaptations)

    def _shown_types(self, inside: list[_Inside], place: _Place) -> frozenset[str]:
        """The types of those alternatives that are texts to display, and not blank."""
        return frozenset(
            kind.full
            for part, kind in inside
            if self._is_displayed(part, kind, place) and not _text(part, kind).is_blank
        )

    def _attach(self, part: Part, *, is_attached: bool) -> None:
        entity, kind = part.entity, part.kind
        name = part.filename
        note_fields(entity, filename=name)
        is_alternative = part.alternatives is not None
        self.files.append(
            file_with(
                decoded_body(entity),
                filenames.adapted(name, entity, len(self.files) + 1),
                written(kind, entity),
                entity.adaptations,
                content_id=content_id_of(entity) or None,
                is_attached=is_attached or is_alternative or kind.disposition == "attachment",
                is_alternative=is_alternative,
                has_name=kind.is_named,
            )
        )


def _once(find: Alternatives) -> Alternatives:
    """``find``, called at most once. ``functools.cache`` takes ten times as long to set up."""
    found: list[frozenset[str]] = []

    def get() -> frozenset[str]:
        if not found:
            found.append(find())
        return found[0]

    return get


def _text(entity: Entity, kind: MediaType) -> Text:
    what = entity.about("the text")
    text = decode_leniently(decoded_body(entity), kind.charset, what, entity.adaptations)
    if kind.is_named:
        entity.adaptations.add("left_out", f"{what} sent without its filename", None)
    if kind.sub == "html":
        return Text(html=text, number=entity.number)
    return Text(unfolded(text, kind), number=entity.number)


def _parts(entity: Entity, kind: MediaType) -> list[_Inside]:
    if not is_identity(entity):
        problem = "a multipart can't have a Content-Transfer-Encoding"
        sentence = f"{entity.place}Content-Transfer-Encoding of the multipart ignored"
        entity.adaptations.add("repaired", sentence, Malformed(entity.place + problem))
    boundary = boundary_of(entity, kind.parameters.get("boundary", ""))
    # The multipart itself counts, too. So if there are more parts, the last of these is rejected.
    inside = list(itertools.islice(parts(entity, boundary), _MAX_PARTS))
    default = "message/rfc822" if kind.sub == "digest" else "text/plain"
    once = map(with_each_field_once, inside)
    return [(part, media_type(part, default)) for part in once]


def _root(inside: list[_Inside], kind: MediaType, adaptations: Adaptations) -> Entity:
    """The root part of a multipart/related (RFC 2387, section 3.2).

    It is the first part unless another one is named. Some programs write a picture first.
    """
    start = kind.parameters.get("start", "").strip(" <>")
    named = (part for part in inside if start and content_id_of(part[0]) == start)
    root, of_root = next(named, inside[0])
    if adaptations.is_strict or of_root.main in ("text", "multipart"):
        return root
    for part, found in inside:
        if found.full in ("text/html", "multipart/alternative") and not found.is_file:
            sentence = f"{part.place}read as the text that the multipart/related shows"
            adaptations.add("guessed", sentence, None)
            return part
    return root
