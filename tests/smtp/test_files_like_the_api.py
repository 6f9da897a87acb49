"""The relay and the API judge attachments alike: filenames, types and content ids."""

from typing import Any
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from errors import BadRequest
from mail.attachments import read_attachments
from mail.fields import AttachmentField
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.entity import read_entity
from smtp_relay.message.errors import CannotRelay
from smtp_relay.message.parts import read_content
from smtp_relay.message.rules.filenames import accepted

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    "/\\\0\x85\u200b\u200d\u202e\ufeff=?q._ é"
)
NAMES = st.text(CHARACTERS, max_size=40) | st.text(CHARACTERS, min_size=200, max_size=300)
VALUES = st.text(st.sampled_from("abc/;=\"\\ *'%()<>@é\t?&") | CHARACTERS, max_size=60)
IDS = VALUES | st.text(st.characters(max_codepoint=0x7E), min_size=120, max_size=140)


def is_accepted(name: str = "a.txt", kind: str | None = None, cid: str | None = None) -> bool:
    """Whether the API accepts an attachment with these members."""
    file = AttachmentField(filename=name, content_type=kind, content="", content_id=cid)
    try:
        read_attachments([file])
    except BadRequest:
        return False
    return True


@given(NAMES)
@example("a" * 300)
@example("名" * 100 + ".txt")
@example("INV/2026/1.pdf")
@example("=?utf-8?q?a?=")
@example("=?x?=.pdf")
def test_filenames(name: str) -> None:
    new = accepted(name)
    assert is_accepted(new) == bool(new.strip())
    if is_accepted(name):
        assert new == name


@given(NAMES)
@example("\u2003")
@example(".\u3000.")
def test_each_file_gets_a_name_that_the_api_accepts(name: str) -> None:
    disposition = f"Content-Disposition: attachment; filename*=utf-8''{quote(name, safe='')}"
    (file,) = attachments_of(f"{disposition}\r\n\r\nx".encode())
    assert is_accepted(file["filename"])


def attachments_of(content: bytes, *, is_strict: bool = False) -> list[dict[str, Any]]:
    entity = read_entity(content, Adaptations(is_strict=is_strict))
    attachments: list[dict[str, Any]] = read_content(entity)["attachments"]
    return attachments


def types_of(attachments: list[dict[str, Any]]) -> list[str]:
    return [file["content_type"] for file in attachments]


def header(name: str, value: str) -> bytes:
    text = value.replace("\r", " ").replace("\n", " ")
    return f"{name}: {text}\r\n".encode()


@given(VALUES)
@example("a/b; c=" + "d" * 300)
@example("x" * 300 + "/y")
@example("text/html charset=utf-8")
@example('image/png; a="é"; b=c; ;')
@example("text/plain; a=")
def test_types(value: str) -> None:
    disposition = b"Content-Disposition: attachment\r\n"
    content = header("Content-Type", value) + disposition + b"\r\nx"
    if value.strip().lower().startswith(("multipart/", "message/")):
        return
    for kind in types_of(attachments_of(content)):
        assert is_accepted(kind=kind)
    # What a strict relay passes on unchanged is accepted or not, but never adapted.
    try:
        strict = attachments_of(content, is_strict=True)
    except CannotRelay:
        return
    # The API accepts empty parameters, but the relay leaves them out.
    if all(is_accepted(kind=kind) and '=""' not in kind for kind in types_of(strict)):
        assert strict == attachments_of(content)


@given(IDS)
@example("a b")
@example("<ä&b>")
@example("i" * 129)
def test_content_ids(value: str) -> None:
    content = b"Content-Type: image/png\r\nContent-ID: <" + value.encode() + b">\r\n\r\nx"
    if "\r" in value or "\n" in value:
        return
    (file,) = attachments_of(content)
    new = file.get("content_id")
    assert new is None or is_accepted(cid=new)
    if value and "=?" not in value and "\t" not in value and is_accepted(cid=f"<{value}>"):
        assert new == value
