"""The time and the memory of hostile messages of the maximum size: reading, and conversion.

Each input is the worst one known for a parser. With most of them, a quadratic step takes minutes.
The time is compared with that of a message of a quarter of the size, not with a clock: a busy
machine slows both.
"""

import asyncio
import contextlib
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import pytest

from smtp_relay.data import MessageRejected, read_mail
from smtp_relay.memory import MessageMemory
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay
from smtp_relay.metrics import Metrics
from tests.measured import FACTOR, is_linear

MAX_BYTES = 5 * 1024 * 1024
# The conversion holds the message, a body, its text (up to four bytes per character), and the JSON.
MAX_COPIES = 11

MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


class Size(NamedTuple):
    """The bytes of a message, of its header and of a field in a part, and the number of parts."""

    message: int = MAX_BYTES
    header: int = 500 * 1024
    field: int = 8000
    parts: int = 999


FULL = Size()
PART = Size(*(number // FACTOR for number in FULL))


def filled(pattern: bytes, size: int) -> bytes:
    return pattern * (size // len(pattern)) or pattern[:size]


def with_field(size: Size, name: str, pattern: bytes, before: bytes = b"") -> bytes:
    start = name.encode() + b": " + before
    return start + filled(pattern, size.header - len(start)) + b"\r\n\r\ntext\r\n"


def with_name(size: Size, name: str, pattern: bytes) -> bytes:
    start = name.encode() + b': "'
    end = b'" <a@b.example>\r\n\r\ntext\r\n'
    return start + filled(pattern, size.header - len(start) - len(end)) + end


def with_fields(size: Size, pattern: bytes) -> bytes:
    most = 9_900 * size.header // FULL.header  # a message has at most 10,000 fields
    count = min(size.header // (len(pattern) + 4), most)
    return b"".join(pattern % number for number in range(count)) + b"\r\ntext\r\n"


def with_body(size: Size, kind: str, encoding: str, pattern: bytes, before: bytes = b"") -> bytes:
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    return head + before + filled(pattern, size.message - len(head) - len(before))


def with_parts(field: bytes, count: int, body: bytes = b"x") -> bytes:
    part = b"--b\r\n%s\r\n\r\n%s\r\n" % (field, body)
    return MULTIPART + part * min(count, (MAX_BYTES - len(MULTIPART)) // len(part))


def nested(size: Size, levels: int, pattern: bytes) -> bytes:
    content = b"\r\n" + filled(pattern, size.message - 200 * levels)
    for level in range(levels):
        head = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        content = head + content + b"\r\n--b%d--\r\n" % level
    return content


def header_of(size: Size, pattern: bytes) -> bytes:
    return filled(pattern, size.header) + b"\r\n\r\ntext"


def broken_header(size: Size, pattern: bytes) -> bytes:
    head = b"From: a@b.c\r\n\xff\r\n"
    return head + filled(pattern, size.message - len(head))


def uuencoded(size: Size, kind: str, pattern: bytes) -> bytes:
    lines = filled(pattern, size.message - 200)
    return with_body(size, kind, "x-uuencode", b"end\r\n", b"begin 644 a\r\n" + lines)


def related(size: Size, content_id: bytes) -> bytes:
    head = b"Content-Type: multipart/related; boundary=b; start=x\r\n\r\n"
    return head + b"--b\r\nContent-ID: <%s>\r\n\r\nx\r\n" % content_id * size.parts


def multipart(size: Size, pattern: bytes, boundary: bytes = b"b") -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=" + boundary + b"\r\n\r\n"
    return head + filled(pattern, size.message - len(head))


def inputs(size: Size) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, pattern in {
        "words without an end": b"=?a?q? ",
        "folded words without an end": b"=?a?q? \r\n ",
        "word starts": b"=?",
        "words with a control character": b"=?a?q?\x01?=",
        "words": b"=?utf-8?q?a?= ",
        "split characters": b"=?utf-8?b?4g==?= =?utf-8?b?gqzi?= =?utf-8?b?gqw=?= ",
        "characters that are always split": b"=?utf-8?b?gqzi?= ",
        "split characters of a slow charset": b"=?gb18030?b?gTCB?= ",
        "words of many charsets": b"=?utf-8?q?a?= =?koi8-r?q?b?= ",
        "ISO-2022-JP in US-ASCII": b"=?us-ascii?q?=1B$B0!?= ",
    }.items():
        yield f"Subject: {name}", partial(with_field, size, "Subject", pattern)
        yield f"To: {name}", partial(with_field, size, "To", pattern, b'"')
        field = b"Content-ID: " + filled(pattern, size.field * 5 // 8)
        yield f"Content-ID: {name}", partial(with_parts, field, 100)
        field = b"Content-Description: " + filled(pattern, size.header)
        yield f"Content-Description: {name}", partial(with_parts, field, 4)
    for name, pattern in {
        "comments": b"(",
        "empty comments": b"()",
        "quotes": b'"',
        "escapes": b'"\\\\',
        "angles": b"<",
        "quotes in angles": b'<"',
        "mailboxes": b"a@b.c,",
        "groups": b"a:b@c.d;",
        "other scripts": "a@\u00fc.de,".encode(),
        "almost encoded words": b"=?a?q?,",
        "escape sequences": b"\x1b$B",
        "one long domain": "\ufdfa".encode(),
    }.items():
        for header in ("To", "Reply-To"):
            before = b"a@" if name == "one long domain" else b""
            yield f"{header}: {name}", partial(with_field, size, header, pattern, before)
    for name, pattern in {
        "joiners": "\u0646\u200c".encode(),
        "joined emoji": "\U0001f469\u200d".encode(),
        "combining characters": "\u0646\u064b\u200c".encode(),
        "hidden characters": "\u200b".encode(),
        "at signs": b"a @ . ",
        "double encoding": b"=?a?q?",
        "raw bytes": b"\xff",
    }.items():
        for header in ("From", "To"):
            yield f"{header}: name of {name}", partial(with_name, size, header, pattern)
    for header, pattern in (
        ("From", b"a,"),
        ("From", b"a:"),
        ("List-Unsubscribe", b"<"),
        ("List-Unsubscribe", b"("),
        ("List-Unsubscribe", b"<https://a.example>,"),
        ("List-Unsubscribe", b"<https://a.example> ("),
        ("References", b"<>"),
        ("References", b"<1@x> "),
        ("Precedence", b"bulk;"),
        ("X-A", b"=?utf-8?q?=0A?= "),
        ("X-A", b"=?utf-8?b?!?="),
        ("X-A", b"=?x?q?=FF?="),
    ):
        yield f"{header}: {pattern.decode()}", partial(with_field, size, header, pattern)
    for name, pattern in {
        "one name": b"X-A: %d\r\n",
        "many names": b"X-%d: a\r\n",
        "other names": b"A%d: a\r\n",
        "dots": b"%d" + b"." * 60 + b": a\r\n",
        "From": b"From: a%d@b.example\r\n",
        "Reply-To": b"Reply-To: a%d@b\r\n",
        "Subject": b"Subject: %d\r\n",
    }.items():
        yield f"fields: {name}", partial(with_fields, size, pattern)
    for name, pattern in {
        "semicolons": b";",
        "an open quote": b'; a="' + b";" * 7900,
        "quotes": b';"',
        "continuations": b"".join(b"; n*%d=a" % number for number in range(size.field // 10)),
        "percent signs": b"; n*=utf-8''%41",
        "an endless number": b"; a*" + b"9" * 4900 + b"=x",
    }.items():
        for start in (b"Content-Type: text/plain", b"Content-Disposition: attachment"):
            field = start + filled(pattern, size.field)
            yield f"{start.decode()}: {name}", partial(with_parts, field, 60)
            field = start + filled(pattern, size.header - len(start))
            yield f"{start.decode()}: many {name}", partial(with_parts, field, 4)
    long_id = filled(b"=?utf-8?q?a?= ", 5100)
    yield "the start of a multipart/related", partial(related, size, long_id)
    for name, pattern in {
        "fields": b"A:\r\n",
        "folds": b"A:\r\n b\r\n",
        "blank lines": b" \r\n ",
        "Received": b"Received: a\r\n",
    }.items():
        yield f"header: {name}", partial(header_of, size, pattern)
        yield f"headers of parts: {name}", partial(with_parts, filled(pattern, size.header), 39)
        yield (
            f"headers of many parts: {name}",
            partial(with_parts, filled(pattern, 5200), size.parts),
        )
    for kind in ("text/plain", "application/octet-stream"):
        for name, pattern in {
            "blanks": b" ",
            "blank lines": b" \r\n",
            "long blanks": b" " * 60_000 + b"x\r\n",
            "soft line ends": b"=\r\n",
            "escapes": b"=4",
        }.items():
            yield (
                f"{kind}: quoted-printable {name}",
                partial(with_body, size, kind, "quoted-printable", pattern),
            )
        for name, pattern in {"signs": b"=", "spaces": b"AAAA ", "lines": b"AAAA\r\n"}.items():
            yield f"{kind}: base64 {name}", partial(with_body, size, kind, "base64", pattern)
        for name, pattern in {
            "empty lines": b"\r\n",
            "lines": b"#0V%T\r\n",
            "short lines": b"M\r\n",
        }.items():
            yield f"{kind}: uuencode {name}", partial(uuencoded, size, kind, pattern)
            yield (
                f"{kind}: uuencode {name}, no begin",
                partial(with_body, size, kind, "x-uuencode", pattern),
            )
    for charset, pattern in {
        "utf-8": "\U0001f600\x01".encode(),
        "utf-16": b"\x01\x00",
        "utf-7": b"+AAA-",
        "iso-2022-jp": b"\x1b$B",
        "hz": b"~{",
        "gb18030": b"\x810\x810",
        "punycode": b"a-99999999",
        "idna": b"xn--a.",
        "us-ascii": b"\xff",
    }.items():
        yield (
            f"charset {charset}",
            partial(with_body, size, f"text/html; charset={charset}", "8bit", pattern),
        )
    yield (
        "one character outside Latin-1",
        partial(
            with_body, size, "text/plain; charset=utf-8", "8bit", b"\x01", "\U0001f600".encode()
        ),
    )
    for name, pattern in {
        "almost fields": b"x:\r\n\xff:\r\n",
        "names of hidden fields": b"bcc",
        "lines with names of hidden fields": b"bcc\r\n",
        "almost hidden fields": b"original",
    }.items():
        yield f"broken header: {name}", partial(broken_header, size, pattern)
    for name, pattern in {
        "delimiters": b"--b\r\n",
        "almost delimiters": b"--bx\r\n",
        "delimiters with blanks": b"--b" + b" " * 60_000 + b"x\r\n",
        "empty parts": b"--b\r\n\r\n\r\n",
        "a preamble": b"x",
        "dashes": b"\r\n--",
        "other delimiters": b"--x\r\n",
        "other delimiters that are too long": b"--" + b"x" * 201 + b"\r\nContent-A:\r\n",
        "other parts": b"--x\r\nContent-A: b\r\n\r\n\r\n",
    }.items():
        yield f"multipart: {name}", partial(multipart, size, pattern)
    almost = b"\r\n" + b"-" * 200
    yield "multipart: a long boundary", partial(multipart, size, almost, b"-" * 199)
    for levels in (10, 11):
        yield f"{levels} levels", partial(nested, size, levels, b"--b\r\n")
    field = b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64"
    yield "attachments", partial(with_parts, field, size.parts, b"QUFB" * 1200)
    yield "one attachment", partial(with_parts, field, 1, b"QUFB" * (size.message * 62 // 250))
    yield from lenient_inputs(size)


def shown(size: Size, pattern: bytes) -> bytes:
    """HTML full of references, beside files whose Content-IDs have to be changed."""
    head = (
        b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    )
    file = b"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <%d b>\r\n%s\r\n\r\nx"
    attached = b"Content-Disposition: attachment"
    files = b"".join(file % (number, field) for number, field in enumerate((b"", attached) * 200))
    return head + filled(pattern, size.message - len(head) - len(files)) + files


def many_parts(size: Size, sub: bytes, kind: bytes) -> bytes:
    content = with_parts(b"Content-Type: " + kind, size.parts, b"x<\r\n" * 1000)
    return content.replace(b"mixed", sub, 1)


def lenient_inputs(size: Size) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Inputs for what only a relay that is not strict reads."""
    for name, pattern in {
        "references": b'"cid:1 b"',
        "references without an end": b"(cid:",
        "quoted references without an end": b'"cid:' + b"x" * 1999,
        "bare references": b"cid:",
        "one reference": b"(cid:" + b"x" * (size.message // 2),
        "one quoted reference": b'"cid:' + b"cid:" * (size.message // 8),
        "entities": b'"cid:&amp;%20&#32;"',
    }.items():
        yield f"HTML: {name}", partial(shown, size, pattern)
    for name, pattern in {
        "no fields": b"X Y: a\r\nX: a\r\n",
        "folded lines that are no fields": b"X: a\r\nX Y: a\r\n b\r\n",
        "lines without a colon": b"X: a\r\nb\r\n",
    }.items():
        yield f"header: {name}", partial(header_of, size, pattern)
    for name, pattern in {"lines": b"b\r\n", "one line": b"b", "colons": b"b c:\r\n"}.items():
        yield f"a message without a header: {name}", partial(filled, pattern, size.message)
    flowed = "text/plain; format=flowed; delsp=yes"
    for name, pattern in {"lines": b"a \r\n", "quotations": b"> \r\n", "marks": b">"}.items():
        yield f"flowed {name}", partial(with_body, size, flowed, "8bit", pattern)
    for name, pattern, before in (
        ("a footer", b"-", b"QUFB\r\n"),
        ("more base64", b"QUFB", b"QQ==\r\n"),
        ("spaces", b" ", b"QUFB\r\n-"),
        ("empty lines", b"\r\n", b"QUFB-"),
        ("short pieces", b"QQ==", b""),
        ("lines of pieces", b"QUE=\r\n", b""),
        ("short lines", b"QUFB\r\n", b"QUFB\r\n-\r\n"),
        ("dashes", b"-- ", b"QUFB"),
        ("another alphabet", b"-A_A", b""),
        ("one other character", b"QUFB", b"QUFB!"),
    ):
        yield (
            f"base64 and {name}",
            partial(with_body, size, "text/plain", "base64", pattern, before),
        )
    for kind in (b"text/plain", b"text/html", b"message/rfc822", b"text/calendar", b"a"):
        for sub in (b"mixed", b"alternative"):
            yield f"{sub.decode()} of {kind.decode()}", partial(many_parts, size, sub, kind)
    html = b"--b\r\nContent-Type: text/html\r\n\r\nx\r\n" * 2
    text = b"--b\r\nContent-Type: text/plain\r\n\r\n"
    yield (
        "a text joined to HTML",
        lambda: MULTIPART + html + text + filled(b"<", size.message - 200),
    )
    for charset, pattern in {
        "iso-2022-jp": b"\x1b$B-!-!-!",
        "ISO-2022-JP": b"\x1b$B/!\x1b(B\xff",
        "Iso-2022-Jp": b"a\xff",
        "iso-2022-JP": b"\x1b\x1b(",
        "x-none": b"\xff",
        "UTF-8": b"\xff",
        "UTF-7": b"+2AA-",
        "UTF-16": b"\x00\xd8",
    }.items():
        yield (
            f"characters outside {charset}",
            partial(with_body, size, f"text/plain; charset={charset}", "8bit", pattern),
        )
    names = b"Content-Disposition: attachment; filename=" + filled(b"/a", size.field)
    yield "filenames", partial(with_parts, names, 60)


INPUTS = dict(inputs(FULL))
SMALLER = dict(inputs(PART))


def result(content: bytes) -> Request | str:
    try:
        return convert(content, ["a@b.c"], sender="sender@example.com", max_hops=30)
    except CannotRelay as error:
        return str(error)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.slow
def test_time(name: str) -> None:
    content = INPUTS[name]()
    assert len(content) <= MAX_BYTES
    assert is_linear(partial(result, SMALLER[name]()), partial(result, content))


@pytest.mark.slow  # counting each allocation takes ten seconds an input
@pytest.mark.parametrize("name", INPUTS)
def test_memory(name: str) -> None:
    content = INPUTS[name]()
    tracemalloc.start()
    try:
        result(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_COPIES * MAX_BYTES


async def read(content: bytes) -> None:
    """Read a message that arrives in pieces, as from a client."""
    reader = asyncio.StreamReader()
    memory = MessageMemory(100 * MAX_BYTES, Metrics(), connections=1).reserve("a@example.com")
    reading = asyncio.create_task(read_mail(reader, max_bytes=MAX_BYTES, reservation=memory))
    for start in range(0, len(content), 16_384):
        reader.feed_data(content[start : start + 16_384])
        await asyncio.sleep(0)
    reader.feed_data(b"\r\n.\r\n")
    with contextlib.suppress(MessageRejected):
        await reading


@pytest.mark.parametrize(
    "pattern",
    [b"x", b"\r", b"\r\n", b"\r\n.", b"\r\n..", b"\r\n.\r", b"\n.\n", b"x" * 65_536 + b"\r\n"],
)
@pytest.mark.parametrize("times", [1, 4])
def test_time_of_reading(pattern: bytes, times: int) -> None:
    """Also of a message that is four times as long as the relay accepts."""

    def run(size: int) -> None:
        asyncio.run(read(filled(pattern, size)))

    assert is_linear(partial(run, times * PART.message), partial(run, times * FULL.message))
