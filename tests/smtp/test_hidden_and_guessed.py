"""Rules of the relay at their boundaries: hidden recipients, guessed boundaries and charsets."""

import json
from typing import Any

import pytest

from smtp_relay.message.charsets import from_windows_1252, guessed
from smtp_relay.message.convert import convert
from smtp_relay.message.errors import CannotRelay
from smtp_relay.message.iso_2022_jp import decode_iso_2022_jp
from smtp_relay.message.rules.inline import MAX_TEXTS_IN_HTML, Text, _as_html, those_html_can_show

TO = "recipient@example.net"


def body_of(content: str | bytes, *to: str) -> dict[str, Any]:
    """The request for a message, as a dictionary."""
    encoded = content if isinstance(content, bytes) else content.encode()
    envelope = [*(to or [TO])]
    request = convert(encoded, envelope, sender="a@example.com", max_hops=30, is_strict=False)
    body: dict[str, Any] = json.loads(request.body)
    return body


# Hidden recipients

WITH_TO, WITH_CC = f"To: {TO}\r\nSubject: a\r\n", f"Cc: {TO}\r\nSubject: a\r\n"
HIDDEN, ALSO = "hidden@example.net", "also@example.net"


@pytest.mark.parametrize(
    ("header", "to", "is_hidden"),
    [
        (WITH_TO, (TO, HIDDEN), True),
        (WITH_CC, (TO, HIDDEN), True),
        (WITH_TO, (TO, HIDDEN, ALSO), True),
        ("Subject: a\r\n", (HIDDEN, ALSO), True),
        ("Subject: a\r\n", (HIDDEN,), False),  # who gets the mail alone knows it
        (WITH_TO, (HIDDEN,), False),
        (f"To: {TO}, {HIDDEN}\r\nSubject: a\r\n", (TO, HIDDEN), False),
    ],
)
def test_nothing_names_a_hidden_recipient(
    header: str, to: tuple[str, ...], *, is_hidden: bool
) -> None:
    body = body_of(f"{header}X-Other: for {HIDDEN}\r\n\r\ntext", *to)
    assert ("X-Other" not in body.get("headers", {})) == is_hidden
    assert (HIDDEN in json.dumps({**body, "to": None, "cc": None, "bcc": None})) != is_hidden
    broken = f"{header}words about {HIDDEN}\r\n\r\ntext"
    if not is_hidden:
        assert HIDDEN in body_of(broken, *to)["text"]
        return
    with pytest.raises(CannotRelay, match="would show hidden recipients"):
        body_of(broken, *to)


def test_the_rest_of_a_field_that_names_hidden_recipients_is_no_text() -> None:
    for fields in (f"{WITH_TO}Bcc: a@b.example\r\n", f"Bcc: a@b.example\r\n{WITH_TO}Bcc: c\r\n"):
        with pytest.raises(CannotRelay, match="would show hidden recipients"):
            body_of(f"{fields}words\r\n\r\ntext")
    assert body_of(f"Bcc: a@b.example\r\n{WITH_TO}words\r\n\r\ntext")["text"].startswith("words")


# Guesses


def test_a_boundary_is_guessed_from_the_first_line_of_the_multipart() -> None:
    part = "Content-Type: text/plain\r\n\r\nfirst"
    kind = "Content-Type: multipart/mixed; boundary=wrong\r\n\r\n"
    assert body_of(f"{WITH_TO}{kind}--a\r\n{part}\r\n--a--\r\n")["text"].strip() == "first"
    inner = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + part
    nested = body_of(f"{WITH_TO}{kind}--a\r\n{inner}\r\n--b--\r\n--a\r\n{part}\r\n--a--\r\n")
    assert "boundary" not in nested["text"]
    assert nested["text"].count("first") == 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\x1b(Bb", ("a\x1b(Bb", "UTF-8")),  # selects no Japanese characters
        ("é\x1b$B0!".encode(), ("é\x1b$B0!", "UTF-8")),
        (b"a\x1b$B0!\x1b(Bb", ("a亜b", "ISO-2022-JP")),
        (b"\xff\x1b$B0!", (from_windows_1252(b"\xff\x1b$B0!"), "windows-1252")),
    ],
)
def test_what_is_read_as_iso_2022_jp(content: bytes, expected: tuple[str, str]) -> None:
    assert guessed(content) == expected


@pytest.mark.parametrize(
    ("pair", "character"),
    [
        *((b"-_", "㍻"), (b"-`", "〝"), (b"y!", "纊"), (b"y_", "﨏"), (b"y`", "\ufa10")),
        *((b"z!", "忞"), (b"z~", "犱"), (b"|n", "黑")),
    ],
)
def test_a_character_that_windows_adds(pair: bytes, character: str) -> None:
    assert decode_iso_2022_jp(b"\x1b$B" + pair + b"\x1b(B") == character


# Texts


def test_the_texts_of_an_html_text_have_a_limit() -> None:
    html, long = Text(html="<p>a</p>"), Text("a" * MAX_TEXTS_IN_HTML)
    around = len(_as_html(Text("a"))) - 1
    fits = Text("a" * (MAX_TEXTS_IN_HTML - around))
    assert those_html_can_show([html, fits]) == ([html, fits], [])
    for longer in (Text((fits.text or "") + "a"), long):
        assert those_html_can_show([html, longer, html]) == ([html, html], [longer])
    half = Text("a" * (MAX_TEXTS_IN_HTML // 2 - around))
    assert those_html_can_show([html, half, half]) == ([html, half, half], [])
    assert those_html_can_show([html, half, half, Text("a")])[1] == [Text("a")]


# Alternatives


def part(kind: str, content: str, *fields: str) -> str:
    return "\r\n".join([f"Content-Type: {kind}", *fields, "", content])


def multipart(kind: str, boundary: str, *parts: str) -> str:
    inside = "".join(f"--{boundary}\r\n{one}\r\n" for one in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n{inside}--{boundary}--\r\n"


def names(entity: str) -> list[str]:
    """The names of the files of a message."""
    return [file["filename"] for file in body_of(WITH_TO + entity).get("attachments", ())]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (part("text/html", "<p>html</p>"), []),
        (part("text/html", " "), ["part-2.txt"]),
        (
            part("text/html", "<p>html</p>", "Content-Disposition: attachment; filename=a.html"),
            ["a.html", "part-2.txt"],
        ),
    ],
)
def test_an_alternative_is_left_out_if_a_displayed_text_has_its_content(
    beside: str, expected: list[str]
) -> None:
    other = part("text/x-amp-html", "<p>amp</p>")
    assert names(multipart("alternative", "a", beside, other)) == expected


def test_a_text_that_becomes_a_file_gives_its_name_to_no_other() -> None:
    long = "a" * (MAX_TEXTS_IN_HTML + 1)
    invitation = multipart("alternative", "b", part("text/calendar; method=REQUEST", long))
    texts = (part("text/html", "<p>html</p>"), part("text/plain", long))
    assert names(multipart("mixed", "a", *texts, invitation)) == ["invite.ics"]


@pytest.mark.parametrize(
    ("bytes_more", "name"), [(0, "abc.eml"), (1, "ab.eml"), (9, "message.eml")]
)
def test_the_subject_of_an_attached_message_is_within_its_first_64_kib(
    bytes_more: int, name: str
) -> None:
    subject = "Subject: abc"
    lines, last = divmod(64 * 1024 + bytes_more - len(subject), 100)
    padding = [
        "X-Long: ".ljust(size - 2, "a") + "\r\n" for size in (*[100] * (lines - 1), 100 + last)
    ]
    message = f"{''.join(padding)}{subject}\r\n\r\nbody"
    attached = part("message/rfc822", message)
    assert names(multipart("mixed", "a", part("text/plain", "text"), attached)) == [name]
