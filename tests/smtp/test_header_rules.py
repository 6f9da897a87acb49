"""The conversion of header fields and the envelope, and invalid messages."""

import contextlib
import json
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.convert import convert
from smtp_relay.message.errors import CannotRelay, Unsupported
from smtp_relay.message.header_text import decoded_words
from tests.measured import FACTOR, is_linear
from tests.smtp.test_conversion import body_of, converted

SENDER = "sender@example.com"  # the credential's address
MEBIBYTE = 1024 * 1024


def mail(*fields: str, text: str = "text") -> bytes:
    """A message to recipient@example.net with these additional ``fields``."""
    usual = ["To: recipient@example.net", "Subject: A subject"]
    return "\r\n".join([*usual, *fields, "", text]).encode()


def headers_of(*fields: str) -> dict[str, str]:
    headers: dict[str, str] = body_of(mail(*fields)).get("headers", {})
    return headers


def error_of(content: bytes, *, is_strict: bool = False) -> str:
    with pytest.raises(CannotRelay) as caught:
        converted(content, is_strict=is_strict)
    return str(caught.value)


def strict_error_of(content: bytes) -> str:
    """The error of a relay with SMTP_STRICT."""
    return error_of(content, is_strict=True)


# From, Sender and Reply-To


@pytest.mark.parametrize(
    ("fields", "name", "reply_to"),
    [
        ([], None, None),
        ([f"From: {SENDER}"], None, None),
        ([f"From: Me <{SENDER.upper()}>"], "Me", None),
        ([f'From: "{SENDER}" <{SENDER}>'], None, None),
        (["From: other@else.example"], None, [{"email": "other@else.example"}]),
        (["From: Me <me@else.example>"], "Me", [{"email": "me@else.example", "name": "Me"}]),
        (["From: root (Cron Daemon)"], "Cron Daemon", None),
        ([f"From: {SENDER} (Me (really))"], "Me (really)", None),
        (
            ["From: =?utf-8?q?Zo=C3=AB?= <a@else.example>", "Reply-To: b@x.example"],
            "Zoë",
            [{"email": "b@x.example"}],
        ),
        (['From: "Doe, \\"J\\"" <sender@example.com>'], 'Doe, "J"', None),
        ([f"From: Me <@route.example:{SENDER}>"], "Me", None),
        ([f"From: Me <{SENDER}>", f"Sender: {SENDER}"], "Me", None),
    ],
)
def test_display_name_and_reply_to(fields: list[str], name: str | None, reply_to: Any) -> None:
    body = body_of(mail(*fields))
    assert body.get("from_name") == name
    assert body.get("reply_to") == reply_to


def test_a_strict_relay_rejects_a_sender_other_than_from() -> None:
    assert "Sender" in strict_error_of(mail(f"From: {SENDER}", "Sender: agent@else.example"))


def test_a_strict_relay_rejects_two_senders() -> None:
    assert "From" in strict_error_of(mail("From: a@x.example, b@x.example"))
    assert "From" in strict_error_of(mail("From: a@x.example", "From: b@x.example"))


# Recipients


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Foo", None),
        ("<>", None),
        ("(x)", None),
        ("root (Cron)", "Cron"),
        ("A: b <x@y.example>", "b"),
        ("A: b <x@y.example>;", "b"),
    ],
)
def test_a_strict_relay_ignores_a_from_without_an_address_and_a_group(
    value: str, name: str | None
) -> None:
    body = json.loads(converted(mail(f"From: {value}"), is_strict=True).body)
    assert body.get("from_name") == name
    assert not {"headers", "adaptations"} & set(body)


def test_only_the_envelope_determines_the_recipients() -> None:
    content = mail(
        "Cc: Known <Cc@Example.NET>, stranger@else.example",
        "Bcc: secret@example.net, other-stranger@else.example",
    )
    envelope = ["hidden@example.net", "cc@example.net", "secret@example.net"]
    body = body_of(content, *envelope)
    assert "to" not in body
    assert body["cc"] == [{"email": "cc@example.net", "name": "Known"}]
    assert body["bcc"] == [{"email": "hidden@example.net"}, {"email": "secret@example.net"}]
    assert "stranger" not in str(body)


def test_groups_and_unknown_forms_of_domains() -> None:
    content = mail("To: Friends: a@x.example, Bee <b@bücher.example>;, undisclosed-recipients:;")
    body = body_of(content, "b@xn--bcher-kva.example", "a@x.example")
    assert body["to"] == [
        {"email": "a@x.example"},
        {"email": "b@xn--bcher-kva.example", "name": "Bee"},
    ]


def test_an_address_in_to_and_cc_stays_in_to() -> None:
    body = body_of(mail("Cc: recipient@example.net"))
    assert body["to"] == [{"email": "recipient@example.net"}]
    assert "cc" not in body


# Other fields


def test_fields_that_the_api_receives() -> None:
    sent = {
        "References": "<1@x> <2@x>",
        "In-Reply-To": "<2@x>",
        "List-Unsubscribe": "<https://example.com/u>",
        "Auto-Submitted": "auto-generated",
        "X-Mailer": "test",
    }
    assert headers_of(*(f"{name}: {value}" for name, value in sent.items())) == sent


def test_a_folded_and_encoded_field_is_one_line() -> None:
    assert headers_of("X-Long: one\r\n\ttwo\r\n  =?utf-8?b?w7w=?=") == {"X-Long": "one two  ü"}


def test_fields_of_the_transport_are_omitted() -> None:
    fields = ["Date", "Message-ID", "Received", "MIME-Version", "DKIM-Signature", "Return-Path"]
    original = {"X-Original-Message-ID": "x"}
    assert headers_of(*(f"{name}: x" for name in fields)) == original


@pytest.mark.parametrize("is_strict", [False, True])
def test_fields_of_mail_programs_are_renamed(is_strict: bool) -> None:
    content = mail("User-Agent: Mozilla Thunderbird", "Thread-Index: AdX")
    body = json.loads(converted(content, is_strict=is_strict).body)
    assert body["headers"] == {"X-User-Agent": "Mozilla Thunderbird", "Thread-Index": "AdX"}
    assert "adaptations" not in body


@pytest.mark.parametrize(
    "name", ["Subject", "Reply-To", "X-Twice", "Content-Type", "Message-ID", "Sender"]
)
def test_a_strict_relay_names_a_repeated_field(name: str) -> None:
    fields = [f"{name}: a@b.example"] * 2
    assert name.lower() in strict_error_of(mail(*fields)).lower()


@pytest.mark.parametrize("name", ["Keywords", "Comments", "X-Received"])
def test_a_strict_relay_rejects_a_repeatable_field(name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        converted(mail(f"{name}: a", f"{name}: b"), is_strict=True)


def test_a_strict_relay_names_a_field_with_invalid_text() -> None:
    assert "X-Raw" in strict_error_of(b"X-Raw: \xfc\r\n" + mail())
    assert "Subject" in strict_error_of(b"Subject: =?x-klingon?q?a?=\r\n\r\n")


def test_a_mail_loop_is_rejected() -> None:
    received = "Received: by a.example"
    assert "subject" in body_of(mail(*[received] * 30))
    assert "Mail loop" in error_of(mail(*[received] * 31))


# The idempotency key


def key_of(content: bytes, *recipients: str, sender: str = SENDER) -> str | None:
    to = recipients or ("recipient@example.net",)
    return convert(content, to, sender=sender, max_hops=30).key


def test_the_same_message_to_the_same_recipients_has_the_same_key() -> None:
    content = mail("Message-ID: <1@x>", "Date: today")
    key = key_of(content, "recipient@example.net", "b@x.example", "a@x.example")
    assert key is not None
    later = mail("Message-ID: <1@x>", "Date: tomorrow", "Received: by a.example")
    assert key_of(later, "a@x.example", "recipient@example.net", "b@x.example") == key
    others = [
        key_of(content),
        key_of(content, "recipient@example.net", "b@x.example"),
        key_of(content, sender="other@example.com"),
        key_of(mail("Message-ID: <2@x>")),
        key_of(mail("Message-ID: <1@x>", text="another text")),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_without_a_message_id_there_is_no_key() -> None:
    assert key_of(mail()) is None


def test_the_longest_key_and_the_second_name_of_a_key() -> None:
    assert key_of(mail(f"Idempotency-Key: {'x' * 256}")) == "x" * 256
    assert key_of(mail("Idempotency-Key: ", "Resend-Idempotency-Key: b")) == "b"
    assert key_of(mail("Idempotency-Key: a", "Resend-Idempotency-Key: b")) == "a"


@pytest.mark.parametrize("name", ["<>", "none", "(no id)", "<@localhost>", "<1>", "<1@>", "1@x"])
def test_a_value_that_is_no_message_id_gives_no_key(name: str) -> None:
    assert key_of(mail(f"Message-ID: {name}")) is None


@pytest.mark.parametrize("name", ["(of a) <1@x>", "<a b@x> (c)", '<"1"@x>', "<1@[192.0.2.7]>"])
def test_a_message_id_with_comments_gives_a_key(name: str) -> None:
    assert key_of(mail(f"Message-ID: {name}")) is not None


@pytest.mark.parametrize("name", ["Idempotency-Key", "resend-idempotency-key"])
def test_the_clients_own_key_takes_precedence(name: str) -> None:
    content = mail("Message-ID: <1@x>", f"{name}: my key")
    assert key_of(content) == "my key"
    assert body_of(content)["headers"] == {"X-Original-Message-ID": "<1@x>"}


def test_a_strict_relay_rejects_a_key_that_is_invalid_in_http() -> None:
    assert key_of(mail("Idempotency-Key: =?utf-8?q?_two_words_?=")) == "two words"
    content = mail("Message-ID: <1@x>", "Idempotency-Key: ")
    assert strict_error_of(content) == "Idempotency-Key is empty"
    error = strict_error_of(mail("Idempotency-Key: =?utf-8?q?a=0D=0AX-Evil:_b?="))
    assert error == "Idempotency-Key contains a control character"


# The header of a part


def with_part(*fields: str, kind: str = "text/plain", sub: str = "mixed") -> bytes:
    """A message whose first part has this ``kind`` and these header ``fields``."""
    lines = [f"Content-Type: multipart/{sub}; boundary=b", "", "--b", f"Content-Type: {kind}"]
    return b"Subject: x\r\n" + "\r\n".join([*lines, *fields, "", "text", "--b--"]).encode()


@pytest.mark.parametrize(
    ("field", "kind", "sub"),
    [
        ("Content-Base: https://example.com/", "text/html", "mixed"),
        ("Content-Features: (color=binary)", "image/png", "mixed"),
        ("Content-Location: https://example.com/", "text/html", "related"),
        ("Content-Location: https://example.com/\r\nContent-ID: <a@b>", "text/html", "related"),
        ("Content-Location: image.png", "image/png", "mixed"),
        ("Content-Description: A view of the sea", "image/png", "mixed"),
    ],
)
def test_fields_of_a_part_that_are_left_out(field: str, kind: str, sub: str) -> None:
    name = field.partition(":")[0]
    content = with_part(field, kind=kind, sub=sub)
    assert f"Part 1: {name} is not supported" == strict_error_of(content)
    assert converted(content).adaptations.sentences() == [f"Part 1: {name} left out"]


def test_fields_of_a_part_that_are_ignored() -> None:
    marks = [
        *("X-Unix-Mode: 0644", "X-Apple-Part-Url: A@B", "X-Attachment-Id: f_1"),
        *("MIME-Version: 1.0", "Content-Language: en-US"),
        *("Content-Class: urn:content-classes:message", "Content-ID: <part1@test>"),
    ]
    assert body_of(with_part(*marks, "Content-Description: Mail message body"))["text"] == "text"
    named = 'Content-Disposition: attachment; filename="a b.png"'
    image = with_part(
        *marks, named, "Content-Description: a b.png", "Content-Location: a.png", kind="image/png"
    )
    (attachment,) = body_of(image)["attachments"]
    # The message says that it is attached. With a content id, the API would show it inline.
    assert (attachment["filename"], "content_id" in attachment) == ("a b.png", False)
    assert headers_of("Content-Language: en-US") == {"Content-Language": "en-US"}


# Bodies


def test_a_message_with_only_attachments_gets_an_empty_line() -> None:
    body = body_of(mail("Content-Type: application/pdf", text="%PDF"))
    assert body["text"] == "\r\n"
    assert body["attachments"][0]["filename"] == "part-1.pdf"


def test_an_empty_message_gets_an_empty_line() -> None:
    request = converted(mail(text=""))
    assert json.loads(request.body)["text"] == "\r\n"
    assert request.adaptations.sentences() == []
    strict = converted(mail(text=""), is_strict=True)
    assert json.loads(strict.body)["text"] == ""  # The API rejects it.


def test_a_strict_relay_attaches_a_second_text() -> None:
    parts = [
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "--b\r\n\r\nthe text\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>a footer</p>\r\n--b--",
    ]
    content = b"Subject: x\r\n" + "\r\n".join(parts).encode()
    body = json.loads(converted(content, is_strict=True).body)
    assert (body["text"], body.get("html")) == ("the text", None)
    assert body["attachments"][0]["filename"] == "part-2.html"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"X-A: x\r\n\r\na\nb", "contains a bare LF"),
        (b"X-A: x\r\n\r\na\rb", "contains a bare CR"),
        (b"X-A: x\r\n\r\na\0b", "contains a NUL"),
        (b"Content-Type: multipart/mixed\r\n\r\n--\r\n", "no boundary"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", "does not occur"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--", "no parts"),
        (b"Content-Transfer-Encoding: base64\r\n\r\n!", "not base64"),
        (b"Content-Transfer-Encoding: uuencode\r\n\r\nabc\r\nend", "not uuencoded"),
        (b"Content-Transfer-Encoding: x-uue\r\n\r\nbegin 644 a\r\n#86)C\r\n", "not uuencoded"),
        (b"Content-Transfer-Encoding: uue\r\n\r\nbegin 644 a\r\n!~~~~", "not uuencoded"),
    ],
)
def test_the_error_names_the_problem_of_an_invalid_mail(content: bytes, problem: str) -> None:
    assert problem in error_of(content)
    assert problem in strict_error_of(b"Subject: x\r\n" + content)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no field\r\n\r\n", "not a header field"),
        (b"Content-Type: nonsense\r\n\r\n", "not a media type: nonsense"),
        (b"Content-Type: a/b; name*=utf-8''\xe4\xb8\xad\r\n\r\n", "Content-Type can't be read"),
        (b"Content-Type: text/plain; charset=ascii\r\n\r\n\xff", "invalid in its charset"),
    ],
)
def test_a_strict_relay_rejects_an_invalid_mail(content: bytes, problem: str) -> None:
    content = b"Subject: x\r\n" + content
    assert problem in strict_error_of(content)
    assert converted(content).adaptations.sentences() != []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a\nb", "Line 1 contains a bare LF"),
        (b"\r\na: b\rc", "Line 2 contains a bare CR"),
        (b"a: b\r\n\r\n\0", "Line 3 contains a NUL"),
    ],
)
def test_the_error_names_the_line_with_a_character_that_is_not_allowed(
    content: bytes, problem: str
) -> None:
    assert error_of(content) == problem


# Messages that could take long to convert

_HEAD = b"To: recipient@example.net\r\nSubject: x\r\n"


def _nested(depth: int) -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return _HEAD + b"".join(head % (level, level) for level in range(depth))


def test_nested_parts() -> None:
    assert body_of(_nested(10) + b"\r\ntext")["text"] == "text"
    assert "10 levels" in error_of(_nested(11) + b"\r\ntext")


_PART = b"\r\n\r\nx\r\n--b\r\n"
_MIXED = b"Content-Type: multipart/mixed; boundary=b"


def _with_headers(size: int) -> bytes:
    """A message whose headers, with those of all parts, have ``size`` bytes."""
    last = size - len(_MIXED) - 500_000
    headers = [b"X-A: ".ljust(size, b"a") for size in (*[100_000] * 5, last)]
    return _PART.join([_MIXED, b"", *headers]) + b"\r\n\r\n"


def _with_boundary(size: int) -> bytes:
    boundary = b"b" * size
    head = b"Content-Type: multipart/mixed; boundary=" + boundary
    return head + b"\r\n\r\n--" + boundary + b"\r\n\r\ntext"


def _split_characters(size: int) -> str:
    """Encoded words of which each but the last ends within a character, after ``size`` bytes."""
    begin = f"=?utf-8?q?{'a' * (size - 2047)}=E2?= "
    return begin + "=?utf-8?q?=82=AC=E2?= " * 682 + "=?utf-8?q?=82=AC?="


def test_split_characters_have_a_maximum_size() -> None:
    expected = "a" + "€" * 683
    assert (
        decoded_words(_split_characters(2048), "Subject", Adaptations(is_strict=True)) == expected
    )
    with pytest.raises(CannotRelay, match="Subject"):
        decoded_words(_split_characters(2049), "Subject", Adaptations(is_strict=True))
    noted = Adaptations()
    text = decoded_words(_split_characters(2049), "Subject", noted)
    assert text.count("€") == len(expected) - 2
    assert noted.sentences() == ["Subject: bytes invalid in its charset replaced"]


@pytest.mark.parametrize(
    ("of_size", "largest", "problem"),
    [
        (
            lambda size: b"Received: ".ljust(size, b"a") + b"\r\n\r\n",
            524_288,
            "The headers of all parts have more than 524288 bytes",
        ),
        (_with_headers, 524_288, "The headers of all parts have more than 524288 bytes"),
        (
            lambda size: _MIXED + _PART + b"A:\r\n" * (size - 1) + b"\r\n",
            10_000,
            "The headers have more than 10000 fields",
        ),
        (
            lambda size: b"A:\r\nno field: b\r\n" * 4999 + b"A:\r\n" * (size - 9998) + b"\r\n",
            10_000,
            "The headers have more than 10000 fields",
        ),
        (_with_boundary, 200, "the multipart has no boundary"),
        (lambda size: _MIXED + _PART * (size - 1), 1000, "more than 1000 parts"),
    ],
)
def test_a_header_or_a_multipart_has_a_maximum_size(
    of_size: Callable[[int], bytes], largest: int, problem: str
) -> None:
    assert "text" in body_of(of_size(largest))
    assert problem in error_of(of_size(largest + 1))


def test_no_mail_takes_much_memory() -> None:
    content = _nested(10) + b"\r\n" + b"x" * (5 * MEBIBYTE)
    tracemalloc.start()
    try:
        converted(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 80 * MEBIBYTE


@pytest.mark.parametrize(
    "make",
    [
        lambda size: _nested(size // 60),
        lambda size: _nested(9) + b"\r\n" + b"--b\r\n" * (size // 5),
        lambda size: (
            _HEAD
            + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            + b"--b\r\n\r\nx\r\n" * (size // 10)
        ),
        lambda size: _HEAD + b"X-A: b\r\n" * (size // 8),
        lambda size: _HEAD + b"To: " + b'<"' * (size // 2),
        lambda size: _HEAD + b"To: " + b"(" * (size // 52),
        lambda size: _HEAD + b"X-A: " + b"=?utf-8?q?=E4?= " * (size // 700) + b"\r\n\r\n",
        lambda size: _HEAD + b"Content-Type: a/b" + b';a="b;c' * (size // 5300) + b"\r\n\r\n",
        lambda size: _HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b" " * size,
        lambda size: (
            _HEAD
            + b"Content-Transfer-Encoding: uuencode\r\n\r\nbegin \r\n"
            + b" \r\n" * (size // 3)
        ),
    ],
)
def test_no_mail_takes_long(make: Callable[[int], bytes]) -> None:
    def run(size: int) -> None:
        with contextlib.suppress(CannotRelay):
            converted(make(size))

    size = 5 * MEBIBYTE
    assert is_linear(partial(run, size // FACTOR), partial(run, size))


# Filenames


@pytest.mark.parametrize("encoded_first", [True, False])
def test_the_encoded_filename_takes_precedence(encoded_first: bool) -> None:
    names = [
        'filename="Angebot fr Mller.pdf"',
        "filename*=UTF-8''Angebot%20f%C3%BCr%20M%C3%BCller.pdf",
    ]
    if encoded_first:
        names.reverse()
    disposition = "; ".join(["Content-Disposition: attachment", *names])
    body = body_of(mail("Content-Type: application/pdf", disposition))
    assert [file["filename"] for file in body["attachments"]] == ["Angebot für Müller.pdf"]
