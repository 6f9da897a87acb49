"""Submission by SMTP from the real runtime, with the sockets of the platform."""

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.smtp_server import CUT, ScriptedServer, running, words
from tests.e2e.api import DEPLOYMENT, Api, Sender, unique_name
from tests.smtp.certificates import make_certificate
from tools.local_server import LocalServer

pytestmark = pytest.mark.slow

_SECURITIES = ("none", "starttls", "tls")
# Transports to servers whose certificate no authority has signed, and their security.
_STRANGERS = {"stranger-tls": "tls", "stranger-starttls": "starttls"}
_STARTTLS = b"250-a\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"


@contextlib.contextmanager
def in_thread(server: ScriptedServer, *, tls: bool) -> Iterator[int]:
    """Run the server in a thread; yield its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = running(server, tls=tls)
    port = asyncio.run_coroutine_threadsafe(listening.__aenter__(), loop).result(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def own_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


class Deployment:
    """A deployment whose domains go by SMTP, each with its own transport and SMTP server."""

    def __init__(self, api: Api, servers: dict[str, ScriptedServer]) -> None:
        self.api, self.servers = api, servers

    def send(self, transport: str, **fields: object) -> dict[str, object]:
        new = {"name": unique_name(), "domain": f"{transport}.example.com"}
        made = self.api.post("/api/new_address", new).json()
        assert "address" in made, made
        sender = Sender(made["address"], made["address_id"], made["jwt"])
        found: dict[str, object] = self.api.send(sender, **fields).json()
        return found


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    certificate = make_certificate(tmp_path_factory.mktemp("certificate"))
    stranger = make_certificate(tmp_path_factory.mktemp("stranger"))
    securities = {**{name: name for name in _SECURITIES}, **_STRANGERS}
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODE_EXTRA_CA_CERTS", str(certificate / "cert.pem"))
        servers = {
            name: ScriptedServer(
                {"EHLO": _STARTTLS}, tls=own_tls(stranger if name in _STRANGERS else certificate)
            )
            for name in securities
        }
        transports = [
            {
                "name": name,
                "type": "smtp",
                "host": "localhost",
                "port": stack.enter_context(in_thread(server, tls=securities[name] == "tls")),
                "security": securities[name],
                "username": "me",
            }
            for name, server in servers.items()
        ]
        domains = [f"{name}.example.com" for name in servers]
        variables = {
            **DEPLOYMENT,
            "DOMAINS": ",".join(domains),
            "DEFAULT_DOMAINS": "",
            "TRANSPORTS": json.dumps(transports),
            "TRANSPORT_SECRETS": json.dumps({name: {"password": "a-password"} for name in servers}),
            "ROUTES": json.dumps({f"{name}.example.com": [name] for name in servers}),
        }
        running_server = stack.enter_context(LocalServer(variables=variables))
        yield Deployment(Api(running_server), servers)


@pytest.mark.parametrize("security", _SECURITIES)
def test_a_mail_is_submitted(deployment: Deployment, security: str) -> None:
    server = deployment.servers[security]
    content = "Grüße\r\n.\r\n" + "x" * 300_000
    found = deployment.send(security, content=content)
    assert found["status"] == "ok", found
    (mail,) = server.mails
    assert f"Message-ID: {found['message_id']}\r\n".encode() in mail
    twice = ["EHLO", "STARTTLS"] if security == "starttls" else []
    expected = [*twice, "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    assert words(server.commands) == expected


@pytest.mark.parametrize("name", _STRANGERS)
def test_a_server_with_a_wrong_certificate_gets_no_password(
    deployment: Deployment, name: str
) -> None:
    server = deployment.servers[name]
    found = deployment.send(name, content="x")
    assert found["status"] == "queued", found
    assert {"AUTH", "MAIL"}.isdisjoint(words(server.commands))
    assert server.mails == []


def test_a_connection_that_ends_after_the_dot_is_unknown(deployment: Deployment) -> None:
    server = deployment.servers["none"]
    server.replies["."] = CUT
    found = deployment.send("none", content="x")
    assert found["code"] == "outcome_unknown", found


def test_no_server(deployment: Deployment) -> None:
    server = deployment.servers["none"]
    server.replies["greeting"] = CUT
    found = deployment.send("none", content="x")
    assert found["status"] == "queued", found
