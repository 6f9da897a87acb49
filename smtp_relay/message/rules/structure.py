"""Rules for the parts that are neither a text nor an ordinary file.

Each rule leaves a part out, or changes it to a file with a name.
"""

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, replace

from smtp_relay.message.adaptations import shown
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.media_types import TEXT_AND_HTML, MediaType
from smtp_relay.message.rules import filenames

# Alternatives that carry the same as the texts on the right.
_CARRIED_BY = {
    "text/enriched": TEXT_AND_HTML,
    "text/markdown": {"text/plain"},
    "text/richtext": TEXT_AND_HTML,
    "text/watch-html": TEXT_AND_HTML,
    "text/x-amp-html": TEXT_AND_HTML,
}
# The names of files that have none.
_NAMES = {"text/calendar": "invite.ics", "text/rfc822-headers": "headers.txt"}
_MESSAGES = {"message/global", "message/rfc822"}
_SIGNATURES = {
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
}
# S/MIME in one part (RFC 8551, section 3.2.2).
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_SMIME_NAME = "smime.p7m"
_ENCRYPTED = {"authenveloped-data", "enveloped-data"}


# The types of the displayed texts that are not blank, among the alternatives of a multipart.
Alternatives = Callable[[], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is not displayed as text.

    ``alternatives`` are the texts beside the part if it is an alternative, else None.
    ``is_resource`` says that it belongs to the HTML text of a multipart/related. ``name`` is a
    filename for a part that has none, or a blank one.
    """

    entity: Entity
    kind: MediaType
    alternatives: Alternatives | None = None
    is_signature: bool = False
    is_resource: bool = False
    name: str | None = None

    @property
    def filename(self) -> str:
        """The filename: that of the message, of a rule, or a generated one. It may be blank."""
        if self.name and not self.kind.is_named:
            return self.name
        return _generated(self) if self.kind.filename is None else self.kind.filename


Rule = Callable[[Part], Part | None]


def adapted(part: Part) -> Part | None:
    """``part`` as a file, or None if it is left out.

    :raises Unsupported: the part can't be sent. Or the relay is strict, and a rule applies.
    """
    for rule in RULES:
        changed = rule(part)
        if changed is None:
            return None
        part = changed
    return part


def unsupported(entity: Entity, kind: MediaType, why: str) -> Unsupported:
    """The error for a part that can't be sent as it is."""
    return Unsupported(f"{entity.place}{kind.full}: {why}")


def note_kind_of_multipart(entity: Entity, kind: MediaType) -> None:
    """Note that a multipart is sent like a multipart/mixed (RFC 2046, section 5.1.3).

    :raises Unsupported: it is encrypted. Or the relay is strict, and it is no multipart/mixed.
    """
    problem = unsupported(entity, kind, "this kind of multipart is not supported")
    if kind.sub == "encrypted":
        raise unsupported(entity, kind, "an encrypted message is not supported")
    if kind.sub == "signed":
        sentence = entity.about("signature attached as a file, so it will not verify")
        entity.adaptations.add("attached", sentence, problem)
    elif kind.sub != "mixed":
        entity.adaptations.add("repaired", f"{entity.place}{kind.full} sent as its parts", problem)


def _smime(part: Part) -> Part:
    """An encrypted message can't be read by anybody if its structure is changed.

    A part with a name of its own is a file like others.
    """
    entity, kind = part.entity, part.kind
    name = filenames.accepted(kind.filename or "").strip().lower()
    is_message = not entity.number or not kind.is_named or name == _SMIME_NAME
    smime_type = kind.parameters.get("smime-type", "").lower()
    if kind.full not in _SMIME or not is_message or smime_type == "certs-only":
        return part
    if smime_type in _ENCRYPTED or not smime_type:
        raise unsupported(entity, kind, "an encrypted message is not supported")
    part = replace(part, name=_SMIME_NAME)
    sentence = entity.about(f"signed content attached as {_shown(part)}")
    entity.adaptations.add("attached", sentence, None)
    return part


def _without_copy_of_text(part: Part) -> Part | None:
    texts = _CARRIED_BY.get(part.kind.full)
    if not texts or part.alternatives is None or not texts & part.alternatives():
        return part
    problem = _no_alternative(part)
    part.entity.adaptations.add("left_out", f"{part.kind.full} alternative left out", problem)
    return None


def _message(part: Part) -> Part:
    entity, kind = part.entity, part.kind
    if kind.main != "message":
        return part
    problem = unsupported(entity, kind, "a message inside a message is not supported")
    if kind.full in _MESSAGES:
        name, sub = filenames.of_message(entity), "rfc822"
        kind = replace(kind, sub=sub)
    else:
        # The API accepts no other message types.
        name = f"{kind.sub}.txt"
        kind = replace(kind, main="text", sub="plain")
    attached = replace(part, kind=kind, name=name)
    if kind.is_named and kind.full == part.kind.full:
        entity.adaptations.add_unnoted(problem)
    else:
        sentence = f"{part.kind.full} attached as {_shown(attached)}"
        entity.adaptations.add("attached", sentence, problem)
    return attached


def _named_by_type(part: Part) -> Part:
    name = _NAMES.get(part.kind.full)
    return replace(part, name=name) if name else part


def _signature(part: Part) -> Part:
    name = _SIGNATURES.get(part.kind.full)
    return replace(part, name=name) if name and part.is_signature else part


def _alternative(part: Part) -> Part:
    if part.alternatives is None:
        return part
    part = _with_name(part)
    sentence = f"{part.kind.full} alternative attached as {_shown(part)}"
    part.entity.adaptations.add("attached", sentence, _no_alternative(part))
    return part


def _other_text(part: Part) -> Part:
    """A text that mail programs would show. A strict relay attaches it without a word."""
    entity, kind = part.entity, part.kind
    if kind.main != "text" or kind.full in TEXT_AND_HTML or entity.adaptations.is_strict:
        return part
    if kind.is_file or part.is_resource or part.alternatives is not None:
        return part
    part = _with_name(part)
    entity.adaptations.add("attached", f"{kind.full} attached as {_shown(part)}", None)
    return part


def _with_name(part: Part) -> Part:
    return replace(part, name=part.name or _generated(part))


def _generated(part: Part) -> str:
    """A filename for a part that has none, ``part-2.1.png`` for example. The API requires one."""
    other = ".txt" if part.kind.main == "text" else ".bin"
    ending = mimetypes.guess_extension(part.kind.full, strict=False) or other
    return f"part-{part.entity.number or 1}{ending}"


def _shown(part: Part) -> str:
    """The filename of ``part``, which a rule has given a name, in sentences."""
    return shown(filenames.accepted(part.filename))


def _no_alternative(part: Part) -> Unsupported:
    why = "only a text and an HTML text are supported as alternatives"
    return unsupported(part.entity, part.kind, why)


RULES: tuple[Rule, ...] = (
    _smime,
    _without_copy_of_text,
    _message,
    _named_by_type,
    _signature,
    _alternative,
    _other_text,
)
