"""Reading a message from a connection, in pieces of any size."""

import asyncio
import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relay.data import MessageRejected, read_mail
from smtp_relay.memory import MessageMemory
from smtp_relay.metrics import Metrics

# Lines without CR LF, but with dots, and with CR and LF alone.
LINES = st.lists(
    st.lists(st.sampled_from([b".", b"..", b"x", b"\r", b"\n", b"y" * 40]), max_size=5)
    .map(b"".join)
    .filter(lambda line: b"\r\n" not in line and not line.startswith(b"\n")),
    max_size=10,
)
BEHIND = b"NEXT COMMAND\r\n"


def on_the_wire(mail: bytes) -> bytes:
    lines = mail.split(b"\r\n")[:-1]
    dotted = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in dotted) + b".\r\n"


async def received(
    content: bytes, sizes: list[int], *, limit: int = 64, max_bytes: int = 10**6
) -> bytes:
    """The message read from ``content``. It arrives in pieces of these ``sizes``, then the rest."""
    reader = asyncio.StreamReader(limit=limit)
    reservation = MessageMemory(10**9, Metrics(), connections=1).reserve("sender@example.com")
    reading = asyncio.ensure_future(read_mail(reader, max_bytes=max_bytes, reservation=reservation))
    rest = content + BEHIND
    for size in sizes:
        reader.feed_data(rest[:size])
        rest = rest[size:]
        await asyncio.sleep(0)
    reader.feed_data(rest)
    reader.feed_eof()
    try:
        return await reading
    finally:
        assert await reader.read() == BEHIND


@given(LINES, st.lists(st.integers(1, 6)), st.sampled_from([8, 64, 10_000]))
def test_every_message_arrives(lines: list[bytes], sizes: list[int], limit: int) -> None:
    mail = b"".join(line + b"\r\n" for line in lines)
    reading = received(on_the_wire(mail), sizes, limit=limit)
    assert asyncio.run(reading) == mail


@pytest.mark.parametrize(("size", "most"), [(5_000_000, 13_000_000), (50_000_000, 8_000_000)])
def test_a_large_message_is_not_copied_many_times(size: int, most: int) -> None:
    async def read() -> None:
        reader = asyncio.StreamReader(limit=64 * 1024)
        reservation = MessageMemory(10**9, Metrics(), connections=1).reserve("sender@example.com")
        reading = read_mail(reader, max_bytes=5_000_000, reservation=reservation)
        task = asyncio.ensure_future(reading)
        line = b"x" * 998 + b"\r\n"
        for _ in range(size // 1000):
            reader.feed_data(line)
            await asyncio.sleep(0)
        reader.feed_data(b".\r\n")
        with contextlib.suppress(MessageRejected):
            await task

    tracemalloc.start()
    try:
        asyncio.run(read())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


@given(LINES, st.integers(0, 100))
def test_the_limit_is_exact(lines: list[bytes], max_bytes: int) -> None:
    mail = b"".join(line + b"\r\n" for line in lines)
    reading = received(on_the_wire(mail), [], max_bytes=max_bytes)
    if len(mail) > max_bytes:
        with pytest.raises(MessageRejected, match=r"552 5\.3\.4 "):
            asyncio.run(reading)
    else:
        assert asyncio.run(reading) == mail
