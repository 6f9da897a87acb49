"""A message as the bytes of a mail (RFC 5322 and MIME), for providers that take no fields.

The package ``email`` writes the structure. Header fields are encoded here: ``EmailMessage`` puts
spaces into some long display names. A text that is not plain ASCII becomes encoded words (RFC
2047), so no character of it can end a line. Bcc is never part of a mail.
"""

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message as Entity
from email.policy import Compat32
from email.utils import format_datetime
from typing import Literal, NamedTuple

from mail.message import Attachment, Message, RecipientKind

_LINE = 78  # the preferred maximum of characters in a line (RFC 5322, section 2.1.1)
_MAX_LINE = 998  # the maximum, without CR LF
_ENCODED_LINE = 76  # for lines with encoded words (RFC 2047, section 2)
_ENCODED_WORD = "=?utf-8?b?{}?="
_WORD_BYTES = 45  # of the text of an encoded word
_BASE64_BYTES = 57  # of the content of a line of base64

# Printable characters, and line ends only before a space. Addresses may have other letters.
_FIELD_BODY = re.compile(r"(?:[^\x00-\x1f\x7f]|\r\n )*+")
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_PLAIN = re.compile("[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_SPECIAL_IN_QUOTES = re.compile(r'(["\\])')
_LINE_END = re.compile("\r\n|\r|\n")

# A line that can't be sent as it is: too long, with NUL, or changed by mail boxes of the form mbox.
_NEEDS_ENCODING = re.compile(rb"[^\r\n]{%d}|\0|^From " % (_MAX_LINE + 1), re.MULTILINE)
_NO_ESCAPE = bytes({*b"\t\r\n", *range(32, 127)} - {ord("=")})


class _Policy(Compat32):
    """Writes header fields as they are given, and checks that none ends early."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if not (_FIELD_NAME.fullmatch(name) and _FIELD_BODY.fullmatch(value)):
            raise ValueError(f"the field {name!r} can't be written")
        return f"{name}: {value}\r\n".encode()


_POLICY = _Policy(linesep="\r\n", cte_type="8bit")


class _Part(NamedTuple):
    """The header fields of a part of a mail, and its encoded content or its own parts."""

    fields: list[tuple[str, str]]
    content: "bytes | list[_Part]"


def mime_bytes(message: Message, *, message_id: str, date: int, eight_bit: bool = False) -> bytes:
    """``message`` as a mail, with CR LF at the end of each line.

    It is ASCII, unless ``eight_bit``, or if ``needs_smtputf8``.

    :param message_id: the Message-ID, with its angle brackets.
    :param date: the time of the mail in Unix milliseconds.
    :param eight_bit: whether texts may be in UTF-8 (8BITMIME, RFC 6152).
    :raises ValueError: an address, a content type or the name of a header has a control character.
        ``compose`` rejects these.
    """
    fields, content = _content(message, eight_bit)
    mail = _Part([*_fields(message, message_id, date), *fields], content)
    return _entity(mail).as_bytes()


def message_id_of(message: Message, key: str) -> str:
    """The Message-ID of the mail of the message with the id ``key``."""
    return f"<{key}@{message.sender.domain}>"


def needs_smtputf8(message: Message) -> bool:
    """Whether the mail has an address with a local part that is not ASCII (RFC 6531)."""
    return not all(mailbox.address.local.isascii() for mailbox in message.mailboxes)


def _fields(message: Message, message_id: str, date: int) -> Iterator[tuple[str, str]]:
    yield "From", _mailbox(message.sender_name, str(message.sender))
    kinds: tuple[tuple[str, RecipientKind], ...] = (("To", "to"), ("Cc", "cc"))
    for name, kind in kinds:
        shown = [one for one in message.recipients if one.kind == kind]
        if shown:
            yield name, ",\r\n ".join(_mailbox(one.name, str(one.address)) for one in shown)
    if message.reply_to:
        yield "Reply-To", _mailbox(message.reply_to.name, str(message.reply_to.address))
    yield "Subject", _text("Subject", message.subject)
    yield "Date", format_datetime(datetime.fromtimestamp(date // 1000, UTC))
    yield "Message-ID", message_id
    for header in message.headers:
        yield header.name, _text(header.name, header.value)
    yield "MIME-Version", "1.0"


def _mailbox(name: str | None, address: str) -> str:
    if not name:
        return address
    if _PLAIN.fullmatch(name) is None or "=?" in name:
        return f"{_encoded_words(name)}\r\n <{address}>"
    if _ATOMS.fullmatch(name) is None or "  " in name or name != name.strip():
        name = _quoted(name)
    return f"{name} <{address}>"


def _quoted(text: str) -> str:
    escaped = _SPECIAL_IN_QUOTES.sub(r"\\\1", text)
    return f'"{escaped}"'


def _text(name: str, value: str) -> str:
    """The body of an unstructured field, folded or in encoded words."""
    value = value.strip(" ")
    if _PLAIN.fullmatch(value) and "=?" not in value:
        lines = _folded(value, len(f"{name}: "))
        if len(max(lines, key=len)) < _MAX_LINE - len(f"{name}: "):
            return "\r\n".join(lines)
        if name.lower().startswith("list-"):
            # URIs in angle brackets. Programs ignore spaces in them (RFC 2369, section 2).
            return "\r\n ".join(piece for line in lines for piece in _pieces(line))
    return _encoded_words(value, first=len(f"{name}: "))


def _folded(value: str, at: int) -> list[str]:
    """Lines of words. Each line but the first begins with the spaces before its first word."""
    lines, gap = [""], ""
    for word in value.split(" "):
        if word:
            if lines[-1] and at + len(lines[-1]) + len(gap) + len(word) > _LINE:
                lines.append("")
                at = 0
            lines[-1] += gap + word
            gap = ""
        gap += " "
    return lines


def _pieces(line: str) -> Iterator[str]:
    text = line.lstrip(" ")
    size = _MAX_LINE - 100  # the name of the field has at most 100 characters
    return (text[at : at + size] for at in range(0, len(text), size))


def _encoded_words(text: str, *, first: int = 1) -> str:
    """``text`` in encoded words, each on its own line.

    :param first: the number of characters in the line before the first word.
    """
    room = _ENCODED_LINE - first - len(_ENCODED_WORD.format(""))
    most = max(4, min(_WORD_BYTES, room // 4 * 3))  # one character has up to four bytes
    words, word = [], b""
    for character in text:
        piece = character.encode(errors="replace")
        if len(word) + len(piece) > most:
            words.append(word)
            word, most = b"", _WORD_BYTES
        word += piece
    words.append(word)
    return "\r\n ".join(_ENCODED_WORD.format(_base64_text(word)) for word in words)


def _base64_text(content: bytes) -> str:
    return binascii.b2a_base64(content, newline=False).decode()


def _content(message: Message, eight_bit: bool) -> _Part:
    """The texts, with the inline files beside the HTML that shows them, and the attached files."""
    texts = [
        _body("plain" if kind == "text" else "html", body, eight_bit)
        for kind, body in message.bodies
    ]
    inline: list[_Part] = []
    attached: list[_Part] = []
    for file in message.attachments:
        (inline if file.content_id and message.html else attached).append(_file(file))
    if inline:
        texts[-1] = _multipart("related", [texts[-1], *inline])
    content = texts[0] if len(texts) == 1 else _multipart("alternative", texts)
    return _multipart("mixed", [content, *attached]) if attached else content


def _multipart(subtype: Literal["related", "alternative", "mixed"], parts: list[_Part]) -> _Part:
    return _Part([("Content-Type", f"multipart/{subtype}")], parts)


def _body(subtype: str, text: str, eight_bit: bool) -> _Part:
    content = _LINE_END.sub("\r\n", text).encode(errors="replace")
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    encoding, encoded = _transfer_encoded(content, eight_bit)
    fields = [
        ("Content-Type", f"text/{subtype}; charset=utf-8"),
        ("Content-Transfer-Encoding", encoding),
    ]
    return _Part(fields, encoded)


def _transfer_encoded(content: bytes, eight_bit: bool) -> tuple[str, bytes]:
    """The Content-Transfer-Encoding of a text with CR LF, and the encoded text."""
    if (eight_bit or content.isascii()) and _NEEDS_ENCODING.search(content) is None:
        return ("7bit" if content.isascii() else "8bit"), content
    escaped = len(content.translate(None, _NO_ESCAPE))
    base64_is_shorter = len(content) + 2 * escaped > 4 * -(-len(content) // 3)
    if base64_is_shorter or content.startswith(b"From ") or b"\nFrom " in content:
        return "base64", _base64(content)
    return "quoted-printable", binascii.b2a_qp(content)


def _base64(content: bytes) -> bytes:
    view = memoryview(content)
    lines = (
        binascii.b2a_base64(view[at : at + _BASE64_BYTES], newline=False)
        for at in range(0, len(content), _BASE64_BYTES)
    )
    return b"\r\n".join(lines) + b"\r\n"


def _file(file: Attachment) -> _Part:
    kind = file.content_type
    # base64 is forbidden for these types (RFC 2046, section 5.2.1), but keeps every byte.
    if kind.lower().startswith("message/"):
        kind = "application/octet-stream"
    disposition = "inline" if file.content_id else "attachment"
    fields = [
        ("Content-Type", kind),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"{disposition}; {_filename(file.filename)}"),
    ]
    if file.content_id:
        fields.append(("Content-ID", f"<{file.content_id}>"))
    return _Part(fields, _base64(file.content))


def _filename(name: str) -> str:
    """The parameter of a filename. With 255 bytes it fits into one line, so it has one section."""
    if _PLAIN.fullmatch(name) and "=?" not in name:
        return f"filename={_quoted(name)}"
    letters = (
        character if character.isascii() and character.isalnum() else f"%{byte:02X}"
        for character in name
        for byte in character.encode(errors="replace")
    )
    return f"filename*=utf-8''{''.join(letters)}"  # RFC 2231, section 4


def _entity(part: _Part) -> Entity:
    entity = Entity(_POLICY)
    for name, value in part.fields:
        entity[name] = value
    if isinstance(part.content, bytes):
        entity.set_payload(part.content.decode("ascii", "surrogateescape"))
    else:
        entity.set_payload([_entity(one) for one in part.content])
    return entity
