"""Submission by SMTP, against a server that replies with given replies at every step."""

import base64
import ssl
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mail.addresses import Address
from mail.message import Message, Recipient
from tests.client.smtp_server import CUT, HANG, USUAL, ScriptedServer, running, words
from tests.client.streams import connect
from tests.smtp.certificates import make_certificate
from tests.unit import given
from tests.unit.test_mime import given_fields
from transport import smtp_submission
from transport.outcome import Outcome, Rejected, Sent, Unknown
from transport.routing import SmtpConfig
from transport.smtp_submission import SmtpTransport

KEY = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"
MESSAGE_ID = f"<{KEY}@example.com>"


async def submit(
    server: ScriptedServer,
    message: Message | None = None,
    *,
    authority: ssl.SSLContext | None = None,
    **config: Any,
) -> Outcome:
    fields = {"security": "none", "username": "me", "password": "secret", **config}
    async with running(server, tls=fields["security"] == "tls") as port:
        settings = SmtpConfig(name="one", host="localhost", port=port, **fields)
        transport = SmtpTransport(settings, KEY, partial(connect, tls=authority), milliseconds)
        return await transport.send(message or given.message("you@example.org"))


def milliseconds() -> int:
    return time.monotonic_ns() // 1_000_000


@pytest.fixture
def soon(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only shortly for a server that does not reply. Others must not be too slow for that."""
    if request.getfixturevalue("reply") is HANG:
        monkeypatch.setattr(smtp_submission, "_BEFORE_DOT_SECONDS", 1)
        monkeypatch.setattr(smtp_submission, "RESPONSE_SECONDS", 1.5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


async def test_a_mail_is_submitted() -> None:
    server = ScriptedServer()
    message = given.message("you@example.org", text=".a\n..b\nend")
    assert await submit(server, message) == Sent(MESSAGE_ID)
    assert server.commands == [
        "EHLO example.com",
        "AUTH PLAIN " + base64.b64encode(b"\0me\0secret").decode(),
        "MAIL FROM:<me@example.com> BODY=8BITMIME",
        "RCPT TO:<you@example.org>",
        "DATA",
        "QUIT",
    ]
    (mail,) = server.mails
    assert b"\r\n\r\n..a\r\n...b\r\nend\r\n.\r\n" in mail
    assert f"Message-ID: {MESSAGE_ID}\r\n".encode() in mail


async def test_every_recipient_is_in_the_envelope_and_bcc_only_there() -> None:
    message = given.message("you@example.org")
    recipients = (
        *message.recipients,
        Recipient("cc", Address("copy", "example.net")),
        Recipient("bcc", Address("hidden", "example.net")),
        Recipient("bcc", Address("you", "example.org")),
    )
    server = ScriptedServer()
    outcome = await submit(server, Message(**{**given_fields(message), "recipients": recipients}))
    assert outcome == Sent(MESSAGE_ID)
    assert [line for line in server.commands if line.startswith("RCPT")] == [
        "RCPT TO:<you@example.org>",
        "RCPT TO:<copy@example.net>",
        "RCPT TO:<hidden@example.net>",
    ]
    assert b"hidden" not in server.mails[0]


STEPS = {"greeting": "unreachable", "EHLO": "unreachable", "MAIL": "sender_not_allowed"}
STEPS |= {"RCPT": "recipient_rejected", "DATA": "content_rejected", ".": "content_rejected"}


@pytest.mark.parametrize("step", STEPS)
async def test_a_permanent_rejection_is_definite(step: str) -> None:
    server = ScriptedServer(
        {step: b"554 5.7.1 secret text of the server\r\n", "HELO": b"554 no\r\n"}
    )
    outcome = await submit(server)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.provider_code) == (STEPS[step], "SMTP_554")
    assert outcome.transient is (STEPS[step] == "unreachable")
    if step in ("MAIL", "RCPT", "DATA", "."):
        assert "secret text" not in str(outcome.detail)


@pytest.mark.parametrize("step", STEPS)
async def test_a_transient_rejection_is_definite(step: str) -> None:
    outcome = await submit(ScriptedServer({step: b"451 4.7.1 later\r\n"}))
    assert isinstance(outcome, Rejected)
    expected = "unreachable" if STEPS[step] == "unreachable" else "throttled"
    assert (outcome.reason, outcome.provider_code, outcome.transient) == (
        expected,
        "SMTP_451",
        True,
    )


BROKEN = [CUT, HANG, b"garbage\r\n", b"25 ok\r\n", b"999 ok\r\n", b"250-a\r\n" * 200, b"2" * 9000]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("reply", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("step", ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
async def test_before_the_dot_nothing_is_sent(step: str, reply: bytes) -> None:
    server = ScriptedServer({step: reply})
    outcome = await submit(server)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.transient) == ("unreachable", True)
    assert outcome.provider_code == ("SMTP_TIMEOUT" if reply is HANG else "SMTP_CONNECTION_LOST")
    assert server.mails == []


@pytest.mark.parametrize("step", ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"])
async def test_a_reply_without_a_command_is_no_reply_to_the_next(step: str) -> None:
    server = ScriptedServer({step: USUAL[step] + b"250 ok\r\n"})
    outcome = await submit(server)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.provider_code) == ("unreachable", "SMTP_CONNECTION_LOST")
    assert server.mails == []


async def test_a_cut_within_the_mail_is_definite() -> None:
    server = ScriptedServer(cuts_mail=True)
    message = given.message("you@example.org", text="x\n" * 5_000_000)
    outcome = await submit(server, message)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unreachable"


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("reply", [*BROKEN, b"354 more\r\n"], ids=range(len(BROKEN) + 1))
async def test_after_the_dot_the_outcome_is_unknown(reply: bytes) -> None:
    server = ScriptedServer({".": reply})
    outcome = await submit(server)
    assert isinstance(outcome, Unknown)
    assert (outcome.cause == "timeout") is (reply is HANG)
    assert len(server.mails) == 1


async def test_no_server() -> None:
    config = SmtpConfig(name="one", host="localhost", port=1, security="none")
    outcome = await SmtpTransport(config, KEY, connect, milliseconds).send(given.message())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.provider_code) == ("unreachable", "SMTP_NO_CONNECTION")


async def test_auth_login_is_used_if_plain_is_not_allowed_or_not_offered() -> None:
    for offered, auth in ((b"PLAIN LOGIN", ("login",)), (b"LOGIN", ("plain", "login"))):
        server = ScriptedServer(
            {
                "EHLO": b"250-a\r\n250 AUTH " + offered + b"\r\n",
                "AUTH": [b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n"],
            }
        )
        assert await submit(server, auth=auth) == Sent(MESSAGE_ID)
        assert server.commands[1:4] == ["AUTH LOGIN", "bWU=", "c2VjcmV0"]


@pytest.mark.parametrize(
    ("replies", "code"),
    [
        ({"AUTH": b"535 5.7.8 wrong\r\n"}, "SMTP_535"),
        ({"AUTH": b"334 \r\n"}, "SMTP_334"),
        ({"EHLO": b"250 a\r\n"}, "SMTP_NO_AUTH"),
        ({"EHLO": b"250-a\r\n250 AUTH XOAUTH2\r\n"}, "SMTP_NO_AUTH"),
        ({"MAIL": b"530 5.7.0 login first\r\n"}, "SMTP_530"),
    ],
)
async def test_credentials_that_the_server_does_not_take(
    replies: dict[str, bytes | list[bytes]], code: str
) -> None:
    server = ScriptedServer(replies)
    outcome = await submit(server)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.provider_code) == ("credentials_rejected", code)
    assert outcome.transient
    assert "secret" not in str(outcome)
    assert "DATA" not in words(server.commands)


async def test_without_a_username_there_is_no_login() -> None:
    server = ScriptedServer({"EHLO": b"502 no\r\n"})
    assert await submit(server, username=None, password=None) == Sent(MESSAGE_ID)
    assert words(server.commands) == ["EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert server.commands[2] == "MAIL FROM:<me@example.com>"


async def test_one_rejected_recipient_rejects_the_mail_for_all() -> None:
    message = given.message("you@example.org")
    recipients = tuple(Recipient("to", Address(f"to{n}", "example.org")) for n in range(3))
    message = Message(**{**given_fields(message), "recipients": recipients})
    ok, busy, later, no = b"250 ok\r\n", b"450 busy\r\n", b"452 later\r\n", b"550 no\r\n"
    for replies, reason, transient in (
        ([ok, later, ok], "throttled", True),
        ([later, busy, ok], "recipient_rejected", True),
        ([busy, no, later], "recipient_rejected", False),
    ):
        server = ScriptedServer({"RCPT": [*replies]})
        outcome = await submit(server, message)
        assert isinstance(outcome, Rejected)
        assert (outcome.reason, outcome.transient) == (reason, transient)
        assert server.mails == []


async def test_the_size_limit_of_the_server() -> None:
    server = ScriptedServer({"EHLO": b"250-a\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n"})
    outcome = await submit(server, given.message("you@example.org", text="x\n" * 600))
    assert outcome == Rejected("content_rejected", "SMTP_TOO_LARGE")
    assert isinstance(await submit(server), Sent)
    sizes = [line for line in server.commands if line.startswith("MAIL")]
    assert sizes == [f"MAIL FROM:<me@example.com> SIZE={len(server.mails[0]) - 3}"]


async def test_international_addresses_need_a_server_for_them() -> None:
    message = given.message("you@example.org")
    recipients = (Recipient("to", Address("jörg", "example.org")),)
    message = Message(**{**given_fields(message), "recipients": recipients})
    assert await submit(ScriptedServer(), message) == Rejected(
        "recipient_rejected", "SMTP_NO_SMTPUTF8"
    )
    server = ScriptedServer({"EHLO": b"250-a\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n"})
    assert await submit(server, message) == Sent(MESSAGE_ID)
    assert server.commands[2:4] == [
        "MAIL FROM:<me@example.com> SMTPUTF8",
        "RCPT TO:<jörg@example.org>",
    ]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_tls(security: str, certificate: Path) -> None:
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusting = ssl.create_default_context(cafile=certificate / "cert.pem")
    capabilities = {"EHLO": b"250-a\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"}
    server = ScriptedServer({**capabilities}, tls=own)
    assert await submit(server, security=security, authority=trusting) == Sent(MESSAGE_ID)
    if security == "starttls":
        assert words(server.commands)[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    server = ScriptedServer({**capabilities}, tls=own)
    outcome = await submit(server, security=security)  # the authorities of the host
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unreachable"
    assert "AUTH" not in words(server.commands)


@pytest.mark.parametrize(
    "replies",
    [
        {},  # not offered
        {"EHLO": b"250-a\r\n250 STARTTLS\r\n", "STARTTLS": b"454 not now\r\n"},
        {"EHLO": b"250-a\r\n250 STARTTLS\r\n", "STARTTLS": b"220 go\r\n250 injected\r\n"},
    ],
)
async def test_without_tls_no_password_is_sent(replies: dict[str, bytes | list[bytes]]) -> None:
    server = ScriptedServer(replies)
    outcome = await submit(server, security="starttls")
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.transient) == ("unreachable", True)
    assert {"AUTH", "MAIL"}.isdisjoint(words(server.commands))
