"""Mails through the local ``send_email`` binding, and bodies of the maximum size."""

import pytest

from tests.e2e.api import Api, check_problem, file


@pytest.mark.contract(
    "send checks: The sender is the token's address; misleading display names are rejected"
)
@pytest.mark.contract("POST /api/send_mail: Returns 200 with both ids")
def test_a_simple_mail_is_sent_unchanged(api: Api) -> None:
    sender = api.new_sender()
    response = api.send(
        sender,
        from_name="Zoë",
        to_name="Bób",
        to_mail="Bob.Smith+x@EXAMPLE.net",
        subject="Grüße 你好",
        content="<p>Grüße\r\n\t\x00</p>",
        is_html=True,
    )
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    (sent,) = api.sent_by(sender)
    assert sent["from"] == f'"Zoë" <{sender.address}>'
    assert sent["to"] == ['"Bób" <Bob.Smith+x@example.net>']
    assert sent["subject"] == "Grüße 你好"
    bodies = api.server.mail_bodies(sent)
    assert (bodies.text, bodies.html) == (None, "<p>Grüße\r\n\t\x00</p>")
    assert response.json().keys() == {"status", "id", "message_id"}
    assert response.json()["message_id"] == sent["messageId"]


def test_a_mail_with_all_fields_is_sent_unchanged(api: Api) -> None:
    sender = api.new_sender()
    every_byte = bytes(range(256)) * 4
    response = api.send(
        sender,
        to_mail="first@example.net",
        to_name="First",
        to=["Second <second@example.net>", {"email": "third@example.net", "name": "Third, Esq."}],
        cc='"Fourth, too" <fourth@example.net>',
        bcc=["fifth@example.net", "FIRST@example.net"],
        reply_to={"email": "answers@example.net", "name": "Answers"},
        content="not this",
        text="Grüße",
        html="<p>Grüße <img src='cid:logo'></p>",
        headers={"X-Campaign": "Grüße 😀", "List-Unsubscribe": "<https://example.com/u>"},
        attachments=[
            file(every_byte, filename="Grüße, 😀.bin"),
            file(b"", filename="empty.txt"),
            file(b"\x89PNG", filename="logo.png", content_id="<logo>"),
        ],
        tags=[{"name": "kind", "value": "test"}],
    )
    assert response.status_code == 200, response.text
    assert response.json()["status"] == "ok"
    (sent,) = api.sent_by(sender)
    assert sent["to"] == [
        '"First" <first@example.net>',
        '"Second" <second@example.net>',
        '"Third, Esq." <third@example.net>',
    ]
    assert sent["cc"] == ['"Fourth, too" <fourth@example.net>']
    assert sent["bcc"] == ["fifth@example.net"]
    assert sent["replyTo"] == '"Answers" <answers@example.net>'
    assert sent["headers"] == {
        "X-Campaign": "Grüße 😀",
        "List-Unsubscribe": "<https://example.com/u>",
    }
    assert [tuple(part.values()) for part in sent["attachments"]] == [
        ("Grüße, 😀.bin", "application/octet-stream", "attachment", 1024),
        ("empty.txt", "text/plain", "attachment", 0),
        ("logo.png", "image/png", "inline", 4),
    ]
    bodies = api.server.mail_bodies(sent)
    assert (bodies.text, bodies.html) == ("Grüße", "<p>Grüße <img src='cid:logo'></p>")
    assert bodies.attachments == (every_byte, b"", b"\x89PNG")


def test_long_texts_are_sent_unchanged(api: Api) -> None:
    sender = api.new_sender()
    text, html = "\ufeffa\x00😀" * 50_000, "\ufeff<p>é\x01</p>" * 50_000
    assert api.send(sender, content=None, text=text, html=html).status_code == 200
    (sent,) = api.sent_by(sender)
    bodies = api.server.mail_bodies(sent)
    assert (bodies.text, bodies.html) == (text, html)
    (message,) = api.messages_of(sender)
    parts = "SELECT kind, content FROM bodies WHERE message_id = ? ORDER BY kind, part"
    rows = api.server.sql(parts, [message["id"]])
    for kind, body in (("text", text), ("html", html)):
        assert "".join(row["content"] for row in rows if row["kind"] == kind) == body


def test_a_message_may_reach_the_size_limit(api: Api) -> None:
    sender = api.new_sender()
    response = api.send(sender, content="x" * 3_850_000)
    problem = check_problem(response, 413, "message_too_large", response.json()["detail"])
    assert "5242880" in problem["detail"]
    assert api.messages_of(sender) == []
    response = api.send(sender, content="x" * 3_800_000)
    assert response.status_code == 200, response.text
    (sent,) = api.sent_by(sender)
    assert api.server.mail_bodies(sent).text == "x" * 3_800_000


def test_an_attachment_may_reach_the_size_limit(api: Api) -> None:
    sender = api.new_sender()
    content = bytes(range(250)) * 15_300
    response = api.send(sender, attachments=[file(content)])
    assert response.status_code == 200, response.text
    (sent,) = api.sent_by(sender)
    assert api.server.mail_bodies(sent).attachments == (content,)
    response = api.send(sender, attachments=[file(content + bytes(5000))])
    problem = check_problem(response, 413, "message_too_large", response.json()["detail"])
    assert "5242880" in problem["detail"]
    assert len(api.messages_of(sender)) == 1
