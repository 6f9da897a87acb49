"""Mails as programs write them: each is sent as its case says, or rejected with a reason.

``tests/cases/`` has the cases.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from smtp_relay.api import Api as ApiClient
from smtp_relay.metrics import Metrics
from smtp_relay.relay import Relay
from smtp_relay.settings import read_settings
from tests.cases.case import NAMES, SENDER, Case, read_case
from tests.cases.sent import Sent, check_sent, described
from tests.client import TestClient
from tests.client.port import on_a_port
from tests.e2e.api import DEPLOYMENT, Api, Sender
from tests.smtp.mails import Left, left
from tests.smtp.relay import HOST, RelayProcess, Talk, plain_word
from tools.local_server import LocalServer, free_port

each_case = pytest.mark.parametrize("name", NAMES)


@dataclass
class Site:
    """A relay that listens on ``port``, the API behind it, and the address of the cases."""

    api: Api
    port: int
    sender: Sender

    def run(self, case: Case) -> tuple[str, list[Left]]:
        """Send the message of ``case``; return the reply, and what the provider received."""
        before = len(self.api.sent_by(self.sender))
        reply = self._send(case)
        return reply, left(self.api, self.sender, start=before)

    def check(self, case: Case) -> None:
        """Run ``case`` and check what comes of it."""
        reply, mails = self.run(case)
        if "refused" in case.members:
            expected = case.members["refused"]
            assert reply.startswith(f"{expected['code']} ")
            assert expected["names"].lower() in reply.lower()
            assert mails == []
            return
        assert reply.startswith("250 "), reply
        (mail,) = mails
        shown = self.api.message(self.sender, reply.rpartition(" ")[2])
        sent = Sent(described(mail, shown), shown["adaptations"], case.original_words)
        check_sent(sent, case.members["sent"])

    def _send(self, case: Case) -> str:
        members = case.members
        login = members.get("login", {})
        user, authzid = login.get("user", "jwt"), login.get("authzid", "")
        rejected = members.get("rcpt_refused", [])
        with Talk(_connection(self.port)) as talk:
            assert talk.reply().startswith("220 ")
            talk.ask("EHLO test")
            word = plain_word(user, self.sender.jwt, authzid)
            assert talk.ask(f"AUTH PLAIN {word}").startswith("235 ")
            options = members.get("mail_options", [])
            reply = talk.ask(" ".join([f"MAIL FROM:<{members['mail_from']}>", *options]))
            assert reply.startswith("250 "), reply
            for recipient in members["rcpt"]:
                options = members.get("rcpt_options", [])
                reply = talk.ask(" ".join([f"RCPT TO:<{recipient}>", *options]))
                assert reply.startswith("5" if recipient in rejected else "250 "), reply
            assert talk.ask("DATA").startswith("354 ")
            talk.send(_with_dots(case.content))
            return talk.reply()


def _connection(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=30)


def _with_dots(content: bytes) -> bytes:
    """``content`` as it is sent after DATA, with the line that ends it."""
    end = b"" if content.endswith(b"\r\n") else b"\r\n"
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + end + b".\r\n"


@contextlib.contextmanager
def site_in_process(**variables: str) -> Iterator[Site]:
    """A relay in a thread, before an application in the process of the test."""
    with TestClient(DEPLOYMENT) as deployment:
        deployment.provider.follows_instructions = False  # subjects may have brackets
        api = Api(deployment)
        sender = named_sender(api)
        with on_a_port(deployment) as url:
            port = free_port()
            own = {"API_URL": url, "SMTP_PORT": str(port), "STATUS_PORT": "off"}
            settings = read_settings({**own, **variables})
            metrics = Metrics()
            relay = Relay(settings, ApiClient(settings, metrics.api_requests), metrics)
            with running(relay, port):
                yield Site(api, port, sender)


@pytest.fixture(scope="module")
def in_process() -> Iterator[Site]:
    with site_in_process() as site:
        yield site


@pytest.fixture(scope="module")
def strict() -> Iterator[Site]:
    """A site whose relay changes nothing."""
    with site_in_process(SMTP_STRICT="true") as site:
        yield site


@contextlib.contextmanager
def running(relay: Relay, port: int) -> Iterator[None]:
    """Run ``relay`` in a thread with its own event loop. It listens on ``port``."""
    stop = asyncio.Event()
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=runner.run, args=[relay.run(stop)])
        thread.start()
        wait_until_listening(port)
        try:
            yield
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()


def wait_until_listening(port: int) -> None:
    """Wait until a relay accepts connections on ``port``."""
    deadline = time.monotonic() + 10
    while True:
        try:
            _connection(port).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the relay does not start"
            time.sleep(0.01)


def named_sender(api: Api) -> Sender:
    """The address of the cases."""
    made = api.post("/api/new_address", {"name": SENDER}).json()
    return Sender(made["address"], made["address_id"], made["jwt"])


@each_case
def test_case(in_process: Site, name: str) -> None:
    in_process.check(read_case(name))


def is_changed(case: Case) -> bool:
    # A strict relay does not send the original Message-ID (kind 7).
    return "adaptations_contain" in case.members.get("sent", ()) and case.members["kind"] != 7


CHANGED = [name for name in NAMES if is_changed(read_case(name))]


@pytest.mark.parametrize("name", CHANGED)
def test_a_strict_relay_rejects_what_it_would_change(strict: Site, name: str) -> None:
    reply, mails = strict.run(read_case(name))
    assert (reply[0], mails) == ("5", []), reply


@pytest.fixture(scope="module")
def real(server: LocalServer, relay: RelayProcess) -> Site:
    """The relay in its own process, before wrangler's local server."""
    api = Api(server)
    return Site(api, relay.port, named_sender(api))


@pytest.mark.slow
@each_case
def test_case_with_the_real_relay_and_server(real: Site, name: str) -> None:
    real.check(read_case(name))
