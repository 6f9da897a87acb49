"""What a client is told where the API has the mail, and something goes wrong then."""

import asyncio
import sys
from typing import Any

import pytest

from smtp_relay import replies
from smtp_relay.answers import Answer
from smtp_relay.handler import Handler
from tests.smtp.in_process import client

TAKEN = Answer(202, {"id": "1"})
OK = "250 2.0.0 Ok: queued as 1"
MESSAGE_ID = "Message-ID: <1@test>"


async def take() -> Answer:
    return TAKEN


def test_a_log_that_can_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> int:
        raise BrokenPipeError

    async def test() -> None:
        async with client(take) as smtp:
            monkeypatch.setattr(sys.stdout, "write", fail)
            assert await smtp.send() == OK
            monkeypatch.undo()

    asyncio.run(test())


def test_a_fault_when_the_api_has_the_mail() -> None:
    async def fail() -> Answer:
        raise RuntimeError

    async def test() -> None:
        async with client(fail) as smtp:
            assert await smtp.send() == replies.OUTCOME_UNKNOWN
            assert await smtp.send(MESSAGE_ID) == replies.API_SILENT
            assert smtp.relay.metrics.messages == {"unknown": 2}

    asyncio.run(test())


def test_a_fault_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    async def test() -> None:
        async with client(take) as smtp:
            monkeypatch.setattr("smtp_relay.handler.convert", fail)
            assert await smtp.send() == replies.INTERNAL_ERROR
            assert smtp.relay.metrics.messages == {"temporary": 1}

    asyncio.run(test())


def test_the_next_mail_after_a_fault() -> None:
    class Faulty(Handler):
        async def handle_DATA(self, *_: Any) -> str:  # noqa: N802
            raise RuntimeError

    async def test() -> None:
        async with client(take, Faulty) as smtp:
            assert await smtp.send() == replies.INTERNAL_ERROR
            assert await smtp.send() == replies.INTERNAL_ERROR

    asyncio.run(test())


@pytest.mark.parametrize(
    ("fields", "reply"), [([], replies.OUTCOME_UNKNOWN), ([MESSAGE_ID], replies.API_SILENT)]
)
def test_a_relay_that_can_not_wait_longer(fields: list[str], reply: str) -> None:
    async def test() -> None:
        async def never() -> Answer:
            smtp.stop.set()
            await asyncio.sleep(60)
            return TAKEN

        async with client(never, API_SECONDS="0.3", SMTP_STOP_SECONDS="0.5") as smtp:
            assert await smtp.send(*fields) == reply
            assert await smtp.reply() == replies.STOPPING
            assert await smtp.reply() == ""

    asyncio.run(test())


def test_a_client_that_waits_for_the_api_is_not_idle() -> None:
    async def slowly() -> Answer:
        await asyncio.sleep(1)
        return TAKEN

    async def test() -> None:
        async with client(slowly, API_SECONDS="0.3", SMTP_IDLE_SECONDS="0.3") as smtp:
            assert await smtp.send() == OK
            assert await smtp.reply() == replies.IDLE

    asyncio.run(test())


def test_a_login_that_has_ended() -> None:
    async def refuse() -> Answer:
        return Answer(401, {"code": "invalid_credential", "detail": "No"})

    async def test() -> None:
        async with client(refuse) as smtp:
            assert await smtp.send() == "535 5.7.8 No"
            assert await smtp.reply() == replies.LOGIN_ENDED
            assert await smtp.reply() == ""

    asyncio.run(test())


@pytest.mark.parametrize("command", ["RSET", "EHLO test", "HELO test"])
def test_whatever_ends_the_mail_ends_a_stopping_relay(command: str) -> None:
    async def test() -> None:
        async with client(take) as smtp:
            await smtp.ask("MAIL FROM:<>")
            smtp.stop.set()
            await asyncio.sleep(0.05)
            assert (await smtp.ask("NOOP")).startswith("250 ")
            assert (await smtp.ask(command)).startswith("250 ")
            assert await smtp.reply() == replies.STOPPING
            assert await smtp.reply() == ""

    asyncio.run(test())
