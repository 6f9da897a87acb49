"""Content-Type and Content-Disposition, with their parameters (RFC 2231)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import decode_params, unquote

from smtp_relay.message.charsets import decode
from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Malformed, Unsupported
from smtp_relay.message.header_text import decoded_words, raw_text

_MAX_VALUE_BYTES = 8 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]++")
_PLAIN = re.compile(r"[ -~]*+")
_QUOTE_OR_END = re.compile(r'(?<!\\)"|;')


@dataclass(frozen=True, slots=True)
class MediaType:
    """The type and the disposition of a part.

    ``parameters`` are those of Content-Type, with lower-case names. ``disposition`` is empty, and
    ``filename`` None, if the part has none.
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
    def charset(self) -> str:
        """The charset, by default us-ascii, without the comment that some programs append."""
        return self.parameters.get("charset", "us-ascii").partition("(")[0].strip() or "us-ascii"


def media_type(entity: Entity) -> MediaType:
    """The media type of ``entity``, ``text/plain`` by default.

    :raises Malformed: its Content-Type or Content-Disposition is invalid.
    """
    full, parameters = _read(entity, "content-type")
    disposition, about_file = _read(entity, "content-disposition")
    main, slash, sub = (full or "text/plain").partition("/")
    if not slash or not _TOKEN.fullmatch(main) or not _TOKEN.fullmatch(sub):
        shown = full[:60].encode("ascii", "backslashreplace").decode()
        raise Malformed(f"{entity.place}Content-Type is not a media type: {shown}")
    filename = about_file.get("filename") or parameters.get("name") or None
    if filename is not None:
        filename = decoded_words(filename, f"{entity.place}the filename")
    return MediaType(main, sub, parameters, disposition, filename)


def written(kind: MediaType, place: str) -> str:
    """``kind`` as the value of a Content-Type field, without filename and boundary.

    :raises Unsupported: a parameter contains characters that the API does not accept.
    """
    words = [kind.full]
    for name, value in kind.parameters.items():
        if name in ("name", "boundary"):
            continue
        if not _TOKEN.fullmatch(name) or not _PLAIN.fullmatch(value):
            raise Unsupported(f"{place}a parameter of Content-Type is not supported: {name[:40]!r}")
        words.append(f"{name}={value if _TOKEN.fullmatch(value) else _quoted(value)}")
    return "; ".join(words)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(entity: Entity, key: str) -> tuple[str, dict[str, str]]:
    """The value of the field ``key`` in lower case, and its parameters by lower-case name."""
    what = f"{entity.place}{key.title()}"
    value = entity.value(key) or b""
    if len(value) > _MAX_VALUE_BYTES:
        raise Malformed(f"{what} is too long")
    parameters: dict[str, str] = {}
    try:
        (first, _), *rest = decode_params(list(_split(raw_text(value, what))))
        for name, given in rest:
            if isinstance(given, tuple):
                # An encoded value: charset, language, and its bytes as Latin-1. It takes precedence
                # over a plain value, which is for older programs (RFC 6266, section 4.3).
                charset, _, encoded = given
                content = unquote(encoded).encode("latin-1")
                parameters[name.lower()] = decode(content, charset or "us-ascii", what)
            else:
                parameters.setdefault(name.lower(), unquote(given))
    except (ValueError, TypeError) as error:
        # A value can be split into numbered pieces (RFC 2231, section 3). Here the number of a
        # piece is too long, or only some of the pieces have numbers, or an encoded value contains
        # a character that should be encoded.
        raise Malformed(f"{what} can't be read") from error
    return first.partition("(")[0].strip().lower(), parameters


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
