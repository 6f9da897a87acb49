"""Clients of Resend in several versions, unmodified, against this worker.

``test_resend_node.py`` and ``test_resend_python.py`` test the newest SDKs completely.
"""

import json
import os
import subprocess
from typing import Any

import pytest

from tests.e2e.api import Api, Sender
from tests.e2e.sdk import run_python
from tools.prepare import ROOT
from tools.wrangler import node_binary

NODE = ("resend-4.8", "resend-6.0", "resend-6.20", "resend-6.34", "resend")

_NODE_PROGRAM = """
import { Resend } from "%s";
const resend = new Resend(process.env.RESEND_API_KEY);
const from = `Acme, Inc. <${process.env.SENDER}>`;
const email = { from, to: "recipient@example.net", subject: "Hello", text: "It works!" };
const sent = await resend.emails.send({
  ...email,
  html: '<img src="cid:logo">',
  cc: ["Copy <copy@example.net>"],
  replyTo: ["Answers <answers@example.net>", "others@example.net"],
  headers: { "X-Entity-Ref-ID": "123456" },
  tags: [{ name: "category", value: "confirm_email" }],
  attachments: [
    { filename: "notes.txt", content: Buffer.from("Hello") },
    { filename: "empty.bin", content: Buffer.alloc(0) },
    { filename: "a.bin", content: "AAEC", contentType: "application/x-thing" },
  ],
});
const shown = await resend.emails.get(sent.data.id);
const batch = await resend.batch.send([{ ...email, subject: "B1" }, { ...email, subject: "B2" }]);
const later = new Date(Date.now() + 3_600_000).toISOString();
const { data } = await resend.emails.send({ ...email, scheduledAt: later });
const updated = await resend.emails.update({ id: data.id, scheduledAt: later });
const cancelled = await resend.emails.cancel(data.id);
const rejected = await resend.emails.send({ ...email, to: "nobody" });
console.log(JSON.stringify({ sent, shown, batch, updated, cancelled, rejected }));
"""

_PYTHON_PROGRAM = """
import base64, json, os
import resend
sender = os.environ["SENDER"]
email = {"from": f"Acme, Inc. <{sender}>", "to": ["recipient@example.net"], "subject": "Hello",
         "text": "It works!"}
sent = resend.Emails.send({
    **email,
    "html": "<p>It works!</p>",
    "cc": "copy@example.net",
    "reply_to": ["answers@example.net", "others@example.net"],
    "headers": {"X-Entity-Ref-ID": "123456"},
    "tags": [{"name": "category", "value": "confirm_email"}],
    "attachments": [
        {"filename": "notes.txt", "content": list(b"Hello")},
        {"filename": "empty.bin", "content": ""},
    ],
})
shown = resend.Emails.get(sent["id"])
batch = resend.Batch.send([{**email, "subject": "B1"}, {**email, "subject": "B2"}])
try:
    resend.Emails.send({**email, "to": "nobody"})
except resend.exceptions.ResendError as error:
    rejected = error.message
print(json.dumps({"sent": sent, "shown": shown, "batch": batch, "rejected": rejected}))
"""

_DJANGO_PROGRAM = """
import json, os
from datetime import datetime, timedelta, timezone
import django
from django.conf import settings
settings.configure(
    EMAIL_BACKEND="anymail.backends.resend.EmailBackend",
    ANYMAIL={"RESEND_API_KEY": os.environ["RESEND_API_KEY"], "RESEND_API_URL": os.environ["URL"]},
    INSTALLED_APPS=["anymail"],
)
django.setup()
from anymail.exceptions import AnymailRequestsAPIError
from anymail.message import AnymailMessage, attach_inline_image
from django.core.mail import send_mail

sender = os.environ["SENDER"]
message = AnymailMessage(
    subject="Größe", body="It works!", from_email=f'"Acme, Inc." <{sender}>',
    to=["Zoë <recipient@example.net>"], cc=["copy@example.net"], bcc=["blind@example.net"],
    reply_to=["Answers <answers@example.net>", "others@example.net"],
    headers={"X-Number": 5, "List-Unsubscribe": "<https://example.com/unsubscribe>"},
)
cid = attach_inline_image(message, b"GIF89a", "logo.gif")
message.attach_alternative(f'<img src="cid:{cid}">', "text/html")
message.attach("notes.txt", "Hello ü", "text/plain")
message.attach("launch.ics", "BEGIN:VCALENDAR\\r\\nEND:VCALENDAR\\r\\n", "text/calendar")
message.metadata = {"order": 7}
message.tags = ["a tag"]
message.send()
batch = AnymailMessage(
    subject="Batch", body="It works!", from_email=sender,
    to=["a@example.net", "b@example.net"], merge_metadata={"a@example.net": {"n": 1}},
)
batch.send()
later = AnymailMessage(subject="Later", body="a", from_email=sender, to=["a@example.net"])
later.send_at = datetime.now(timezone.utc) + timedelta(hours=1)
later.send()
send_mail("Plain", "It works!", sender, ["recipient@example.net"])
try:
    send_mail("Rejected", "a", "other@example.org", ["recipient@example.net"])
except AnymailRequestsAPIError as error:
    rejected = error.status_code
ids = {address: status.message_id for address, status in batch.anymail_status.recipients.items()}
print(json.dumps({"id": message.anymail_status.message_id, "cid": cid, "ids": ids,
                  "rejected": rejected}))
"""


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender()


def environment(api: Api, sender: Sender) -> dict[str, str]:
    return {
        "RESEND_BASE_URL": api.server.url,
        "RESEND_API_URL": api.server.url,
        "URL": api.server.url,
        "RESEND_API_KEY": sender.jwt,
        "SENDER": sender.address,
    }


def by_subject(api: Api, sender: Sender) -> dict[str, dict[str, Any]]:
    mails = api.sent_by(sender)
    named = {mail["subject"]: mail for mail in mails}
    assert len(named) == len(mails)
    return named


@pytest.mark.parametrize("package", NODE)
def test_the_node_sdk(api: Api, sender: Sender, package: str) -> None:
    done = subprocess.run(
        [str(node_binary()), "--input-type=module", "-"],
        input=_NODE_PROGRAM % package,
        cwd=ROOT,
        env={**os.environ, **environment(api, sender)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    mails = by_subject(api, sender)
    assert set(mails) == {"Hello", "B1", "B2"}
    sent = mails["Hello"]
    assert sent["from"] == f'"Acme, Inc." <{sender.address}>'
    assert sent["cc"] == ['"Copy" <copy@example.net>']
    assert sent["replyTo"] == '"Answers" <answers@example.net>'
    assert sent["headers"]["X-Entity-Ref-ID"] == "123456"
    assert api.server.mail_bodies(sent).attachments == (b"Hello", b"", b"\x00\x01\x02")
    shown = result["shown"]["data"]
    assert (shown["id"], shown["last_event"]) == (result["sent"]["data"]["id"], "sent")
    assert len(result["batch"]["data"]["data"]) == 2
    assert result["updated"]["data"] == result["cancelled"]["data"]
    assert result["rejected"]["data"] is None
    assert result["rejected"]["error"]["message"].startswith("`to`: ")


def test_the_oldest_python_sdk(api: Api, sender: Sender) -> None:
    result = run_python("resend-2.0", _PYTHON_PROGRAM, **environment(api, sender))
    mails = by_subject(api, sender)
    assert set(mails) == {"Hello", "B1", "B2"}
    sent = mails["Hello"]
    assert sent["from"] == f'"Acme, Inc." <{sender.address}>'
    assert sent["replyTo"] == "answers@example.net"
    assert sent["headers"]["X-Entity-Ref-ID"] == "123456"
    assert api.server.mail_bodies(sent).attachments == (b"Hello", b"")
    assert result["shown"]["id"] == result["sent"]["id"]
    assert result["shown"]["last_event"] == "sent"
    assert len(result["batch"]["data"]) == 2
    assert result["rejected"].startswith("`to`: ")


def test_django_anymail(api: Api, sender: Sender) -> None:
    result = run_python("anymail", _DJANGO_PROGRAM, **environment(api, sender))
    mails = api.sent_by(sender)
    assert sorted(mail["subject"] for mail in mails) == ["Batch", "Batch", "Größe", "Plain"]
    (sent,) = (mail for mail in mails if mail["subject"] == "Größe")
    assert sent["from"] == f'"Acme, Inc." <{sender.address}>'
    assert sent["to"] == ['"Zoë" <recipient@example.net>']
    assert (sent["cc"], sent["bcc"]) == (["copy@example.net"], ["blind@example.net"])
    assert sent["replyTo"] == '"Answers" <answers@example.net>'
    assert sent["headers"]["X-Number"] == "5"
    assert json.loads(sent["headers"]["X-Metadata"]) == {"order": 7}
    assert json.loads(sent["headers"]["X-Tags"]) == ["a tag"]
    bodies = api.server.mail_bodies(sent)
    assert (bodies.text, bodies.html) == ("It works!", f'<img src="cid:{result["cid"]}">')
    calendar = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    assert sorted(bodies.attachments) == sorted([b"GIF89a", "Hello ü".encode(), calendar])
    assert api.message(sender, result["id"])["status"] == "sent"
    shown = [api.message(sender, message_id) for message_id in result["ids"].values()]
    headers = {one["recipients"][0]["address"]: one["headers"] for one in shown}
    assert headers == {"a@example.net": {"X-Metadata": '{"n": 1}'}, "b@example.net": {}}
    assert result["rejected"] == 403
