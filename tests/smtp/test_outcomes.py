"""Replies when something fails after the API has received the message."""

import asyncio
import sys
from typing import Any

import pytest

from smtp_relay import replies
from smtp_relay.api_response import ApiResponse
from smtp_relay.handler import Handler
from tests.smtp.in_process import client

TAKEN = ApiResponse(202, {"id": "1"})
OK = "250 2.0.0 Ok: queued as 1"
MESSAGE_ID = "Message-ID: <1@test>"


async def take() -> ApiResponse:
    return TAKEN


async def test_a_log_that_can_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> int:
        raise BrokenPipeError

    async with client(take) as smtp:
        monkeypatch.setattr(sys.stdout, "write", fail)
        assert await smtp.send() == OK
        monkeypatch.undo()


async def test_an_error_after_the_api_has_the_message() -> None:
    async def fail() -> ApiResponse:
        raise RuntimeError

    async with client(fail) as smtp:
        assert await smtp.send() == replies.OUTCOME_UNKNOWN
        assert await smtp.send(MESSAGE_ID) == replies.API_SILENT
        assert smtp.metrics.messages == {"unknown": 2}


async def test_an_error_before_the_api_has_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    async with client(take) as smtp:
        monkeypatch.setattr("smtp_relay.submission.convert", fail)
        assert await smtp.send() == replies.INTERNAL_ERROR
        assert smtp.metrics.messages == {"temporary": 1}


@pytest.mark.timeout(20)  # an open submission would delay the end of the relay by 80 s
async def test_the_next_message_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> str:
        raise RuntimeError

    monkeypatch.setattr(Handler, "submit", fail)
    async with client(take) as smtp:
        assert await smtp.send() == replies.INTERNAL_ERROR
        assert await smtp.send() == replies.INTERNAL_ERROR
        assert smtp.metrics.memory_bytes == 0


@pytest.mark.parametrize(
    ("fields", "reply"), [([], replies.OUTCOME_UNKNOWN), ([MESSAGE_ID], replies.API_SILENT)]
)
async def test_a_relay_that_stops_waiting_for_the_api(fields: list[str], reply: str) -> None:
    async def never() -> ApiResponse:
        smtp.stop.set()
        await asyncio.sleep(60)
        return TAKEN

    async with client(never, API_SECONDS="0.3", SMTP_STOP_SECONDS="0.5") as smtp:
        assert await smtp.send(*fields) == reply
        assert await smtp.reply() == replies.STOPPING
        assert await smtp.reply() == ""


async def test_a_client_that_waits_for_the_api_is_not_idle() -> None:
    async def slowly() -> ApiResponse:
        await asyncio.sleep(1)
        return TAKEN

    async with client(slowly, API_SECONDS="0.3", SMTP_IDLE_SECONDS="0.3") as smtp:
        assert await smtp.send() == OK
        assert await smtp.reply() == replies.IDLE


async def test_an_expired_login() -> None:
    async def reject() -> ApiResponse:
        return ApiResponse(401, {"code": "invalid_credential", "detail": "No"})

    async with client(reject) as smtp:
        assert await smtp.send() == "535 5.7.8 No"
        assert await smtp.reply() == replies.LOGIN_ENDED
        assert await smtp.reply() == ""


async def test_no_pipelined_message_after_an_expired_login() -> None:
    calls = 0

    async def reject() -> ApiResponse:
        nonlocal calls
        calls += 1
        return ApiResponse(401, {"code": "invalid_credential", "detail": "No"})

    async with client(reject) as smtp:
        begin = ("MAIL FROM:<>", "RCPT TO:<recipient@example.net>", "DATA")
        once = "\r\n".join([*begin, "Subject: A subject", "", "text", "."])
        codes = [(await smtp.ask(f"{once}\r\n{once}"))[:3]]
        codes += [(await smtp.reply())[:3] for _ in range(5)]
        assert codes == ["250", "250", "354", "535", "421", ""]
    assert calls == 1


@pytest.mark.parametrize("command", ["RSET", "EHLO test", "HELO test"])
async def test_a_stopping_relay_closes_the_session_after_its_transaction(command: str) -> None:
    async with client(take) as smtp:
        await smtp.ask("MAIL FROM:<>")
        smtp.stop.set()
        await asyncio.sleep(0.05)
        assert (await smtp.ask("NOOP")).startswith("250 ")
        assert (await smtp.ask(command)).startswith("250 ")
        assert await smtp.reply() == replies.STOPPING
        assert await smtp.reply() == ""
