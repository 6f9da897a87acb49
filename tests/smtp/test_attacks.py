"""Hostile clients: the memory that the relay uses, and its response time for other clients."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.smtp.api_stand_in import StandIn
from tests.smtp.in_process import CLAIMS
from tests.smtp.relay import HOST, RelayProcess, Talk, plain_word
from tests.smtp.test_worst_inputs import INPUTS

MIB = 1024 * 1024
MEMORY_MB = 96
CREDENTIAL = f"a.{CLAIMS}.b"
BODY = b"Subject: A subject\r\n\r\n" + (b"x" * 998 + b"\r\n") * 5200


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """A relay that accepts each login and each message."""
    with StandIn() as api:
        api.responses["/open_api/credential_login"] = (200, {"success": True})
        api.responses["/api/send_mail"] = (200, {"id": "1"})
        limits = {"SMTP_MEMORY_MB": str(MEMORY_MB)}
        with RelayProcess(api.url, tmp_path_factory.mktemp("relay"), settings=limits) as running:
            yield running


def logged_in(relay: RelayProcess) -> Talk:
    talk = relay.talk()
    talk.reply()
    talk.ask("EHLO test")
    assert talk.ask(f"AUTH PLAIN {plain_word('jwt', CREDENTIAL)}").startswith("235 ")
    return talk


async def begin_message(relay: RelayProcess, content: bytes) -> asyncio.StreamWriter:
    """A connection that has sent DATA and ``content``, without the end of the message."""
    reader, writer = await asyncio.open_connection(HOST, relay.port)
    login = f"AUTH PLAIN {plain_word('jwt', CREDENTIAL)}"
    commands = ("EHLO test", login, "MAIL FROM:<>", "RCPT TO:<a@example.net>", "DATA")
    for command in commands:
        writer.write(command.encode() + b"\r\n")
    reply = b""
    while not reply.startswith((b"354 ", b"452 ")):
        reply = await reader.readline()
    if reply.startswith(b"354 "):
        writer.write(content)
        await writer.drain()
    return writer


async def attack(relay: RelayProcess, connections: int) -> int:
    """The memory of the relay while this many ``connections`` have unfinished messages."""
    begun = [begin_message(relay, BODY) for _ in range(connections)]
    writers = await asyncio.gather(*begun)
    await asyncio.sleep(1)
    memory = relay.memory()
    for writer in writers:
        writer.transport.abort()
    return memory


def wait_until_free(relay: RelayProcess) -> None:
    """Wait until no memory is reserved."""
    deadline = time.monotonic() + 60
    while relay.metric("memory_bytes") > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_unfinished_messages(relay: RelayProcess) -> None:
    """Also again and again: the memory of clients that have gone is free for the next ones."""
    before = relay.memory()
    assert asyncio.run(attack(relay, 199)) - before < MEMORY_MB * MIB
    assert relay.metric("memory_rejections_total") > 0
    for _ in range(5):
        wait_until_free(relay)
        assert asyncio.run(attack(relay, 40)) - before < MEMORY_MB * MIB
    wait_until_free(relay)
    with logged_in(relay) as talk:
        talk.begin_data()
        talk.send(BODY[:500_000] + b"\r\n.\r\n")
        assert talk.reply().startswith("250 2.0.0 ")


@pytest.mark.parametrize(
    "name",
    [
        "Subject: folded words without an end",
        "Content-Type: text/plain: an open quote",
        "headers of many parts: fields",
        "the start of a multipart/related",
    ],
)
def test_hostile_messages_do_not_delay_others(relay: RelayProcess, name: str) -> None:
    content = INPUTS[name]()
    waited = longest_wait(relay, content)
    # A busy machine is slow with harmless messages too.
    assert waited < 1 or waited < 5 * longest_wait(relay, BODY[: len(content)])


def longest_wait(relay: RelayProcess, content: bytes) -> float:
    """The longest time of a health check in seconds, while messages with ``content`` arrive."""

    def send(_: int) -> str:
        with logged_in(relay) as talk:
            talk.begin_data()
            talk.send(content + b"\r\n.\r\n")
            return talk.reply()

    longest = 0.0
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, number) for number in range(8)]
        while not all(one.done() for one in sent):
            began = time.monotonic()
            assert relay.get("/healthz") == "OK\n"
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.05)
    assert {one.result()[:3] for one in sent} <= {"250", "452", "552", "554"}
    return longest
