"""Generated messages with the parts, header fields and mistakes of programs that send mail.

``generated.py`` writes correct messages. These have repeated and empty fields, no or wrong
charsets, odd parameters, and structures that the API does not have.
"""

import base64
import itertools
import quopri
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

RECIPIENTS = ("one@example.net", "two@example.net", "hidden@example.net")
_LINE_END = b"\r\n"

_HEADERS = (
    *(b"X-Cron-Env: <SHELL=/bin/sh>", b"X-Cron-Env: <HOME=/root>", b"X-Empty:", b"Keywords: a"),
    *(b"Keywords: b", b"Received: by mx.example; now", b"Delivered-To: one@example.net"),
    *(b"Message-ID: <1@x.example>", b"Content-Language: en-US", b"Importance: High"),
    *(b"List-Unsubscribe: <http://x.example/u>", b"List-Unsubscribe: <mailto:u@x.example>"),
    *(b"Precedence: first-class", b"Sender: root@web1", b"Reply-To: <>", b"Return-Path: <>"),
    *(b"Reply-To: help@x.example, more@x.example", b"Errors-To: a@b.example", b"Status: RO"),
    *(b"Authentication-Results: mx.example; spf=none", b"X-Spam_Level: **", b"Mailing.List: x"),
    *(b"Disposition-Notification-To: a@b.example", b"User-Agent: x", b"Bcc: hidden@example.net"),
    *(b"X-Raw: Gr\xfc\xdfe", b"X-Words: =?x-none?q?a=FC?= =?utf-8?b?w7w?=", b"Organization: "),
)
# More than all fields may have together.
_LONG_FIELDS = [
    b"%s-%d: %s" % (name, number, b"=?utf-8?q?=09=FF?= " * number + b"x" * (1900 + number))
    for number in range(5)
    for name in (b"Alarm", b"X-Alarm")
]
_SENDERS = (
    *(b"root@web1", b"Cron <root@localhost>", b"app@example.com", b'"a@b.example" <c@d.example>'),
    *(
        b"Zo\xeb <z@x.example>",
        b"a@x.example, b@x.example",
        b"=?utf-8?q?Zo=C3=AB?= <z@[192.0.2.1]>",
    ),
    *(b"", b'"unbalanced <a@b.example>'),
)
_SUBJECTS = (
    *(b"A subject", b"", b" =?iso-8859-1?q?We=92ve?=", b"Gr\xfc\xdfe", "Grüße".encode()),
    *(b"=?utf-8?q?line=0D=0Aend?=", b"x" * 1200),
)
# The charset that a program declares, and the one that it uses.
_CHARSETS = (
    *((b"utf-8", "utf-8"), (b"", "utf-8"), (b"us-ascii", "cp1252"), (b"unknown-8bit", "cp1252")),
    *(
        (b"iso-8859-1", "cp1252"),
        (b"utf-8", "cp1252"),
        (b"UTF-8;", "utf-8"),
        (b'"koi8-r"', "koi8-r"),
    ),
    *((b"x-unknown", "utf-8"), (b"iso-2022-jp", "iso2022_jp"), (b"gb2312", "utf-8")),
)
_FILENAMES = (
    *("a.pdf", "two words.txt", "INV/2026/1.pdf", "C:\\x\\y.doc", " ", "", "n" * 300 + ".tar.gz"),
    *("zero\u200bwidth.txt", "\u202etxt.exe", "=?x-none?q?a?=", "日本.docx", "..", "a;b.bin"),
)
_TYPES = (
    *("application/pdf", "application/octet-stream; x=;", "image/png; name=", "pdf", "text/", "/"),
    *("application/zip;", "text/csv charset=utf-8", 'image/gif; "x"=y; a="\u00e9"', "audio/x-wav"),
    *("application/x-a; n*0=a; n*=b", "application/ms-tnef; a*=utf-8''%ff", "x" * 130 + "/y"),
)
_CONTENT_IDS = ("pic", "a b", "<pic@x>", "<ä&b>", "<" + "i" * 200 + ">", "pic", "")
_FIELDS = (
    *(b"Content-Description: The file", b"Content-Duration: 9", b"Content-Language: de"),
    *(b"Content-Features: x", b"Content-Location: a.png", b"X-Unix-Mode: 0644", b"Content-Class:"),
    *(b"Content-Description:", b"no field at all: x", b"Content-Location: http://x.example/"),
)


@dataclass
class Leaf:
    """A part of a message. ``word`` is in its content, and in no other.

    ``kind`` is where it belongs if nothing is changed: ``text``, ``html`` or ``file``.
    ``content_id`` has no angle brackets.
    """

    kind: str
    word: str
    content: bytes
    name: str | None = None
    content_id: str = ""


@dataclass
class RealMail:
    """A message as bytes, some fields of its header, and its parts in their order."""

    content: bytes = b""
    fields: list[bytes] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


def real_mail(random: Random) -> RealMail:
    """A random message."""
    return _Author(random).mail()


class _Author:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._mail = RealMail()
        self._numbers = itertools.count()

    def mail(self) -> RealMail:
        random = self._random
        entity = self._entity(depth=random.randrange(4))
        lines = random.sample(_HEADERS, random.randrange(8))
        lines += _LONG_FIELDS if random.random() < 0.1 else ()
        self._mail.fields = [*lines]
        lines += [b"From: " + random.choice(_SENDERS)] if random.random() < 0.9 else []
        lines += [b"Subject: " + random.choice(_SUBJECTS) for _ in range(random.randrange(3))]
        lines += [
            random.choice((b"To: one@example.net, x@y.example", b'To: "Two <two@example.net>'))
        ]
        lines += [b"Cc: Two <Two@Example.NET>"] * random.randrange(2)
        random.shuffle(lines)
        if random.random() < 0.1:
            lines.insert(0, b"From root@web1 Mon Nov 30 08:15:00 2026")
        self._mail.content = _LINE_END.join([*lines, entity])
        return self._mail

    def _entity(self, depth: int) -> bytes:
        make: tuple[Callable[[int], bytes], ...] = (self._multipart, self._multipart, self._leaf)
        return self._random.choice(make)(depth) if depth else self._leaf(depth)

    def _multipart(self, depth: int) -> bytes:
        random = self._random
        kinds = ("mixed", "mixed", "alternative", "alternative", "related", "report", "signed")
        kind = random.choice((*kinds, "digest", "parallel", "x-own"))
        boundary = b"b%d!" % next(self._numbers)
        head = b"Content-Type: multipart/%s; boundary=%s" % (kind.encode(), boundary)
        if random.random() < 0.1:
            head += b"\r\nContent-Transfer-Encoding: base64"
        inside = [
            self._message(b"") if kind == "digest" else self._entity(depth - 1)
            for _ in range(random.randrange(1, 4))
        ]
        parts = b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in inside)
        end = b"--%s--\r\n" % boundary if random.random() < 0.9 else b""
        return head + b"\r\n\r\n" + parts + end

    def _leaf(self, _: int) -> bytes:
        makes = (self._text, self._text, self._html, self._file, self._file, self._other)
        return self._random.choice(makes)()

    def _text(self) -> bytes:
        return self._body("text", b"text/plain", "Grüße\r\n" if self._random.random() < 0.5 else "")

    def _html(self) -> bytes:
        references = [name.strip("<>") for name in self._random.sample(_CONTENT_IDS, 2)]
        images = "".join(f'<img src="cid:{name}">' for name in references)
        return self._body("html", b"text/html", f"<p>ü</p>{images}")

    def _body(self, kind: str, full: bytes, more: str) -> bytes:
        declared, codec = self._random.choice(_CHARSETS)
        word = self._word()
        content = f"{word} {more}".encode(codec, "ignore")
        self._mail.leaves.append(Leaf(kind, word, content))
        head = b"Content-Type: " + full
        head += b"; charset=" + declared if declared or self._random.random() < 0.5 else b""
        return self._with_fields(head, content)

    def _file(self) -> bytes:
        random = self._random
        kind, word = random.choice(_TYPES), self._word()
        content = word.encode() + random.choice((b"", b"\x00\xff", b"\r\n.\r\nFrom x\r\n"))
        name = random.choice((None, *_FILENAMES))
        content_id = random.choice(_CONTENT_IDS) if random.random() < 0.4 else ""
        self._mail.leaves.append(Leaf("file", word, content, name, content_id.strip("<>")))
        head = b"Content-Type: " + kind.encode()
        disposition = random.choice((b"attachment", b"inline", b"ATTACHMENT"))
        head += b"\r\nContent-Disposition: " + disposition
        if name is not None:
            written = name.replace("\\", "\\\\").encode(random.choice(("utf-8", "gb18030")))
            head += b';\r\n filename="%s"' % written
        head += random.choice((b"", b";", b"; size=; ;"))
        if content_id:
            head += b"\r\nContent-ID: " + content_id.encode()
        return self._with_fields(head, content, is_file=True)

    def _other(self) -> bytes:
        random = self._random
        kinds = (
            *(b"text/calendar; method=REQUEST", b"text/x-amp-html", b"text/markdown"),
            *(b"text/enriched", b"message/delivery-status", b"application/pgp-signature"),
            *(b"text/rfc822-headers", b"message/external-body", b"application/pkcs7-signature"),
        )
        if random.random() < 0.3:
            return self._message(b"Content-Type: message/rfc822")
        word = self._word()
        self._mail.leaves.append(Leaf("file", word, word.encode()))
        return self._with_fields(b"Content-Type: " + random.choice(kinds), word.encode())

    def _message(self, head: bytes) -> bytes:
        word = self._word()
        subject = self._random.choice((b"Re: 1/2", b"", b"=?utf-8?q?=E2=80=8B?=", b"x" * 400))
        content = b"Subject: %s\r\n\r\n%s" % (subject, word.encode())
        self._mail.leaves.append(Leaf("file", word, content))
        return head + (b"\r\n\r\n" if head else b"\r\n") + content

    def _with_fields(self, head: bytes, content: bytes, *, is_file: bool = False) -> bytes:
        random = self._random
        ways = [b"base64", b"Base64", b'"base64"', b"base64; x=y", b"quoted-printable"]
        if not is_file or content.isascii():
            ways += [b"8bit", b"", b"x-unknown", b"7bit;", b"8 bit"] if b"\0" not in content else []
        way = random.choice(ways)
        body = content
        if b"base64" in way.lower():
            cut = random.choice((0, len(content) // 2))
            pieces = map(base64.b64encode, filter(None, (content[:cut], content[cut:])))
            body = b"\r\n".join(pieces)
            body += random.choice((b"", b"\r\n-- \r\nA list's footer!")) if body else b""
        elif way == b"quoted-printable":
            body = b"=0D=0A".join(
                quopri.encodestring(line, True) for line in content.split(b"\r\n")
            )
            body = body.replace(b"\n", b"\r\n")
        lines = [head, *random.sample(_FIELDS, random.randrange(3))]
        lines += [b"Content-Transfer-Encoding: " + way] * random.choice((1, 1, 1, 2)) if way else []
        return _LINE_END.join(lines) + b"\r\n\r\n" + body

    def _word(self) -> str:
        return f"word{next(self._numbers)}!"
