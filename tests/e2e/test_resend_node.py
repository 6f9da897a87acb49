"""The official Node SDK of Resend, unmodified, against this worker."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.api import Api, Sender
from tools.prepare import ROOT
from tools.wrangler import node_binary

_PROGRAM = """
import { Resend } from "resend";
const resend = new Resend(process.env.RESEND_API_KEY);
const from = `Acme <${process.env.SENDER}>`;
const email = { from, to: "recipient@example.net", subject: "Hello", html: "<p>It works!</p>" };
const result = await (async () => { %s })();
console.log(JSON.stringify(result));
"""

Run = Callable[[str], Any]


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender()


@pytest.fixture
def node(api: Api, sender: Sender) -> Run:
    """A function that runs JavaScript.

    In it, ``resend`` is the SDK's client and ``email`` a mail of ``sender``.

    The function returns the result of the JavaScript as Python values.
    """
    return lambda code: run(api, sender, sender.jwt, code)


def run(api: Api, sender: Sender, key: str, code: str) -> Any:
    done = subprocess.run(
        [str(node_binary()), "--input-type=module", "-"],
        input=_PROGRAM % code,
        cwd=ROOT,
        env={
            **os.environ,
            "RESEND_BASE_URL": api.server.url,
            "RESEND_API_KEY": key,
            "SENDER": sender.address,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_hours(hours: int) -> str:
    """The time in ``hours`` hours, in the format of JavaScript's ``toISOString``."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.contract("POST /emails: Resend clients can send")
def test_send(api: Api, sender: Sender, node: Run) -> None:
    result = node("""
        const { data } = await resend.emails.send({
          ...email,
          to: ["recipient@example.net", "Another <another@example.net>"],
          cc: "copy@example.net",
          bcc: ["blind@example.net"],
          replyTo: ["Answers <answers@example.net>"],
          html: '<img src="cid:logo">',
          text: "It works!",
          headers: { "X-Entity-Ref-ID": "123456" },
          tags: [{ name: "category", value: "confirm_email" }],
          topicId: null,
          attachments: [
            { filename: "notes.txt", content: Buffer.from("Hello") },
            { filename: "logo.png", content: new Uint8Array([0, 255, 10, 13]), contentId: "logo" },
            { filename: "a.bin", content: "AAEC", contentType: "application/x-thing" },
          ],
        });
        return (await resend.emails.get(data.id)).data;
    """)
    (sent,) = api.sent_by(sender)
    assert sent["to"] == ["recipient@example.net", '"Another" <another@example.net>']
    assert (sent["cc"], sent["bcc"]) == (["copy@example.net"], ["blind@example.net"])
    assert sent["replyTo"] == '"Answers" <answers@example.net>'
    assert sent["headers"]["X-Entity-Ref-ID"] == "123456"
    bodies = api.server.mail_bodies(sent)
    assert (bodies.text, bodies.html) == ("It works!", '<img src="cid:logo">')
    assert bodies.attachments == (b"Hello", b"\x00\xff\n\r", b"\x00\x01\x02")

    created_at = datetime.fromisoformat(result.pop("created_at"))
    assert abs(created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert result.pop("id")
    assert result == {
        "object": "email",
        "message_id": sent["messageId"],
        "from": f"Acme <{sender.address}>",
        "to": ["recipient@example.net", "Another <another@example.net>"],
        "cc": ["copy@example.net"],
        "bcc": ["blind@example.net"],
        "reply_to": ["Answers <answers@example.net>"],
        "subject": "Hello",
        "text": "It works!",
        "html": '<img src="cid:logo">',
        "tags": [{"name": "category", "value": "confirm_email"}],
        "scheduled_at": None,
        "last_event": "sent",
        "status": "sent",
    }


def test_send_once_with_a_key(api: Api, sender: Sender, node: Run) -> None:
    first, again, another = node("""
        const options = { idempotencyKey: "welcome-user/1" };
        return [
          await resend.emails.send(email, options),
          await resend.emails.send(email, options),
          await resend.emails.send({ ...email, subject: "Another" }, options),
        ];
    """)
    assert first["data"] == again["data"]
    assert again["headers"]["idempotent-replayed"] == "true"
    assert another["error"]["name"] == "invalid_idempotent_request"
    assert len(api.sent_by(sender)) == 1


@pytest.mark.contract("POST /emails/batch: Resend clients can send batches")
def test_batches(api: Api, sender: Sender, node: Run) -> None:
    strict, rejected, permissive = node("""
        const invalid = { ...email, to: "nobody" };
        return [
          await resend.batch.send([email, { ...email, subject: "Second" }]),
          await resend.batch.send([email, invalid]),
          await resend.batch.send([email, invalid], { batchValidation: "permissive" }),
        ];
    """)
    assert len({entry["id"] for entry in strict["data"]["data"]}) == 2
    assert "errors" not in strict["data"]
    assert rejected["data"] is None
    assert rejected["error"]["message"].startswith("`[1].to`: ")
    assert len(permissive["data"]["data"]) == 1
    assert [error["index"] for error in permissive["data"]["errors"]] == [1]
    assert sorted(mail["subject"] for mail in api.sent_by(sender)) == ["Hello", "Hello", "Second"]


@pytest.mark.contract("GET /emails: Resend clients can list messages")
def test_list_with_cursors(node: Run) -> None:
    ids, newest, rest, back = node("""
        const ids = [];
        while (ids.length < 4) ids.unshift((await resend.emails.send(email)).data.id);
        return [
          ids,
          await resend.emails.list({ limit: 2 }),
          await resend.emails.list({ after: ids[1] }),
          await resend.emails.list({ limit: 2, before: ids[3] }),
        ];
    """)
    assert [email["id"] for email in newest["data"]["data"]] == ids[:2]
    assert [email["id"] for email in rest["data"]["data"]] == ids[2:]
    assert [email["id"] for email in back["data"]["data"]] == ids[1:3]
    assert [page["data"]["has_more"] for page in (newest, rest, back)] == [True, False, True]


@pytest.mark.contract("POST /emails/{id}/cancel: Resend clients can cancel a message")
def test_schedule_reschedule_and_cancel(api: Api, sender: Sender, node: Run) -> None:
    first, second = in_hours(1), in_hours(700)
    id, scheduled, updated, rescheduled, cancelled, end, late = node(f"""
        const {{ data }} = await resend.emails.send({{ ...email, scheduledAt: "{first}" }});
        const {{ id }} = data;
        return [
          id,
          await resend.emails.get(id),
          await resend.emails.update({{ id, scheduledAt: "{second}" }}),
          await resend.emails.get(id),
          await resend.emails.cancel(id),
          await resend.emails.get(id),
          await resend.emails.update({{ id, scheduledAt: "{first}" }}),
        ];
    """)
    assert (scheduled["data"]["scheduled_at"], scheduled["data"]["last_event"]) == (
        first,
        "scheduled",
    )
    assert updated["data"] == cancelled["data"] == {"object": "email", "id": id}
    assert rescheduled["data"]["scheduled_at"] == second
    assert end["data"]["last_event"] == "canceled"
    assert (late["data"], late["error"]["statusCode"]) == (None, 409)
    assert api.sent_by(sender) == []


def test_errors(api: Api, sender: Sender, node: Run) -> None:
    results = node("""
        return [
          await resend.emails.send({ ...email, to: undefined }),
          await resend.emails.send({ ...email, from: "resend.com" }),
          await resend.emails.send({ ...email, from: "me@example.org" }),
          await resend.emails.send({ from, to: email.to, template: { id: "welcome" } }),
          await resend.emails.send({ ...email, attachments: [{ path: "https://example.net/a" }] }),
          await resend.emails.get("61cda979-919d-4b9d-9638-c148b93ff410"),
          await resend.emails.list({ limit: 1000 }),
        ];
    """)
    errors = [(result["error"]["statusCode"], result["error"]["name"]) for result in results]
    assert errors == [
        (422, "missing_required_field"),
        (422, "invalid_from_address"),
        (403, "validation_error"),
        (422, "validation_error"),
        (422, "invalid_attachment"),
        (404, "not_found"),
        (422, "invalid_parameter"),
    ]
    assert all(result["data"] is None for result in results)
    wrong_key = run(api, sender, "re_123456789", "return await resend.emails.send(email);")
    assert (wrong_key["error"]["statusCode"], wrong_key["error"]["name"]) == (
        401,
        "invalid_api_key",
    )
    assert api.sent_by(sender) == []
