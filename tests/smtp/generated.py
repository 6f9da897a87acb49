"""Generated messages: from one line of text to nested parts, in many charsets.

They are built from bytes, without the package ``email``, so they can include forms that it never
writes.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

_ASCII = "The quick brown fox. jumps = over_the \t lazy? dog, 0123456789 (just so)"

# Names of charsets as programs write them, and a text for each.
CHARSETS = {
    "us-ascii": _ASCII,
    "utf-8": _ASCII + "Grüße, 你好, Привет, שלום, 😀 €",
    "UTF-8": "ÅÄÖåäö ñ ¿ ß ﬁ ∑ 🇺🇳 e\u0301",
    "iso-8859-1": _ASCII + "Grüße à Zoë ¿ñ? £¥§",
    "ISO-8859-2": "Žluťoučký kůň úpěl ďábelské ódy",
    "iso-8859-5": "Съешь ещё этих мягких булок",
    "iso-8859-7": "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "iso-8859-8-i": "שלום עולם",
    "iso-8859-9": "Pijamalı hasta yağız şoföre",
    "ISO-8859-15": "Le cœur déçu, 5 €",
    "windows-1250": "Příliš žluťoučký „kůň“",
    "windows-1251": "Широкая электрификация “южных”",
    "Windows-1252": "“Smart quotes” – and €100…",
    "windows-1253": "Αθήνα, 10 €",
    "windows-1255": "שלום ₪",
    "windows-1256": "مرحبا بالعالم",
    "windows-1258": "Tiêng Viêt €",
    "koi8-r": "Привет, мир",
    "KOI8-U": "Привіт, світе, ґ",
    "ibm850": "Déjà vu ½ ½",
    "macintosh": "Größe † ƒ",
    "shift_jis": "日本語のテキスト、カタカナ",
    "Shift_JIS": "表示能力ソ",
    "euc-jp": "日本語のテキスト",
    "ISO-2022-JP": "日本語のテキスト",
    "gb2312": "你好，世界",
    "GBK": "你好，世界，镕",
    "gb18030": "你好，世界，𠀀",
    "big5": "你好，世界",
    "euc-kr": "안녕하세요",
    "ks_c_5601-1987": "안녕하세요",
    "iso-2022-kr": "안녕하세요",
    "tis-620": "สวัสดี",
    "utf-16": "Grüße, 你好 😀",
    "utf-16le": "Grüße, 你好",
    "utf-32": "Grüße 😀",
    "utf-7": "Grüße, 你好",
}
# Python's names of charsets, where they differ.
_CODECS = {"iso-8859-8-i": "iso-8859-8", "macintosh": "mac_roman", "gb2312": "gb2312"}

TYPES = (
    "application/pdf",
    "application/octet-stream",
    "application/ms-tnef",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/png",
    "image/svg+xml",
    "audio/mpeg",
    "text/csv",
    "text/calendar",
    "text/x-patch",
    "font/woff2",
)
_FILENAMES = (
    "report.pdf",
    "two words.txt",
    'quo"ted.bin',
    "comma, semi; colon.dat",
    "Grüße.pdf",
    "日本語 ファイル.docx",
    "😀.png",
    "a" * 120 + ".bin",
    "名" * 60 + ".txt",
    "winmail.dat",
    "no_ending",
    "it's 100%.txt",
)


@dataclass
class File:
    """An expected attachment. ``name`` is None if the message gives it none."""

    name: str | None
    kind: str
    content_id: str | None
    content: bytes


@dataclass
class Mail:
    """A message as bytes, and its content.

    ``error`` is a part of the reply with which a strict relay rejects it.
    """

    content: bytes = b""
    subject: str = ""
    text: str | None = None
    html: str | None = None
    files: list[File] = field(default_factory=list)
    error: str | None = None


def generated(seed: int) -> Mail:
    """A random message. Equal seeds give equal messages."""
    return _Author(Random(seed)).mail()


class _Author:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._mail = Mail()

    def mail(self) -> Mail:
        choose = self._random.random()
        if choose < 0.12:
            entity = self._body("")
        elif choose < 0.15:
            entity = self._file("", inline=False)
        else:
            entity = self._mixed("", depth=self._random.randrange(4))
        if self._random.random() < 0.12:
            entity = self._unsupported(entity)
        header, subject = self._header()
        self._mail.subject = subject
        self._mail.content = header + entity
        return self._mail

    # Header fields

    def _header(self) -> tuple[bytes, str]:
        field, subject = self._text_field()
        lines = [
            b"From: Sender <sender@example.com>",
            b"To: Recipient <recipient@example.net>",
            b"Subject:" + field,
            b"MIME-Version: 1.0",
            b"Received: from somewhere\r\n\tby somewhere; else",
        ]
        self._random.shuffle(lines)
        return b"\r\n".join(lines) + b"\r\n", subject

    def _text_field(self) -> tuple[bytes, str]:
        """The bytes after the colon of a folded header field, and the text that they mean."""
        way = self._random.choice(("plain", "utf8", "words", "cut"))
        if way == "plain":
            words = [f"word{self._random.randrange(1000)}" for _ in range(12)]
            return b" " + b"\r\n ".join(w.encode() for w in words), " ".join(words)
        if way == "utf8":
            return " Grüße\r\n\t你好 😀".encode(), "Grüße 你好 😀"
        charset = self._random.choice([name for name in CHARSETS if name not in ("utf-7",)])
        text = CHARSETS[charset].replace("\t", " ").strip()
        if way == "cut" and charset.lower() == "utf-8":
            whole = text.encode()
            cuts = [whole[i : i + 7] for i in range(0, len(whole), 7)]  # may split a character
            words_ = [_encoded_word(charset, cut, self._random.choice("BQ")) for cut in cuts]
        else:
            cuts_ = [text[i : i + 8] for i in range(0, len(text), 8)]
            words_ = [
                _encoded_word(charset, _encode(cut, charset), self._random.choice("BbQq"))
                for cut in cuts_
            ]
        fold = self._random.choice((b"\r\n ", b"\r\n\t", b" ", b"\r\n   "))
        return b" " + fold.join(words_), text

    # Parts

    def _mixed(self, number: str, depth: int) -> bytes:
        numbers = _numbers(number)
        inside = [self._nested(next(numbers), depth - 1) if depth else self._body(next(numbers))]
        for _ in range(self._random.randrange(4)):
            inside.append(self._file(next(numbers), inline=False))
        return self._multipart("mixed", inside)

    def _nested(self, number: str, depth: int) -> bytes:
        return self._mixed(number, depth) if self._random.random() < 0.6 else self._body(number)

    def _body(self, number: str) -> bytes:
        make: tuple[Callable[[str], bytes], ...] = (
            self._plain,
            self._html,
            self._alternative,
            self._alternative,
            self._related,
        )
        return self._random.choice(make)(number)

    def _plain(self, number: str) -> bytes:
        entity, self._mail.text = self._text("plain", number)
        return entity

    def _html(self, number: str) -> bytes:
        entity, self._mail.html = self._text("html", number)
        return entity

    def _alternative(self, number: str) -> bytes:
        numbers = _numbers(number)
        inside = [self._plain(next(numbers))]
        second = next(numbers)
        inside.append(self._related(second) if self._random.random() < 0.5 else self._html(second))
        return self._multipart("alternative", inside)

    def _related(self, number: str) -> bytes:
        numbers = _numbers(number)
        inside = [self._html(next(numbers))]
        for _ in range(self._random.randrange(3)):
            inside.append(self._file(next(numbers), inline=True))
        return self._multipart("related", inside, b'; type="text/html"')

    def _multipart(self, kind: str, inside: list[bytes], more: bytes = b"") -> bytes:
        boundary = self._random.choice(
            (
                b"=_%d" % self._random.getrandbits(60),
                b"a'()+_,-./:=?%d" % self._random.getrandbits(40),
                b"--%d--" % self._random.getrandbits(40),
                b"b %d" % self._random.getrandbits(40),
            )
        )
        head = b'Content-Type: multipart/%s%s;\r\n boundary="%s"\r\n\r\n'
        preamble = self._random.choice((b"", b"This is a multi-part message.\r\n", b"\r\n"))
        parts = b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in inside)
        epilogue = self._random.choice((b"", b"\r\n", b"\r\nepilogue\r\n"))
        end = b"--%s--" % boundary
        return head % (kind.encode(), more, boundary) + preamble + parts + end + epilogue

    def _text(self, sub: str, number: str) -> tuple[bytes, str]:
        charset = self._random.choice(list(CHARSETS))
        line = CHARSETS[charset]
        lines = [line[: self._random.randrange(len(line) + 1)] for _ in range(4)]
        text = "\r\n".join([*lines, line, ""])
        if sub == "html":
            text = "<p>" + text + "</p>"
        content = _encode(text, charset)
        name = charset if self._random.random() < 0.5 else f'"{charset}"'
        if charset in ("us-ascii",) and self._random.random() < 0.3:
            kind = f"Content-Type: text/{sub}\r\n"
        else:
            kind = f"Content-Type: text/{sub}; charset={name}\r\n"
        return kind.encode() + self._encoded(content, number), text

    def _file(self, number: str, *, inline: bool) -> bytes:
        kind = self._random.choice(TYPES)
        content = self._random.choice(
            (
                b"",
                self._random.randbytes(self._random.randrange(3000)),
                b"a,b\r\n1,2\r\n",
                b"\0" * 100,
                b"no line end",
                b"--\r\n.\r\n..\r\nFrom \r\n",
            )
        )
        name = None if self._random.random() < 0.1 else self._random.choice(_FILENAMES)
        content_id = f"{self._random.getrandbits(40)}.x@example" if inline else None
        parameters = self._random.choice(("", "; charset=koi8-r", '; x-a="b c"'))
        lines = [f"Content-Type: {kind}{parameters}".encode()]
        disposition = b"Content-Disposition: " + (b"inline" if inline else b"attachment")
        if name is None:
            lines.append(disposition)
        elif self._random.random() < 0.15:
            lines[0] += b";\r\n name=" + _quoted_words(name)
            lines.append(disposition)
        else:
            lines.append(disposition + b";" + self._filename(name))
        if content_id:
            lines.append(f"Content-ID: <{content_id}>".encode())
        self._random.shuffle(lines)
        self._mail.files.append(File(name, kind + parameters, content_id, content))
        return b"\r\n".join(lines) + b"\r\n" + self._encoded(content, number)

    def _filename(self, name: str) -> bytes:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        ways = [
            _extended(name),
            _continued(name),
            b" filename=" + _quoted_words(name),
            f'\r\n filename="{quoted}"'.encode(),
        ]
        return self._random.choice(ways)

    def _encoded(self, content: bytes, number: str) -> bytes:
        """The Content-Transfer-Encoding, the empty line, and the content."""
        ways = ["base64", "BASE64", "x-uuencode"]
        # A message ends with a line end. In a message without parts (``number`` is empty), it
        # belongs to the content. Only base64 and uuencode can encode a content without it.
        is_whole = bool(number) or content.endswith(b"\r\n")
        if is_whole:
            ways.append("quoted-printable")
        if is_whole and _can_stand_as_it_is(content):
            ways += ["8bit", "8bit", "binary"] + (["7bit", ""] if content.isascii() else [])
        way = self._random.choice(ways)
        body = content
        if way.lower() == "base64":
            digits = base64.b64encode(content)
            width = self._random.choice((4, 60, 76, 998))
            body = b"\r\n".join(digits[i : i + width] for i in range(0, len(digits), width))
        elif way == "quoted-printable":
            body = _quoted_printable(content)
        elif way == "x-uuencode":
            pieces = [content[i : i + 45] for i in range(0, len(content), 45)]
            lines = [binascii.b2a_uu(piece).rstrip(b"\n") for piece in pieces]
            body = b"\r\n".join([b"begin 644 file", *lines, b"`", b"end", b""])
        field_ = f"Content-Transfer-Encoding: {way}\r\n" if way else ""
        return field_.encode() + b"\r\n" + body

    # Parts that are not supported

    def _unsupported(self, entity: bytes) -> bytes:
        inner = b"Content-Type: %s\r\n\r\nSubject: inner\r\n\r\ntext"
        calendar = b"Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
        text = b"Content-Type: text/plain\r\n\r\ntext"
        ways: tuple[tuple[bytes, str], ...] = (
            (
                self._multipart("mixed", [entity, inner % b"message/rfc822"]),
                "Part 2: message/rfc822",
            ),
            (
                self._multipart("mixed", [text, inner % b"message/external-body"]),
                "Part 2: message/external-body",
            ),
            (self._multipart("alternative", [text, calendar]), "Part 2: text/calendar"),
            (
                self._multipart("report", [text, inner % b"message/delivery-status"]),
                "multipart/report",
            ),
            (self._multipart("signed", [entity, text]), "multipart/signed"),
            (self._multipart("digest", [inner % b"message/rfc822"]), "multipart/digest"),
            (
                self._multipart("mixed", [b"Content-Transfer-Encoding: x-yenc\r\n\r\n=y"]),
                "Part 1: unknown Content-Transfer-Encoding: x-yenc",
            ),
            (
                self._multipart("mixed", [b"Content-Type: text/plain; charset=x-klingon\r\n\r\nq"]),
                "Part 1: the text has an unknown charset, 'x-klingon'",
            ),
        )
        chosen, self._mail.error = self._random.choice(ways)
        return chosen


def _numbers(number: str) -> Iterator[str]:
    count = 0
    while True:
        count += 1
        yield f"{number}.{count}" if number else str(count)


def _encode(text: str, charset: str) -> bytes:
    return text.encode(_CODECS.get(charset, charset))


def _encoded_word(charset: str, content: bytes, encoding: str) -> bytes:
    if encoding in "Bb":
        body = base64.b64encode(content)
    else:
        body = b"".join(
            b"_"
            if byte == 0x20
            else b"%c" % byte
            if chr(byte).isalnum() and byte < 128
            else b"=%02X" % byte
            for byte in content
        )
    return b"=?%s?%s?%s?=" % (charset.encode(), encoding.encode(), body)


def _quoted_words(name: str) -> bytes:
    """Encoded words in quotes: RFC 2047 forbids them, but many programs write them."""
    if name.isascii() and '"' not in name:
        return f'"{name}"'.encode()
    return b'"' + _encoded_word("utf-8", name.encode(), "B") + b'"'


def _extended(name: str) -> bytes:
    return b"\r\n\tfilename*=UTF-8''" + quote(name, safe="").encode()


def _continued(name: str) -> bytes:
    text = quote(name, safe="")
    pieces = re.findall(r"(?:%..|[^%]){1,20}", text)
    lines = [f"\r\n filename*{index}*={piece}" for index, piece in enumerate(pieces)]
    lines[0] = lines[0].replace("*0*=", "*0*=utf-8'en'")
    return ";".join(lines).encode()


def _can_stand_as_it_is(content: bytes) -> bool:
    lines = content.split(b"\r\n")
    return all(
        len(line) <= 998 and not re.search(rb"[\r\n\0]", line) and not line.startswith(b"--")
        for line in lines
    )


def _quoted_printable(content: bytes) -> bytes:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", content):  # no text, so encode line ends too
        body = b"".join(b"=%02X" % byte for byte in content)
        return b"=\r\n".join(body[i : i + 72] for i in range(0, len(body), 72))
    lines = content.split(b"\r\n")
    return b"\r\n".join(
        quopri.encodestring(line, quotetabs=True).replace(b"\n", b"\r\n") for line in lines
    )
