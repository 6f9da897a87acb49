"""Mail by Resend in the real runtime: requests, lost responses, and webhooks with signatures."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.api import DEPLOYMENT, Api, Sender, file
from tests.faults.listener import Listener
from tools.local_server import LocalServer

KEY = b"a-signing-key-of-the-tests-0123456789"


class Resend(Listener):
    """Keeps the mails by their keys. If the subject says so, the first response is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: dict[str, Any] = {}
        self.calls: list[str] = []
        self.headers: Mapping[str, str] = {}

    def respond(self, path: str, headers: Mapping[str, str], posted: bytes) -> tuple[int, bytes]:
        key, mail = headers["idempotency-key"], json.loads(posted)
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.calls.append(key)
        if mail["subject"] == "wrong key":
            return 401, b'{"name": "invalid_api_key", "message": "API key is invalid"}'
        is_first = key not in self.mails
        assert self.mails.setdefault(key, mail) == mail
        if mail["subject"] == "lost" and is_first:
            return 500, b"{}"
        return 200, json.dumps({"id": f"re-{key}"}).encode()


@pytest.fixture(scope="module")
def resend() -> Iterator[Resend]:
    with Resend() as listener:
        yield listener


@pytest.fixture(scope="module")
def own(resend: Resend) -> Iterator[Api]:
    transport = {"name": "main", "type": "resend", "url": resend.url.rstrip("/")}
    secret = "whsec_" + base64.b64encode(KEY).decode()
    variables = {
        **DEPLOYMENT,
        "TRANSPORTS": json.dumps([transport]),
        "TRANSPORT_SECRETS": json.dumps({"main": {"api_key": "re_1", "webhook_secret": secret}}),
        "ROUTES": json.dumps({"*": ["main", "send_email"]}),
    }
    with LocalServer(variables=variables) as server:
        yield Api(server)


@pytest.fixture
def sender(own: Api) -> Sender:
    return own.new_sender()


def test_a_mail_with_a_file_leaves_by_resend(own: Api, sender: Sender, resend: Resend) -> None:
    content = b"\x00\xff\r\n" * 200_000
    response = own.send(sender, subject="Hé", attachments=[file(content, filename="ä.bin")])
    assert response.status_code == 200, response.text
    id_ = response.json()["id"]
    assert response.json()["message_id"] == f"re-{id_}"
    mail = resend.mails[id_]
    assert mail["from"] == f"A Sender <{sender.address}>"
    assert mail["subject"] == "Hé"
    (attachment,) = mail["attachments"]
    assert base64.b64decode(attachment["content"]) == content
    assert resend.headers["authorization"] == "Bearer re_1"
    (line,) = own.log_lines(response.headers["X-Request-Id"])
    assert line["d1_round_trips"] == 2


def test_a_lost_response_is_asked_for_again(own: Api, sender: Sender, resend: Resend) -> None:
    response = own.send(sender, subject="lost", attachments=[file(b"1")])
    assert response.status_code == 202, response.text
    id_ = response.json()["id"]
    deadline = time.monotonic() + 60
    while own.message(sender, id_)["status"] != "sent":
        assert time.monotonic() < deadline
        own.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE next_attempt_at > 1")
        own.server.run_cron()
        time.sleep(1)
    assert resend.calls.count(id_) == 2


def test_another_transport_is_used_if_the_key_is_wrong(
    own: Api, sender: Sender, resend: Resend
) -> None:
    response = own.send(sender, subject="wrong key")
    assert response.status_code == 200, response.text
    message = own.message(sender, response.json()["id"])
    assert message["transport"] == "send_email"
    assert [one.get("transport") for one in message["history"]] == [None, "main", "send_email"]
    assert len(own.sent_by(sender)) == 1
    (state, _) = own.admin("GET", "/admin/transports").json()["results"][::-1]
    assert (state["name"], state["state"]) == ("main", "skipped")
    assert state["last_error"] == "401 invalid_api_key API key is invalid"
    own.server.sql("DELETE FROM transport_states")


def test_a_webhook_of_resend(own: Api, sender: Sender) -> None:
    id_ = own.send(sender, to_mail="you@example.net").json()["id"]
    data = {"email_id": f"re-{id_}", "from": sender.address, "to": ["you@example.net"]}
    body = json.dumps({"type": "email.delivered", "created_at": "now", "data": data}).encode()
    timestamp = str(int(time.time()))
    signed = f"msg_1.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    headers = {
        "svix-id": "msg_1",
        "svix-timestamp": timestamp,
        "svix-signature": f"v1,{signature}",
        "Content-Type": "application/json",
    }
    wrong = {**headers, "svix-signature": "v1,AAAA"}
    assert own.call("POST", "/hooks/resend/main", data=body, headers=wrong).status_code == 401
    response = own.call("POST", "/hooks/resend/main", data=body, headers=headers)
    assert response.status_code == 200, response.text
    assert own.message(sender, id_)["delivery_status"] == "delivered"
