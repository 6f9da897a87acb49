"""Content-Type and Content-Disposition, with their parameters (RFC 2231)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import decode_params, unquote
from typing import Any

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.charsets import decode_leniently
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed, Unsupported
from smtp_relay.message.header_text import decoded_words, structured_text
from smtp_relay.message.rules import filenames
from smtp_relay.message.transfer_encodings import decoded_body

TEXT_AND_HTML = frozenset({"text/plain", "text/html"})  # the types of displayed texts

_MAX_TYPE_CHARACTERS = 120
_MAX_WRITTEN_CHARACTERS = 255  # the API accepts no longer type of an attachment

_TOKEN = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]++")
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # not in a text in any ASCII charset
_PLAIN = re.compile(r"[ -~]*+")
_WORD_END = re.compile("[ ,;]++")
_QUOTE_OR_END = re.compile(r'(?<!\\)"|;')


@dataclass(frozen=True, slots=True)
class MediaType:
    """The type and the disposition of a part.

    ``parameters`` are those of Content-Type, with lower-case names. ``disposition`` is empty, and
    ``filename`` None, if the part has none. A blank filename is kept.
    """

    main: str
    sub: str
    parameters: dict[str, str]
    disposition: str
    filename: str | None

    @property
    def full(self) -> str:
        """Type and subtype, ``text/plain`` for example."""
        return f"{self.main}/{self.sub}"

    @property
    def is_named(self) -> bool:
        """Whether the part has a filename that is not blank."""
        return self.filename is not None and not filenames.is_blank(self.filename)

    @property
    def is_file(self) -> bool:
        """Whether the message declares the part as a file: as an attachment, or with a name."""
        return self.disposition == "attachment" or self.is_named

    @property
    def charset(self) -> str:
        """The charset, by default us-ascii, without the comment that some programs append."""
        return self.parameters.get("charset", "us-ascii").partition("(")[0].strip() or "us-ascii"


def media_type(entity: Entity, default: str = "text/plain") -> MediaType:
    """The media type of ``entity``, or ``default``.

    :raises Malformed: its Content-Type or Content-Disposition is invalid, and the relay is strict.
    """
    full, parameters = _read(entity, "content-type")
    disposition, about_file = _read(entity, "content-disposition")
    main, _, sub = (full or default).partition("/")
    is_valid = _TOKEN.fullmatch(main) and _TOKEN.fullmatch(sub)
    # Some programs write plain/text.
    if not is_valid or main == "plain" or len(full) > _MAX_TYPE_CHARACTERS:
        main, sub = _repaired_type(entity, full, parameters)
    filename = _filename(entity, about_file.get("filename"), parameters.get("name"))
    return MediaType(main, sub, parameters, _first_word(disposition), filename)


def _filename(entity: Entity, *given: str | None) -> str | None:
    """The first name in ``given`` that is not blank. The first blank one if there is no other."""
    blank = None
    for name in given:
        if name is None:
            continue
        decoded = decoded_words(name, entity.about("the filename"), entity.adaptations)
        if not filenames.is_blank(decoded):
            return decoded
        blank = decoded if blank is None else blank
    return None if blank == "" and entity.adaptations.is_strict else blank


def _first_word(value: str) -> str:
    """The beginning of ``value``, which some programs quote, or separate by a comma."""
    return _WORD_END.split(value.strip('"'), maxsplit=1)[0]


def _repaired_type(entity: Entity, full: str, parameters: dict[str, str]) -> tuple[str, str]:
    shown = full[:60].encode("ascii", "backslashreplace").decode()
    problem = Malformed(f"{entity.place}Content-Type is not a media type: {shown}")
    begin = _first_word(full)
    main, _, sub = begin.partition("/")
    is_short = len(begin) <= _MAX_TYPE_CHARACTERS
    if begin != full and is_short and _TOKEN.fullmatch(main) and _TOKEN.fullmatch(sub):
        pass  # quotes, or a semicolon is missing: text/plain charset=utf-8
    elif main == "multipart" and "boundary" in parameters:
        sub = "mixed"
    elif _BINARY.search(decoded_body(entity)):
        main, sub = "application", "octet-stream"
    else:
        main, sub = "text", "plain"
    sentence = f"{entity.place}Content-Type, which is not a media type, read as {main}/{sub}"
    entity.adaptations.add("guessed", sentence, problem)
    return main, sub


def written(kind: MediaType, entity: Entity) -> str:
    """``kind`` as the value of a Content-Type field, without filename and boundary.

    :raises Unsupported: the relay is strict, and the API does not accept a parameter.
    """
    adaptations, place = entity.adaptations, entity.place
    written_type = kind.full
    for name, value in kind.parameters.items():
        if name in ("name", "boundary"):
            continue
        problem = f"{place}a parameter of Content-Type is not supported: {name[:40]!r}"
        word = f"; {name}={value if _TOKEN.fullmatch(value) else _quoted(value)}"
        if not name or (not value and not adaptations.is_strict):
            adaptations.add_unnoted(Unsupported(problem))
        elif (
            _TOKEN.fullmatch(name)
            and _PLAIN.fullmatch(value)
            and len(written_type) + len(word) <= _MAX_WRITTEN_CHARACTERS
        ):
            written_type += word
        else:
            sentence = entity.about("a parameter of Content-Type left out")
            adaptations.add("left_out", sentence, Unsupported(problem))
    return written_type


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(entity: Entity, key: str) -> tuple[str, dict[str, str]]:
    """The value of the field ``key`` in lower case, and its parameters by lower-case name."""
    value = entity.value(key)
    if not value:
        return "", {}
    what = f"{entity.place}{key.title()}"
    first, *rest = _split(structured_text(value, what, entity.adaptations))
    decoded: list[Any] = [pair for pair in rest if "*" not in pair[0]]
    encoded = [pair for pair in rest if "*" in pair[0]]
    try:
        decoded += decode_params([first, *encoded])[1:] if encoded else ()
    except (ValueError, TypeError) as error:
        # A value can be split into numbered pieces (RFC 2231, section 3). Here the number of a
        # piece is too long, or only some of the pieces have numbers.
        sentence = f"{what}: unreadable parameters left out"
        entity.adaptations.add("left_out", sentence, _problem(what, error))
    parameters: dict[str, str] = {}
    for name, given in decoded:
        if isinstance(given, tuple):
            # An encoded value: charset, language, and its bytes as Latin-1. It takes precedence
            # over a plain value, which is for older programs (RFC 6266, section 4.3).
            parameters[name.lower()] = _decoded_value(given, what, entity.adaptations)
        else:
            parameters.setdefault(name.lower(), unquote(given))
    if first[1] and not entity.adaptations.is_strict:
        # Nothing or no semicolon is before the first parameter, or the semicolon is in quotes.
        name = _WORD_END.split(first[0])[-1]
        if name:
            parameters.setdefault(name, unquote(first[1]).strip('"'))
    return first[0].partition("(")[0].strip().lower(), parameters


def _decoded_value(given: tuple[str | None, str | None, str], what: str, noted: Adaptations) -> str:
    charset, _, encoded = given
    text = unquote(encoded)
    try:
        content = text.encode("latin-1")
    except UnicodeEncodeError as error:  # a character that should be encoded
        noted.add("repaired", f"{what}: a parameter read as UTF-8", _problem(what, error))
        return text
    return decode_leniently(content, charset or "us-ascii", what, noted)


def _problem(what: str, cause: Exception) -> Malformed:
    problem = Malformed(f"{what} can't be read")
    problem.__cause__ = cause
    return problem


def _split(value: str) -> Iterator[tuple[str, str]]:
    """The name and the value of each parameter. The values are still quoted and encoded.

    The first pair has the media type as its name. ``Message.get_params`` splits in the same way,
    but takes quadratic time, because it counts the quotes again at each semicolon.
    """
    start, is_quoted = 0, False
    for mark in _QUOTE_OR_END.finditer(value + ";"):
        if mark[0] == '"':
            is_quoted = not is_quoted
        elif not is_quoted or mark.start() == len(value):
            name, _, given = value[start : mark.start()].partition("=")
            yield name.strip().lower(), given.strip()
            start, is_quoted = mark.end(), False
