"""The full message on the seed's endpoints: accepted fields, and every rejection."""

from typing import Any

import pytest

from tests.e2e.api import Api, Sender, check_problem, file, mail

PREFIX = "Failed to send mail "


def test_html_alone_gets_a_generated_text(api: Api) -> None:
    sender = api.new_sender()
    html = "<h1>Hello</h1><p>Look <a href='https://example.com/?a&amp;b'>here</a>&hellip;</p>"
    for fields in ({"html": html}, {"html": html, "text": ""}, {"content": html, "is_html": True}):
        assert api.send(sender, **{"content": None, **fields}).status_code == 200
    texts = [api.server.mail_bodies(sent).text for sent in api.sent_by(sender)]
    assert texts == ["Hello\n\nLook here (https://example.com/?a&b)…", None, None]


@pytest.mark.contract("POST /external/api/send_mail: Accepts the token in the body")
def test_a_full_message_may_have_the_token_in_its_body(api: Api) -> None:
    sender = api.new_sender()
    body = {"token": sender.jwt, "subject": "Hello", "text": "Hello"}
    to = ["A <a@example.net>", {"email": "b@example.net"}]
    response = api.post("/external/api/send_mail", {**body, "to": to})
    assert response.status_code == 200, response.text
    (sent,) = api.sent_by(sender)
    assert sent["to"] == ['"A" <a@example.net>', "b@example.net"]


@pytest.mark.parametrize("kind", ["cc", "bcc"])
def test_a_mail_may_have_no_recipient_in_to(api: Api, kind: str) -> None:
    sender = api.new_sender(balance=5)
    response = api.send(sender, to_mail=None, to_name=None, **{kind: "only@example.net"})
    assert response.status_code == 200, response.text
    (sent,) = api.sent_by(sender)
    assert (sent["to"], sent[kind]) == ([], ["only@example.net"])
    assert api.balance(sender) == 4


def test_each_recipient_is_charged_once(api: Api) -> None:
    sender = api.new_sender(balance=3)
    to = [f"{name}@example.net" for name in ("a", "b", "A")]
    assert api.send(sender, to_mail=None, to=to).status_code == 200
    assert api.balance(sender) == 1
    check_problem(api.send(sender, to=to), 400, "no_balance", PREFIX + "No balance")


@pytest.mark.contract("send checks: A rejected message costs nothing and stores nothing")
@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"to": "a@example.net, b@example.net"}, "invalid_recipient", "to"),
        ({"cc": ["a@example.net", {"email": "b"}]}, "invalid_recipient", "cc[1].email"),
        ({"bcc": [f"a{n}@example.net" for n in range(50)]}, "too_many_recipients", "bcc"),
        ({"to": "bounced@test.invalid"}, "test_recipients_mixed", "to"),
        ({"reply_to": ["a@example.net"] * 1001}, "reply_to_too_many", "reply_to"),
        ({"headers": {"Priority": "high"}}, "header_value_not_accepted", "headers.Priority"),
        ({"text": "", "html": ""}, "content_empty", "text"),
        ({"headers": {"Date": "now"}}, "header_not_allowed", "headers.Date"),
        (
            {"headers": {"X-A": "a\r\nBcc: b@example.net"}},
            "header_value_has_control",
            "headers.X-A",
        ),
        ({"headers": {"\u0000": "a"}}, "header_name_invalid", "headers.\u0000"),
        (
            {"attachments": [file(b""), {"filename": "a", "content": "!"}]},
            "attachment_content_invalid",
            "attachments[1].content",
        ),
        (
            {"attachments": [file(b"", filename="../a")]},
            "attachment_filename_invalid",
            "attachments[0].filename",
        ),
        ({"tags": [{"name": "a b", "value": "c"}]}, "tag_invalid", "tags[0].name"),
        ({"scheduled_at": "in 1 hour"}, "scheduled_at_invalid", "scheduled_at"),
    ],
)
def test_an_invalid_field_is_named_and_nothing_is_stored(
    api: Api, sender: Sender, fields: dict[str, Any], code: str, field: str
) -> None:
    response = api.send(sender, **fields)
    problem = check_problem(response, 400, code, response.json()["detail"])
    assert problem["detail"].startswith(PREFIX)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert api.messages_of(sender) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": 5}, "to"),
        ({"cc": ["a@example.net", 5]}, "cc[1]"),
        ({"reply_to": {"email": None}}, "reply_to.email"),
        ({"text": ["Hello"]}, "text"),
        ({"headers": {"X-A": None}}, "headers[...]"),
        ({"attachments": {"filename": "a"}}, "attachments"),
        ({"attachments": [{"filename": "a", "content": [1, 2]}]}, "attachments[0].content"),
        ({"scheduled_at": 1793784600000}, "scheduled_at"),
    ],
)
def test_a_wrong_type_is_named(
    api: Api, sender: Sender, fields: dict[str, Any], field: str
) -> None:
    for path in ("/api/send_mail", "/external/api/send_mail"):
        body = {**mail(**fields), "token": sender.jwt}
        response = api.post(path, body, headers=sender.headers)
        assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
        assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("piece", ["<", "<ul><li>a<br>", "<a href=http://x>y", "&#9"])
def test_hostile_html_is_sent_like_other_html(api: Api, piece: str) -> None:
    sender = api.new_sender()
    response = api.send(sender, html=piece * (500_000 // len(piece)))
    assert response.status_code == 200, response.text
    assert len(api.sent_by(sender)) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"bcc": [{"name": "A"}]}, "bcc[0].email"), ({"tags": [{"name": "a"}]}, "tags[0].value")],
)
def test_a_missing_member_is_named(
    api: Api, sender: Sender, fields: dict[str, Any], field: str
) -> None:
    response = api.post("/api/send_mail", mail(**fields), headers=sender.headers)
    assert (response.status_code, response.json()["code"]) == (422, "required_field_missing")
    assert [error["field"] for error in response.json()["errors"]] == [field]
