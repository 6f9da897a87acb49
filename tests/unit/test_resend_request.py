"""A mail in Resend's format: the message made of it, and every rejection."""

from typing import Any

import msgspec
import pytest

from accounts.credentials import Credential
from errors import ApiError, Forbidden, InvalidInput
from handlers.resend.request import check_batchable, message_of
from handlers.resend.types import NewEmail
from mail.compose import SenderPolicy
from mail.message import Message
from tests.unit.given import ME, NOW
from web.body import decode_json

OWNER = Credential(ME, 1, 0)
POLICY = SenderPolicy(("example.com",), ())


def email(**fields: Any) -> NewEmail:
    """A mail with other ``fields``; ``sender`` is its ``from``, and None omits a field."""
    posted = {"from": ME, "to": "you@example.org", "subject": "Hello", "text": "Hi", **fields}
    if "sender" in posted:
        posted["from"] = posted.pop("sender")
    return decoded({name: value for name, value in posted.items() if value is not None})


def decoded(posted: dict[str, Any]) -> NewEmail:
    return decode_json(msgspec.json.encode(posted), msgspec.json.Decoder(NewEmail))


def message(path: str = "", **fields: Any) -> Message:
    return message_of(email(**fields), OWNER, POLICY, path=path)


def rejected(path: str = "", **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        message(path, **fields)
    return caught.value


def invalid_fields(error: ApiError) -> list[str]:
    return [one.field for one in error.errors]


def test_every_field_of_resend_is_accepted() -> None:
    whole = message(
        sender="Me, Myself <ME@example.com>".replace(",", ""),
        to=["you@example.org", "They <they@example.org>"],
        cc="cc@example.org",
        bcc=["bcc@example.org"],
        reply_to=["answers@example.org"],
        subject="Hello",
        text="Hi",
        html="<p>Hi</p>",
        headers={"X-Ref": "1"},
        attachments=[{"filename": "a.txt", "content": "aGk=", "content_type": "text/plain"}],
        tags=[{"name": "kind", "value": "welcome"}],
        scheduled_at="2026-11-04T12:00:00Z",
    )
    assert (str(whole.sender), whole.sender_name) == (ME, "Me Myself")
    assert [(to.kind, str(to.address), to.name) for to in whole.recipients] == [
        ("to", "you@example.org", None),
        ("to", "they@example.org", "They"),
        ("cc", "cc@example.org", None),
        ("bcc", "bcc@example.org", None),
    ]
    assert whole.reply_to is not None
    assert str(whole.reply_to.address) == "answers@example.org"
    assert (whole.text, whole.html) == ("Hi", "<p>Hi</p>")
    assert [(header.name, header.value) for header in whole.headers] == [("X-Ref", "1")]
    assert [(file.filename, file.content) for file in whole.attachments] == [("a.txt", b"hi")]
    assert [(tag.name, tag.value) for tag in whole.tags] == [("kind", "welcome")]
    assert whole.scheduled_at == NOW + 86_400_000


def test_null_means_a_missing_field_for_the_node_sdk() -> None:
    nothing = dict.fromkeys(
        ("cc", "reply_to", "headers", "attachments", "tags", "scheduled_at", "topic_id", "template")
    )
    posted = {"from": ME, "to": "you@example.org", "subject": "Hello", "text": "Hi", **nothing}
    assert message_of(decoded(posted), OWNER, POLICY) == message()


@pytest.mark.parametrize("content", [[], [0], list(range(256)), list(b"\xff\x00" * 1000)])
def test_the_python_sdk_may_send_content_as_a_list_of_bytes(content: list[int]) -> None:
    (file,) = message(attachments=[{"filename": "a.bin", "content": content}]).attachments
    assert file.content == bytes(content)


@pytest.mark.parametrize("byte", [-1, 256, 1.5, "a", None])
def test_a_list_of_other_values_is_rejected(byte: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        email(attachments=[{"filename": "a.bin", "content": [0, byte]}])
    assert invalid_fields(caught.value) == ["attachments[0].content[1]"]


@pytest.mark.parametrize("name", ["content_id", "inline_content_id"])
def test_an_inline_file_may_use_either_name_for_its_content_id(name: str) -> None:
    (file,) = message(
        attachments=[{"filename": "a.png", "content": "aGk=", name: "logo"}]
    ).attachments
    assert file.content_id == "logo"


@pytest.mark.parametrize(
    "sender",
    [ME, f"Anybody <{ME}>", f"<{ME}>", "ME@Example.COM", {"email": ME, "name": "A"}],
    ids=str,
)
def test_the_sender_is_the_owner_of_the_key_with_any_name(sender: Any) -> None:
    assert str(message(sender=sender).sender) == ME


@pytest.mark.parametrize(
    "sender", ["other@example.com", "me@example.org", "Me <me+x@example.com>"], ids=str
)
def test_only_the_owner_of_the_key_may_be_the_sender(sender: str) -> None:
    error = rejected(sender=sender)
    assert isinstance(error, Forbidden)
    assert (error.code, invalid_fields(error)) == ("from_not_own", ["from"])


@pytest.mark.parametrize("sender", ["", "me", "Me", "a@example.com, me@example.com", "<>"])
def test_a_sender_must_be_a_mailbox(sender: str) -> None:
    error = rejected(sender=sender)
    assert (error.code, invalid_fields(error)) == ("invalid_from", ["from"])


def test_an_invalid_sender_name_is_an_error_of_from() -> None:
    error = rejected("[2].", sender=f'"boss@example.net" <{ME}>')
    assert error.code == "display_name_shows_address"
    assert invalid_fields(error) == ["[2].from"]


def test_a_mail_without_content_lacks_its_html() -> None:
    error = rejected(text=None)
    assert (error.code, invalid_fields(error)) == ("content_empty", ["html"])


def test_all_missing_fields_are_named_together() -> None:
    error = rejected("[1].", sender=None, to=None, subject=None)
    assert error.code == "required_field_missing"
    assert invalid_fields(error) == ["[1].from", "[1].to", "[1].subject"]


def test_an_empty_list_is_no_recipient() -> None:
    assert invalid_fields(rejected(to=[])) == ["to"]


@pytest.mark.parametrize(
    ("posted", "code", "field"),
    [
        ({"template": {"id": "t"}}, "template_unsupported", "template"),
        ({"topic_id": "t"}, "topic_unsupported", "topic_id"),
        (
            {"attachments": [{"filename": "a", "path": "https://example.com/a"}]},
            "attachment_path_unsupported",
            "attachments[0].path",
        ),
    ],
)
def test_unsupported_fields_are_rejected(posted: dict[str, Any], code: str, field: str) -> None:
    error = rejected("[4].", **posted)
    assert (error.code, invalid_fields(error)) == (code, [f"[4].{field}"])


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"replyTo": "a@example.org"}, "replyTo"),
        ({"attachments": [{"filename": "a", "contentId": "x"}]}, "attachments[0].contentId"),
    ],
)
def test_an_unknown_field_is_rejected(posted: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match="unknown_field") as caught:
        email(**posted)
    assert invalid_fields(caught.value) == [field]


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"attachments": [{"filename": "a", "content": ""}]}, "attachments"),
        ({"scheduled_at": "2026-11-04T12:00:00Z"}, "scheduled_at"),
    ],
)
def test_a_batch_takes_no_attachments_and_no_schedules(posted: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_batchable(email(**posted), "[7].")
    assert invalid_fields(caught.value) == [f"[7].{field}"]


def test_an_empty_list_of_attachments_is_accepted() -> None:
    check_batchable(email(attachments=[]), "[0].")


def test_a_credential_of_an_invalid_address_sends_nothing() -> None:
    with pytest.raises(Forbidden, match="from_not_own"):
        message_of(email(), Credential("nobody", 1, 0), POLICY)


def test_fields_of_wrong_types_are_rejected() -> None:
    decode = msgspec.json.Decoder(NewEmail).decode
    for body in (b'{"to": 5}', b'{"headers": {"a": []}}', b'{"tags": {"a": "b"}}', b'{"from": []}'):
        with pytest.raises(msgspec.ValidationError):
            decode(body)
