"""Clients that send many commands at once."""

import pytest

from smtp_relay import addresses
from smtp_relay.session import SmtpSession
from tests.smtp.in_process import client
from tests.smtp.test_memory import accept

MANY = 5000


async def test_many_commands_do_not_delay_other_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sessions take turns."""
    replied: list[str] = []
    push = SmtpSession.push

    async def note(session: SmtpSession, status: str | bytes) -> None:
        replied.append(session.id)
        await push(session, status)

    async with client(accept) as hasty, hasty.another() as other:
        monkeypatch.setattr(SmtpSession, "push", note)
        hasty.writer.write(b"NOOP\r\n" * MANY)
        assert await other.ask("NOOP") == "250 2.0.0 OK"
        assert len(replied) < MANY / 10
        for _ in range(MANY):
            assert await hasty.reply() == "250 2.0.0 OK"
        assert len(replied) == MANY + 1


async def test_a_client_that_stops_sending_after_its_commands_gets_its_replies() -> None:
    async with client(accept) as smtp:
        smtp.writer.write(b"EHLO test\r\nNOOP\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n")
        smtp.writer.write_eof()
        replies = [await smtp.reply() for _ in range(6)]
        assert [reply[:4] for reply in replies] == ["250 ", "250 ", "250 ", "250 ", "221 ", ""]


async def test_recipients_are_compared_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address in another script takes a fifth of a millisecond."""
    computed: list[str] = []
    key = addresses.key

    def note(address: str) -> str:
        computed.append(address)
        return key(address)

    async with client(accept) as smtp:
        await smtp.ask("MAIL FROM:<>")
        monkeypatch.setattr(addresses, "key", note)
        for number in range(50):
            assert (await smtp.ask(f"RCPT TO:<{number}@\u00fc.example>")).startswith("250 ")
        assert (await smtp.ask("RCPT TO:<50@\u00fc.example>")).startswith("452 ")
        assert (await smtp.ask("RCPT TO:<7@xn--tda.example>")).startswith("250 ")
        assert len(computed) == 52
