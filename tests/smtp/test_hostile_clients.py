"""Hostile and broken clients. The relay still serves after each of them."""

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.mails import left
from tests.smtp.relay import RelayProcess, Talk
from tools.local_server import LocalServer

HEAD = b"To: recipient@example.net\r\nSubject: A subject\r\n\r\n"


@pytest.fixture(autouse=True)
def _still_serves(relay: RelayProcess, api: Api) -> Iterator[None]:
    yield
    sender = api.new_sender()
    with relay.client(sender) as smtp:
        smtp.sendmail(sender.address, ["recipient@example.net"], HEAD + b"still there")
    (mail,) = left(api, sender)
    assert mail.text == "still there\r\n"
    assert relay.log_lines("internal_error") == []


@pytest.fixture(scope="module")
def strict(server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """A relay with low limits."""
    limits = {
        "SMTP_IDLE_SECONDS": "1",
        "SMTP_DATA_SECONDS": "20",
        "SMTP_MAX_CONNECTIONS": "4",
        "SMTP_MAX_CONNECTIONS_PER_CLIENT": "3",
        "SMTP_MAX_RECIPIENTS": "2",
    }
    folder = tmp_path_factory.mktemp("strict")
    with RelayProcess(server.url, folder, settings=limits) as running:
        yield running


SMUGGLED = b"MAIL FROM:<me@example.com>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\n" + HEAD


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r\n\0.\r\n"],
)
def test_smuggling(talk: Talk, api: Api, sender: Sender, end: bytes) -> None:
    talk.begin_data()
    talk.send(HEAD + b"text" + end + SMUGGLED + b"smuggled\r\n.\r\n")
    reply = talk.reply()
    assert reply.startswith(("554 5.6.0 Line 4 contains a ", "554 5.6.0 Line 5 contains a "))
    # Everything after the false end is part of the message. The relay executes no command in it.
    assert talk.ask("NOOP") == "250 2.0.0 OK"
    assert left(api, sender) == []


def test_dots(talk: Talk, api: Api, sender: Sender) -> None:
    talk.begin_data()
    talk.send(HEAD + b"..\r\n...\r\n.. x\r\nx .\r\n.\r\n")
    assert talk.reply().startswith("250 ")
    assert [mail.text for mail in left(api, sender)] == [".\r\n..\r\n. x\r\nx .\r\n"]


def test_pipelining(talk: Talk, api: Api, sender: Sender) -> None:
    begin = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<recipient@example.net>\r\n"
    data = b"DATA\r\n" + HEAD
    talk.send(begin + b"RCPT TO:<nobody>\r\n" + data + b"first\r\n.\r\n")
    talk.send(begin + data + b"second\r\n.\r\nQUIT\r\n")
    codes = [talk.reply()[:9] for _ in range(10)]
    assert talk.reply() == ""
    one = ["250 2.1.0", "250 2.1.5", "354 End d", "250 2.0.0"]
    assert codes == [*one[:2], "553 5.1.3", *one[2:], *one, "221 2.0.0"]
    assert [mail.text for mail in left(api, sender)] == ["first\r\n", "second\r\n"]


def test_nul_bytes(talk: Talk) -> None:
    assert talk.ask("NOOP \0\0\0").startswith("250 ")
    assert talk.ask("\0\0")[:3] == "500"
    assert talk.ask("MAIL FROM:<a\0b@example.com>")[:1] in "25"
    talk.ask("RSET")
    talk.begin_data()
    talk.send(HEAD + b"a\0b\r\n.\r\n")
    assert talk.reply() == "554 5.6.0 Line 4 contains a NUL"


def test_overlong_lines(talk: Talk, api: Api, sender: Sender) -> None:
    talk.send(b"NOOP " + b"x" * 3000 + b"\r\n")
    assert talk.reply() == "500 5.5.2 Command line too long"
    talk.send(b"NOOP " + b"x" * 3_000_000 + b"\r\n")
    assert talk.reply() == "500 5.5.2 Command line too long"
    # Within a message, a line has no limit.
    talk.begin_data()
    talk.send(HEAD + b"x" * 1_000_000 + b"\r\n.\r\n")
    assert talk.reply().startswith("250 ")
    assert [mail.text for mail in left(api, sender)] == ["x" * 1_000_000 + "\r\n"]


def test_an_endless_line_takes_no_memory(relay: RelayProcess, talk: Talk) -> None:
    talk.begin_data()
    before = relay.memory()
    for _ in range(60):
        talk.send(b"x" * 1_000_000)
    assert relay.memory() - before < 20_000_000
    talk.send(b"\r\n.\r\n")
    assert talk.reply().startswith("552 5.3.4 ")


def test_a_connection_that_breaks_during_a_message(
    relay: RelayProcess, api: Api, sender: Sender
) -> None:
    with relay.talk() as talk:
        talk.log_in(sender)
        talk.begin_data()
        talk.send(HEAD + b"half a ma")
    with relay.talk() as talk:
        talk.log_in(sender)
        talk.begin_data()
        talk.send(HEAD + b"half a mail\r\n.")
        talk.socket.shutdown(socket.SHUT_WR)
        assert talk.reply() == ""
    assert left(api, sender) == []


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_client_that_hangs_up_before_the_reply(
    relay: RelayProcess, api: Api, sender: Sender, is_tls: bool
) -> None:
    with relay.talk(is_tls=is_tls) as talk:
        talk.log_in(sender)
        talk.begin_data()
        talk.send(HEAD + b"the whole mail\r\n.\r\n")
    deadline = time.monotonic() + 10
    while not (mails := left(api, sender)):
        assert time.monotonic() < deadline
    assert [mail.text for mail in mails] == ["the whole mail\r\n"]


def test_a_client_that_shuts_down_its_sending_side(talk: Talk, api: Api, sender: Sender) -> None:
    talk.begin_data()
    talk.send(HEAD + b"the whole mail\r\n.\r\n")
    talk.socket.shutdown(socket.SHUT_WR)
    assert talk.reply().startswith("250 2.0.0 ")
    assert talk.reply() == ""
    assert len(left(api, sender)) == 1


def test_a_hundred_idle_clients(relay: RelayProcess, api: Api, sender: Sender) -> None:
    idle = [relay.talk() for _ in range(100)]
    try:
        assert all(talk.reply().startswith("220 ") for talk in idle)
        assert relay.metric("connections_open") >= 100
        with relay.client(sender) as smtp:
            smtp.sendmail(sender.address, ["recipient@example.net"], HEAD + b"among idle ones")
    finally:
        for talk in idle:
            talk.close()
    assert len(left(api, sender)) == 1


def test_many_at_once(relay: RelayProcess, api: Api, sender: Sender) -> None:
    def send(number: int) -> None:
        with relay.client(sender) as smtp:
            smtp.sendmail(sender.address, ["recipient@example.net"], HEAD + b"%d" % number)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(send, range(40)))
    assert len(api.sent_by(sender)) == 40


def test_idle_clients_receive_a_reply(strict: RelayProcess) -> None:
    with strict.talk() as talk:
        assert talk.reply().startswith("220 ")
        began = time.monotonic()
        assert talk.reply() == "421 4.4.2 Idle for too long"
        assert talk.reply() == ""
        assert time.monotonic() - began > 0.8


def test_a_byte_at_a_time(strict: RelayProcess, sender: Sender) -> None:
    with strict.talk() as in_command, strict.talk() as in_data:
        in_command.reply()
        in_data.log_in(sender)
        in_data.begin_data()
        until = time.monotonic() + 3
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                in_command.send(b"x")
            with contextlib.suppress(OSError):
                in_data.send(b"x")
            time.sleep(0.05)
        for talk in (in_command, in_data):
            assert talk.reply() == "421 4.4.2 Idle for too long"


def test_too_many_connections(strict: RelayProcess) -> None:
    talks = [strict.talk() for _ in range(4)]
    try:
        replies = [talk.reply() for talk in talks]
        assert [reply[:3] for reply in replies] == ["220", "220", "220", "421"]
        assert replies[3].startswith("421 4.7.0 ")
        assert talks[3].reply() == ""
    finally:
        for talk in talks:
            talk.close()


def test_recipients_are_checked_one_by_one(strict: RelayProcess, sender: Sender) -> None:
    with strict.talk() as talk:
        talk.log_in(sender)
        talk.ask("MAIL FROM:<>")
        for bad, code in {
            "nobody": "553 5.1.3",
            "a@localhost": "553 5.1.3",
            "a@[127.0.0.1]": "553 5.1.3",
            "a b@example.net": "553 5.1.3",
            '"a b"@example.net': "553 5.1.3",
            "a..b@example.net": "553 5.1.3",
            "a@exa_mple.net": "553 5.1.3",
            "a" * 65 + "@example.net": "553 5.1.3",
            # The limit is 254 octets. With A-labels this address has more.
            "a" * 60 + "@" + "ü." * 27 + "example.net": "553 5.1.3",
        }.items():
            assert talk.ask(f"RCPT TO:<{bad}>").startswith(code), bad
        talk.send("RCPT TO:<jürgen@example.net>\r\n".encode())
        assert talk.reply().startswith("553 5.6.7 ")
        talk.send(b"RCPT TO:<j\xfcrgen@example.net>\r\n")
        assert talk.reply().startswith("553 5.6.7 ")
        assert talk.ask("DATA").startswith("554 5.5.1 ")
        assert talk.ask("RCPT TO:<a@example.net>").startswith("250 2.1.5 ")
        assert talk.ask("RCPT TO:<A@EXAMPLE.net>").startswith("250 2.1.5 ")
        talk.send("RCPT TO:<a@bücher.example>\r\n".encode())
        assert talk.reply().startswith("250 2.1.5 ")
        assert talk.ask("RCPT TO:<c@example.net>").startswith("452 4.5.3 ")


def test_a_browser(relay: RelayProcess) -> None:
    with relay.talk() as talk:
        talk.send(b"POST / HTTP/1.1\r\n" + b"Header: value\r\n" * 10 + b"\r\n")
        replies = [talk.reply() for _ in range(6)]
        assert replies[-1] == "502 5.5.1 Too many unrecognized commands, goodbye."
        assert talk.reply() == ""


def test_garbage(relay: RelayProcess) -> None:
    with relay.talk() as talk:
        lines = [bytes(range(33, 256)) + bytes(range(10))] * 50 + [b"", b"\xff\xfe"]
        assert talk.reply()[:4] == "220 "
        talk.send(b"\r\n".join([*lines, b"EHLO \xff\xfe", b""]))
        assert {talk.reply() for _ in lines} == {"500 5.5.2 Error: bad syntax"}
        assert talk.reply() == "250 HELP"


def test_the_strict_relay_serves_too(strict: RelayProcess, sender: Sender) -> None:
    with strict.client(sender) as smtp:
        smtp.sendmail(sender.address, ["recipient@example.net"], HEAD + b"text")
