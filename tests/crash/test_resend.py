"""The server is killed while it sends by Resend: one mail each, and none with an unknown outcome.

Resend promises to send nothing twice for the same key, so it is asked again after a crash.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.api import DEPLOYMENT, Api, Sender, file, mail
from tests.faults.listener import Listener
from tools.local_server import LocalServer

KILLS = 20
_SECONDS = 60

# When the server is killed: before Resend accepts the mail, or before its response.
STOPS = ("before the mail is accepted", "before the response")


class Resend(Listener):
    """Keeps the mails by their keys. It holds the first request at the stop in its subject."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: dict[str, Any] = {}
        self.calls: list[str] = []
        self.is_held, self.go_on = threading.Event(), threading.Event()

    def respond(self, path: str, headers: Mapping[str, str], posted: bytes) -> tuple[int, bytes]:
        key, content = headers["idempotency-key"], json.loads(posted)
        is_first = key not in self.calls
        self.calls.append(key)
        if is_first and content["subject"] == STOPS[0]:
            self._hold()
            return 500, b""  # the request was lost
        if self.mails.setdefault(key, content) != content:
            return 409, b'{"name": "invalid_idempotent_request"}'
        if is_first and content["subject"] == STOPS[1]:
            self._hold()
        return 200, json.dumps({"id": f"re-{key}"}).encode()

    def _hold(self) -> None:
        self.is_held.set()
        self.go_on.wait(_SECONDS)
        self.go_on.clear()


@pytest.fixture(scope="module")
def resend() -> Iterator[Resend]:
    with Resend() as listener:
        yield listener


@pytest.fixture(scope="module")
def own(resend: Resend) -> Iterator[Api]:
    transport = {"name": "main", "type": "resend", "url": resend.url.rstrip("/")}
    variables = {
        **DEPLOYMENT,
        "TRANSPORTS": json.dumps([transport]),
        "TRANSPORT_SECRETS": json.dumps({"main": {"api_key": "re_1"}}),
        "ROUTES": json.dumps({"*": ["main", "send_email"]}),
    }
    with LocalServer(variables=variables) as server:
        yield Api(server)


@pytest.mark.parametrize("stop", STOPS)
def test_one_kill(own: Api, resend: Resend, stop: str) -> None:
    kill_once(own, resend, stop)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(KILLS))
@pytest.mark.parametrize("stop", STOPS)
def test_many_kills(own: Api, resend: Resend, stop: str, number: int) -> None:
    kill_once(own, resend, stop)


def kill_once(own: Api, resend: Resend, stop: str) -> None:
    sender, before = own.new_sender(), len(resend.mails)
    resend.is_held.clear()
    sending = threading.Thread(target=_send, args=(own, sender, stop), daemon=True)
    sending.start()
    assert resend.is_held.wait(_SECONDS)
    own.server.kill()
    resend.go_on.set()
    sending.join(_SECONDS)
    own.server.start()
    own.server.sql("UPDATE messages SET lease_until = 1 WHERE lease_until > 1")  # it has expired
    deadline = time.monotonic() + _SECONDS
    while (row := own.messages_of(sender)[0])["status"] != "sent":
        assert row["status"] in ("sending", "queued")
        assert time.monotonic() < deadline
        own.server.run_cron()
        time.sleep(0.5)
    assert len(resend.mails) == before + 1
    assert resend.calls.count(row["id"]) == 2
    assert row["provider_message_id"] == f"re-{row['id']}"
    assert own.balance(sender) == 999
    assert own.server.sent_mails() == []


def _send(own: Api, sender: Sender, stop: str) -> None:
    body = mail(subject=stop, attachments=[file(b"\x00\xff" * 1000)])
    try:
        own.post("/api/send_mail", body, headers=sender.headers)
    except OSError:
        return  # the server was killed
