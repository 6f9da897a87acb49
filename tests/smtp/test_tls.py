"""Certificates, TLS versions, and where clients may log in without TLS."""

import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_relay.network import is_loopback
from tests.e2e.api import Sender
from tests.smtp.certificates import make_certificate
from tests.smtp.relay import HOST, RelayProcess, Talk, insecure_context
from tools.local_server import LocalServer

# Stands for an address that other machines can reach. Not every machine has such an address.
FAR = "127.0.0.2"

BOTH = ["starttls", "tls"]


@pytest.fixture
def own_relay(server: LocalServer, tmp_path: Path) -> Iterator[RelayProcess]:
    """A relay with its own certificate in ``tmp_path``."""
    make_certificate(tmp_path)
    with RelayProcess(server.url, tmp_path, certificate=tmp_path) as running:
        yield running


def connect(relay: RelayProcess, way: str, context: ssl.SSLContext) -> smtplib.SMTP:
    if way == "tls":
        return smtplib.SMTP_SSL(HOST, relay.tls_port, context=context, timeout=20)
    smtp = smtplib.SMTP(HOST, relay.port, timeout=20)
    smtp.starttls(context=context)
    return smtp


@pytest.mark.parametrize("way", BOTH)
def test_the_certificate_is_checked_by_clients(
    relay: RelayProcess, certificate: Path, sender: Sender, way: str
) -> None:
    context = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with connect(relay, way, context) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        assert smtp.docmd("STARTTLS")[0] == 503
        assert smtp.login("jwt", sender.jwt)[0] == 235


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_of_tls_are_rejected(relay: RelayProcess, way: str) -> None:
    context = insecure_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, smtplib.SMTPServerDisconnected, OSError)):
        connect(relay, way, context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with connect(relay, way, context) as smtp:
        assert isinstance(smtp.sock, ssl.SSLSocket)
        assert smtp.sock.version() == "TLSv1.2"


@pytest.mark.parametrize("way", BOTH)
def test_a_new_certificate_is_loaded(own_relay: RelayProcess, tmp_path: Path, way: str) -> None:
    def shown() -> bytes | None:
        with connect(own_relay, way, insecure_context()) as smtp:
            assert isinstance(smtp.sock, ssl.SSLSocket)
            return smtp.sock.getpeercert(binary_form=True)

    first = shown()
    (tmp_path / "key.pem").write_text("not a key")
    own_relay.wait_for_log("certificate_rejected")
    assert shown() == first
    make_certificate(tmp_path)
    own_relay.wait_for_log("certificate_reloaded")
    assert shown() not in (None, first)


def test_starttls_discards_earlier_state(relay: RelayProcess, sender: Sender) -> None:
    with relay.talk() as talk:
        talk.log_in(sender)
        talk.ask("MAIL FROM:<a@example.com>")
        # A command that an attacker injects after STARTTLS is not executed (CVE-2011-0411).
        talk.send(b"STARTTLS\r\nRSET\r\n")
        assert talk.reply().startswith("220 ")
        with insecure_context().wrap_socket(talk.socket) as secure:
            inside = Talk(secure)
            assert inside.ask("EHLO test").startswith("250 ")
            assert inside.ask("MAIL FROM:<a@example.com>").startswith("530 5.7.0 ")
            inside.close()


def test_garbage_instead_of_tls(relay: RelayProcess, sender: Sender) -> None:
    with relay.talk() as talk:
        talk.reply()
        talk.ask("EHLO test")
        assert talk.ask("STARTTLS").startswith("220 ")
        talk.send(b"MAIL FROM:<a@example.com>\r\n" * 10)
        talk.socket.settimeout(10)
        talk.wait_until_closed()
    with socket.create_connection((HOST, relay.tls_port)) as plain:
        plain.sendall(b"EHLO test\r\n" * 10)
    with relay.client(sender):
        pass


def test_far_clients_log_in_by_tls_only(
    server: LocalServer, tmp_path: Path, sender: Sender
) -> None:
    make_certificate(tmp_path)
    anywhere = {"SMTP_HOST": "0.0.0.0"}
    with RelayProcess(
        server.url, tmp_path, certificate=tmp_path, settings=anywhere, far=FAR
    ) as relay:
        with smtplib.SMTP(FAR, relay.port) as smtp:
            smtp.ehlo()
            assert not smtp.has_extn("auth")
            assert smtp.docmd("AUTH", "PLAIN AAAA")[0] == 538
            smtp.starttls(context=insecure_context())
            assert smtp.login("jwt", sender.jwt)[0] == 235
        with smtplib.SMTP("127.0.0.1", relay.port) as smtp:
            assert smtp.login("jwt", sender.jwt)[0] == 235


def test_far_clients_log_in_without_tls_if_allowed(
    server: LocalServer, tmp_path: Path, sender: Sender
) -> None:
    allowed = {"SMTP_HOST": "0.0.0.0", "SMTP_ALLOW_PLAIN_AUTH": "true"}
    with (
        RelayProcess(server.url, tmp_path, settings=allowed, far=FAR) as relay,
        smtplib.SMTP(FAR, relay.port) as smtp,
    ):
        assert smtp.login("jwt", sender.jwt)[0] == 235


@pytest.mark.parametrize(
    ("address", "near"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True)),
        *(("::ffff:127.0.0.1", True), ("::1%lo", True), ("0.0.0.0", False), ("::", False)),
        *(("192.0.2.2", False), ("::ffff:192.0.2.2", False), ("fe80::1%eth0", False)),
        ("mail.example.com", False),
    ],
)
def test_loopback_addresses(address: str, near: bool) -> None:
    assert is_loopback(address) is near


def test_handshakes_count_as_connections(
    server: LocalServer, certificate: Path, tmp_path: Path
) -> None:
    two = {"SMTP_MAX_CONNECTIONS": "2"}
    with RelayProcess(server.url, tmp_path, certificate=certificate, settings=two) as relay:
        silent = [socket.create_connection((HOST, relay.tls_port)) for _ in range(2)]
        wait_until_open(relay, 2)
        with relay.talk() as rejected:
            assert rejected.reply().startswith("421 4.3.2 ")
        with pytest.raises(OSError):  # noqa: PT011  # TLS raises different errors
            relay.talk(is_tls=True)
        for connection in silent:
            connection.close()
        wait_until_open(relay, 0)
        with relay.talk(is_tls=True) as accepted:
            assert accepted.reply().startswith("220 ")
        silent = [socket.create_connection((HOST, relay.tls_port))]
        wait_until_open(relay, 1)
        # A stopping relay does not wait for handshakes.
        assert relay.stop() == 0
        silent[0].close()


def wait_until_open(relay: RelayProcess, count: int) -> None:
    deadline = time.monotonic() + 20
    while relay.metric("connections_open") != count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_handshakes_that_never_begin(relay: RelayProcess, sender: Sender) -> None:
    silent = [socket.create_connection((HOST, relay.tls_port)) for _ in range(50)]
    try:
        began = time.monotonic()
        with connect(relay, "tls", insecure_context()) as smtp:
            smtp.login("jwt", sender.jwt)
        assert time.monotonic() - began < 14  # the timeout for a handshake is 15 s
    finally:
        for connection in silent:
            connection.close()
