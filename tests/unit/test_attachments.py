"""Attachments: unchanged bytes, and every error with its field."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ApiError
from mail.attachments import read_attachments
from mail.fields import AttachmentField
from mail.message import Attachment


def field(**changes: Any) -> AttachmentField:
    return AttachmentField(**{"filename": "a.txt", "content": "SGVsbG8=", **changes})


def read(**changes: Any) -> Attachment:
    (attachment,) = read_attachments([field(**changes)])
    return attachment


def rejected(*fields: AttachmentField) -> tuple[str, str]:
    """The code and the field of the error."""
    with pytest.raises(ApiError) as caught:
        read_attachments(list(fields))
    (error,) = caught.value.errors
    assert error.code == caught.value.code
    return error.code, error.field


def test_a_file_is_decoded() -> None:
    assert read() == Attachment(
        filename="a.txt",
        content_type="text/plain",
        size=5,
        content=b"Hello",
        sha256=hashlib.sha256(b"Hello").hexdigest(),
    )
    assert read_attachments(None) == read_attachments([]) == ()


@given(content=st.binary(), line=st.integers(1, 100), padded=st.booleans())
def test_every_byte_is_decoded_unchanged(content: bytes, line: int, padded: bool) -> None:
    text = base64.b64encode(content).decode()
    text = text if padded else text.rstrip("=")
    folded = "\r\n".join(text[start : start + line] for start in range(0, len(text), line))
    assert read(content=text).content == read(content=folded + "\n").content == content


def test_a_file_may_be_empty() -> None:
    assert read(content="").content == b""


@pytest.mark.parametrize(
    "content",
    [
        *("a", "aaaaa", "aaa=aaaa", "aa==aa==", "aa=", "=", "====", "aaaa=", "aaaa====", "a==="),
        *("aa aa", "aaa\t", "-_-_", "aaa!", "äaaa", "aaaa\x00", "aaaa\u2028", "\ud800aaa", "{}"),
    ],
)
def test_invalid_base64_is_rejected(content: str) -> None:
    assert rejected(field(), field(content=content)) == (
        "attachment_content_invalid",
        "attachments[1].content",
    )


@pytest.mark.parametrize("content", ["data:text/plain;base64,SGVsbG8=", "DATA:,Hello"])
def test_a_data_url_has_its_own_error_code(content: str) -> None:
    assert rejected(field(content=content))[0] == "attachment_content_is_data_url"


@pytest.mark.parametrize(
    ("member", "problem", "value"),
    [
        ("content", "missing", None),
        *(("filename", "missing", name) for name in (None, "", " ")),
        *(("filename", "invalid", name) for name in ("../a", "C:\\a", "a\r\nb", "a\ud800")),
        *(("filename", "invalid", name) for name in ("a\u202efdp.exe", "=?utf-8?q?a=2Eexe?=")),
        *(("filename", "too_long", name) for name in ("a" * 256, "é" * 128)),
        *(("content_type", "invalid", kind) for kind in ("", "text", "text/", "a/b\r\nX: y")),
        *(("content_type", "invalid", kind) for kind in ("a/b; c", "a/é", "a/" + "b" * 254)),
        *(("content_type", "refused", kind) for kind in ("multipart/mixed", "Message/Partial")),
        *(
            ("content_id", "invalid", id)
            for id in ("", "<>", "a b", "<a><b>", "é", "a\n", "a" * 129, f"<{'a' * 129}>")
        ),
    ],
)
def test_an_invalid_field_is_named(member: str, problem: str, value: Any) -> None:
    code = f"attachment_{member}_{problem}"
    assert rejected(field(**{member: value})) == (code, f"attachments[0].{member}")


@pytest.mark.parametrize(
    "name", ["Grüße 😀.pdf", "a, b;c (1).txt", '"a".txt', "a" * 255, "é" * 127 + "a"]
)
def test_other_names_are_accepted(name: str) -> None:
    assert read(filename=name).filename == name


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("a.PDF", "application/pdf"),
        ("a.b.png", "image/png"),
        ("a.unheard-of", "application/octet-stream"),
        ("pdf.", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ],
)
def test_a_type_is_guessed_from_the_name(filename: str, content_type: str) -> None:
    assert read(filename=filename).content_type == content_type


@pytest.mark.parametrize(
    "content_type",
    [
        "text/calendar; method=REQUEST; charset=utf-8",
        'text/plain;charset="utf-8"; a="b\\"c; d"',
        "application/vnd.a+b.c-d_e",
        "message/rfc822",
        "a/" + "b" * 253,
    ],
)
def test_a_given_type_is_not_changed(content_type: str) -> None:
    assert read(content_type=content_type).content_type == content_type


def test_a_content_id_may_be_in_angle_brackets() -> None:
    assert read(content_id="<logo@example.org>").content_id == "logo@example.org"
    assert read(content_id="a" * 128).content_id == "a" * 128
    assert read(content_id=f"<{'a' * 128}>").content_id == "a" * 128


def test_a_content_id_is_unique() -> None:
    files = (field(content_id="a"), field(content_id="A"), field(), field(content_id="<a>"))
    assert rejected(*files) == ("attachment_content_id_repeated", "attachments[3].content_id")


def test_a_message_may_have_a_hundred_attachments() -> None:
    assert len(read_attachments([field()] * 100)) == 100
    assert rejected(*[field()] * 101) == ("attachments_too_many", "attachments")
