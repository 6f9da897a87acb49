"""Transports: their states for administrators, test mails, Resend, and its webhooks."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from mail.webhook_events import WebhookEvent
from mail.webhook_examples import example_body
from services import HttpResponse
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, file
from tests.unit.given import NOW
from transport.resend_events import is_signed, read_webhook
from transport.webhooks import delivery_headers

KEY = b"a-signing-key-of-the-tests-0123456789"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
VARIABLES = {
    **DEPLOYMENT,
    "RESEND_TOKEN": "re_1",
    "TRANSPORT_SECRETS": {"resend": {"webhook_secret": SECRET}},
    "ROUTES": {"example.org": ["send_email"]},
}


class Resend:
    """A stand-in for Resend's API: it responds as scripted, and keeps the mails by key."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.mails: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []

    async def respond(self, url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        key = headers["idempotency-key"]
        self.calls.append(key)
        step = self.script.pop(0) if self.script else "accept"
        if isinstance(step, int):
            return HttpResponse(step, json.dumps({"name": "", "message": "no"}))
        if step == "lose request":
            raise OSError
        mail = json.loads(body)
        if key in self.mails and self.mails[key] != mail:
            return HttpResponse(409, json.dumps({"name": "invalid_idempotent_request"}))
        self.mails[key] = mail
        if step == "lose response":
            raise TimeoutError
        return HttpResponse(200, json.dumps({"id": f"re-{key}"}))


@pytest.fixture(scope="module")
def resend() -> Resend:
    return Resend()


@pytest.fixture(scope="module")
def server(resend: Resend) -> Iterator[TestClient]:
    with TestClient(VARIABLES) as running:
        running.resend = resend.respond
        yield running


@pytest.fixture
def api(server: TestClient, resend: Resend) -> Api:
    resend.script = []
    server.sql("DELETE FROM transport_states")
    return Api(server)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender()


def states(api: Api) -> dict[str, dict[str, Any]]:
    response = api.admin("GET", "/admin/transports")
    assert response.status_code == 200, response.text
    return {one["name"]: one for one in response.json()["results"]}


@pytest.mark.contract("GET /admin/transports: Shows each transport with its domains and its state")
def test_the_transports_with_their_domains(api: Api) -> None:
    found = states(api)
    assert {name: (one["type"], one["domains"]) for name, one in found.items()} == {
        "send_email": ("send_email", ["example.com", "example.org"]),
        "resend": ("resend", ["example.com"]),
    }
    assert {one["state"] for one in found.values()} == {"ok"}


def test_a_deployment_with_the_binding_alone() -> None:
    with TestClient(DEPLOYMENT) as server:
        api = Api(server)
        api.send(api.new_sender())
        assert states(api) == {
            "send_email": {
                "name": "send_email",
                "type": "send_email",
                "domains": ["example.com", "example.org"],
                "state": "ok",
                "skipped_until": None,
                "sent_today": 1,
                "rejected_today": 0,
                "last_error": None,
                "last_error_at": None,
            }
        }


def test_a_failing_transport_is_shown_with_its_error(
    api: Api, server: TestClient, sender: Sender, resend: Resend
) -> None:
    before = states(api)
    resend.script = [401]
    assert api.send(sender).status_code == 200
    found = states(api)
    assert found["resend"]["state"] == "skipped"
    assert found["resend"]["last_error"] == "401  no"
    assert found["resend"]["skipped_until"]
    assert found["resend"]["rejected_today"] == before["resend"]["rejected_today"] + 1
    assert found["send_email"]["sent_today"] == before["send_email"]["sent_today"] + 1
    server.advance(61)
    assert states(api)["resend"]["state"] == "failing"
    assert api.send(sender).status_code == 200
    assert states(api)["resend"]["state"] == "ok"


def mail_test(api: Api, name: str = "resend") -> requests.Response:
    """Send a test mail through the transport ``name``."""
    body = {"from_mail": "test@example.com", "to_mail": "you@example.net"}
    return api.admin("POST", f"/admin/transports/{name}/test", json=body)


@pytest.mark.contract("POST /admin/transports/{name}/test: Sends a mail through one transport")
def test_a_test_mail_leaves_by_the_named_transport(
    api: Api, server: TestClient, resend: Resend
) -> None:
    response = mail_test(api)
    assert response.status_code == 200, response.text
    sent = resend.mails[response.json()["id"]]
    assert sent["subject"] == "Test of the transport resend"
    before = len(server.provider.taken)
    assert mail_test(api, "send_email").status_code == 200
    assert len(server.provider.taken) == before + 1


def test_a_test_mail_is_neither_retried_nor_sent_by_another_transport(
    api: Api, server: TestClient, resend: Resend
) -> None:
    resend.script = [401]
    before = len(server.provider.taken)
    response = mail_test(api)
    assert (response.status_code, response.json()["code"]) == (502, "RESEND_401")
    assert len(server.provider.taken) == before
    assert states(api)["resend"]["state"] == "skipped"
    assert mail_test(api).status_code == 200  # although it is skipped
    assert states(api)["resend"]["state"] == "ok"


def test_a_test_of_an_unknown_transport(api: Api) -> None:
    response = mail_test(api, "other")
    assert (response.status_code, response.json()["code"]) == (404, "transport_not_found")


@pytest.mark.parametrize("lost", ["lose request", "lose response", 500, 503])
def test_a_lost_response_is_asked_for_again_with_the_same_key(
    api: Api, server: TestClient, sender: Sender, resend: Resend, lost: Any
) -> None:
    resend.script, before = [lost, "lose response"], len(resend.mails)
    response = api.send(sender)
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    id_ = response.json()["id"]
    for _ in range(20):
        server.advance(30)
        server.run_cron()
    assert api.message(sender, id_)["status"] == "sent"
    assert len(resend.mails) == before + 1
    assert resend.calls.count(id_) == 3
    assert api.message(sender, id_)["message_id"] == f"re-{id_}"


@pytest.mark.parametrize("place", ["before the call", "after the call"])
def test_a_message_of_a_worker_that_died_is_sent_once(
    api: Api, server: TestClient, sender: Sender, resend: Resend, place: str
) -> None:
    before = len(resend.mails)

    async def hang(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        if place == "after the call":
            await resend.respond(url, headers, body)
        await asyncio.sleep(20)
        raise AssertionError("the worker is killed before")

    server.resend = hang
    request = server.start("POST", "/api/send_mail", _mail(sender))
    server.advance(1)
    server.kill()
    server.advance(0.1)
    assert request.is_killed
    server.resend = resend.respond
    (row,) = api.messages_of(sender)
    assert row["status"] == "sending"
    for _ in range(10):
        server.advance(60)
        server.run_cron()
    (row,) = api.messages_of(sender)
    assert row["status"] == "sent"
    assert len(resend.mails) == before + 1
    assert api.balance(sender) == 999


@pytest.mark.parametrize("milliseconds", range(0, 60, 3))
def test_a_worker_that_dies_at_any_point_of_a_send_by_resend_sends_one_mail(
    api: Api, server: TestClient, sender: Sender, resend: Resend, milliseconds: int
) -> None:
    """A database batch takes 5 ms, and Resend 10 ms before and 10 ms after it accepts the mail."""
    before = len(resend.mails)

    async def slowly(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        await asyncio.sleep(0.01)
        response = await resend.respond(url, headers, body)
        await asyncio.sleep(0.01)
        return response

    server.resend = slowly
    options = _mail(sender)
    options["json"]["attachments"] = [file(b"\x00\xff" * 700_000, filename="a.bin"), file(b"1")]
    server.start("POST", "/api/send_mail", options)
    server.advance(milliseconds / 1000)
    server.kill()
    server.advance(0.1)
    for _ in range(6):
        server.advance(60)
        server.run_cron()
    server.resend = resend.respond
    rows = api.messages_of(sender)
    assert [row["status"] for row in rows] in ([], ["sent"])
    assert len(resend.mails) == before + len(rows)
    assert api.balance(sender) == 1000 - len(rows)
    for row in rows:  # the provider has the same content, from either worker
        first, _ = resend.mails[row["id"]]["attachments"]
        assert base64.b64decode(first["content"]) == b"\x00\xff" * 700_000
        assert server.sql("SELECT 1 FROM attachment_parts WHERE message_id = ?", [row["id"]]) == []


def _mail(sender: Sender) -> dict[str, Any]:
    body = {"to_mail": "you@example.net", "subject": "Hello", "content": "Hi"}
    return {"json": body, "headers": sender.headers}


# Webhooks


def event(kind: str, id_: str, to: list[str], **more: Any) -> bytes:
    data = {"email_id": id_, "from": "A <a@example.com>", "to": to, "subject": "Hello", **more}
    body = {"type": f"email.{kind}", "created_at": "2026-11-22T08:00:00.000Z", "data": data}
    return json.dumps(body).encode()


def hook(
    api: Api,
    server: TestClient,
    body: bytes,
    *,
    key: bytes = KEY,
    id_: str = "msg_1",
    age: int = 0,
    name: str = "resend",
    signed: bytes | None = None,
) -> requests.Response:
    timestamp = server.now() // 1000 - age
    content = f"{id_}.{timestamp}.".encode() + (body if signed is None else signed)
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    headers = {
        "svix-id": id_,
        "svix-timestamp": str(timestamp),
        "svix-signature": f"v1,{'A' * 43}= v1,{signature}",
        "Content-Type": "application/json",
    }
    return api.call("POST", f"/hooks/resend/{name}", data=body, headers=headers)


def sent(api: Api, sender: Sender, **fields: Any) -> str:
    response = api.send(sender, **fields)
    assert response.status_code == 200, response.text
    id_: str = response.json()["id"]
    return id_


@pytest.mark.contract("POST /hooks/resend/{transport}: Records what Resend reports about mail")
@pytest.mark.parametrize(
    ("kind", "more", "status"),
    [
        ("delivered", {}, "delivered"),
        ("delivery_delayed", {}, "delayed"),
        ("bounced", {"bounce": {"message": "550 no", "type": "Permanent"}}, "bounced"),
        ("complained", {}, "complained"),
        ("failed", {"failed": {"reason": "reached_daily_quota"}}, "failed"),
        ("suppressed", {"suppressed": {"message": "x", "type": "y"}}, "rejected"),
    ],
)
def test_a_webhook_becomes_a_delivery_event(
    api: Api, server: TestClient, sender: Sender, kind: str, more: Any, status: str
) -> None:
    to = f"{kind}.{sender.address_id}@example.net"
    id_ = sent(api, sender, to_mail=to)
    body = event(kind, f"re-{id_}", [f"You <{to.upper()}>"], **more)
    for _ in range(2):  # it may arrive again
        response = hook(api, server, body, id_=f"msg_{kind}")
        assert (response.status_code, response.json()) == (200, {"success": True})
    shown = api.message(sender, id_)
    assert shown["delivery_status"] == status
    assert len([one for one in shown["history"] if one.get("recipient")]) == 1
    suppressed = server.sql("SELECT reason FROM suppressions WHERE address = ?", [to])
    expected = {"bounced": ["hard_bounce"], "complained": ["complaint"]}.get(kind, [])
    assert [row["reason"] for row in suppressed] == expected


@pytest.mark.parametrize(
    "wrong",
    [{"key": b"another"}, {"age": 301}, {"age": -301}, {"signed": b"another body"}],
)
def test_a_webhook_without_a_valid_signature_changes_nothing(
    api: Api, server: TestClient, sender: Sender, wrong: dict[str, Any]
) -> None:
    id_ = sent(api, sender)
    body = event("delivered", f"re-{id_}", ["recipient@example.net"])
    response = hook(api, server, body, **wrong)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_signature")
    unsigned = api.call("POST", "/hooks/resend/resend", data=body)
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "invalid_signature")
    assert api.message(sender, id_)["delivery_status"] == "sent"


def test_a_webhook_of_an_unknown_transport(api: Api, server: TestClient) -> None:
    for name in ("other", "send_email"):
        response = hook(api, server, b"{}", name=name)
        assert (response.status_code, response.json()["code"]) == (404, "transport_not_found")


@pytest.mark.parametrize(
    "body",
    [
        event("opened", "x", ["a@example.net"]),
        event("delivered", "of another program", ["a@example.net"]),
        event("bounced", "x", ["a@example.net", "b@example.net"]),
        b'{"type": "email.delivered", "data": {}}',
        b"{",
        b"\xff",
    ],
)
def test_other_webhooks_are_ignored(api: Api, server: TestClient, body: bytes) -> None:
    before = server.sql("SELECT count(*) AS n FROM delivery_events")
    assert hook(api, server, body).status_code == 200
    assert server.sql("SELECT count(*) AS n FROM delivery_events") == before


def test_a_webhook_is_sent_again_if_the_database_fails(
    api: Api, server: TestClient, sender: Sender
) -> None:
    id_ = sent(api, sender)
    body = event("delivered", f"re-{id_}", ["recipient@example.net"])
    server.lose_responses = lambda when, statements: when == "before"
    assert hook(api, server, body).status_code == 503
    server.lose_responses = lambda when, statements: False
    assert hook(api, server, body).status_code == 200
    assert api.message(sender, id_)["delivery_status"] == "delivered"


def test_an_event_waits_until_the_provider_was_asked_again(
    api: Api, server: TestClient, sender: Sender, resend: Resend
) -> None:
    """The id that Resend gave the mail is only known then."""
    resend.script = ["lose response"]
    to = f"early.{sender.address_id}@example.net"
    id_ = api.send(sender, to_mail=to).json()["id"]
    body = event("delivered", f"re-{id_}", [to]).replace(b"a@example.com", sender.address.encode())
    body = body.replace(b"2026-11-22T08:00:00.000Z", b"no time")
    response = hook(api, server, body)
    assert (response.status_code, response.json()["code"]) == (503, "events_not_recorded")
    assert int(response.headers["Retry-After"]) <= 60
    server.advance(60)
    assert hook(api, server, body).status_code == 200
    assert api.message(sender, id_)["delivery_status"] == "delivered"


# This project's own interface in the place of Resend


def test_mail_by_the_resend_interface_of_another_deployment() -> None:
    with TestClient({**DEPLOYMENT, "DOMAINS": "example.com"}) as other:
        theirs = Api(other)
        key = theirs.new_sender()
        variables = {
            **DEPLOYMENT,
            "TRANSPORTS": [{"name": "main", "type": "resend", "url": "https://other.example"}],
            "TRANSPORT_SECRETS": {"main": {"api_key": key.jwt}},
            "ROUTES": {"*": ["main"]},
        }
        lost: list[bool] = []
        with TestClient(variables, transport=False) as server:

            async def respond(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
                path = url.removeprefix("https://other.example")
                # The two deployments have their own loops, and this call is within one of them.
                response = in_thread(
                    lambda: other.request("POST", path, headers=headers, data=body)
                )
                if lost and lost.pop():
                    raise TimeoutError
                return HttpResponse(response.status_code, response.text)

            server.resend = respond
            api = Api(server)
            # The key of the other deployment belongs to one address.
            server.sql(
                "INSERT INTO addresses (name, created_at, updated_at) VALUES (?, 0, 0)",
                [key.address],
            )
            mail = {
                "from_mail": key.address,
                "from_name": "Doe, J",
                "to": ["a@example.net", "B <b@example.net>"],
                "subject": "Hé",
                "text": "Hello",
                "html": "<p>Hello</p>",
                "headers": {"X-Order": "1"},
                "reply_to": "Help <help@example.com>",
                "attachments": [file(b"\x00\x01\xff", filename="a.bin")],
            }
            first = api.admin("POST", "/admin/send_mail", json=mail)
            assert first.status_code == 200, first.text
            (sent_mail,) = other.sent_mails()
            assert sent_mail["subject"] == "Hé"
            assert sent_mail["to"] == ["a@example.net", '"B" <b@example.net>']
            assert sent_mail["headers"] == {"X-Order": "1"}
            assert other.mail_bodies(sent_mail).attachments == (b"\x00\x01\xff",)
            # A response is lost, and the other deployment does not send the mail twice.
            lost.append(True)
            second = api.admin("POST", "/admin/send_mail", json=mail)
            assert second.status_code == 202, second.text
            server.advance(60)
            server.run_cron()
            server.advance(60)
            (row,) = server.sql("SELECT status FROM messages WHERE id = ?", [second.json()["id"]])
            assert row["status"] == "sent"
            assert len(other.sent_mails()) == 2
            # The errors of the other deployment are those of Resend.
            theirs.admin("DELETE", f"/admin/delete_address/{key.address_id}")
            third = api.admin("POST", "/admin/send_mail", json=mail)
            assert third.status_code == 202, third.text  # the key is wrong; it may be replaced
            (state,) = server.sql("SELECT last_error FROM transport_states")
            assert state["last_error"].startswith("401 invalid_api_key")


def in_thread(call: Any) -> Any:
    """The result of ``call``, which runs another loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("email.delivered", "delivered"),
        ("email.bounced", "bounced"),
        ("email.complained", "complained"),
        ("email.delivery_delayed", "delayed"),
        ("email.suppressed", "rejected"),
        ("email.failed", "failed"),
    ],
)
def test_the_webhooks_of_this_service_can_be_read(event: WebhookEvent, kind: str) -> None:
    body = example_body(event, now=NOW)
    (found,) = read_webhook(body.encode(), webhook_id="msg_1", now=NOW)
    assert (found.kind, found.recipient, found.occurred_at) == (kind, "bob@example.org", NOW)
    assert found.sender == "alice@example.com"


def test_their_signatures_are_valid() -> None:
    body = example_body("email.delivered", now=NOW)
    headers = delivery_headers("msg_1", body, [KEY], now=NOW, version="1")
    assert is_signed(headers, body.encode(), SECRET, now=NOW)
    assert not is_signed(headers, body.encode(), "whsec_wrong!", now=NOW)
