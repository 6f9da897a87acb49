"""The memory for messages under way: the share of each user, and when memory is free again."""

import asyncio
import contextlib
import socket
import struct
import time
from pathlib import Path

import pytest

from smtp_relay import replies
from smtp_relay.api_response import ApiResponse
from smtp_relay.memory import COPIES, MessageMemory, own_bytes
from smtp_relay.memory_limit import memory_limit, message_memory
from smtp_relay.metrics import Metrics
from smtp_relay.session import declared_size
from smtp_relay.settings import SettingsError, read_settings
from tests.smtp.in_process import Client, client

MIB = 1024 * 1024
LITTLE = {"SMTP_MEMORY_MB": "10", "SMTP_MAX_BYTES": "1048576"}
OWN_OF_LITTLE = own_bytes(10 * MIB, 1000)
LINE = b"x" * 998 + b"\r\n"


async def accept() -> ApiResponse:
    return ApiResponse(200, {"id": "1"})


def memory(limit: int) -> tuple[MessageMemory, Metrics]:
    """Memory of which ``limit`` bytes are shared, and which has none for each connection."""
    metrics = Metrics()
    return MessageMemory(limit, metrics, connections=10**12), metrics


# Shares


def test_a_user_alone_may_have_half() -> None:
    shared, metrics = memory(10 * COPIES * 1000)
    held = [shared.reserve("a") for _ in range(10)]
    assert [one.resize(1000) for one in held] == [True] * 5 + [False] * 5
    assert metrics.memory_bytes == 5 * COPIES * 1000
    assert metrics.memory_rejections == 5


def test_other_users_have_a_share_too() -> None:
    shared, _ = memory(30 * COPIES * 1000)
    for user, expected in (("a", 15), ("b", 7), ("c", 4)):
        granted = [shared.reserve(user).resize(1000) for _ in range(30)]
        assert sum(granted) == expected
        assert not shared.has_room(user, 1000)
    assert shared.has_room("d", 1000)


def test_released_memory_is_free() -> None:
    shared, metrics = memory(2 * COPIES * 1000)
    one = shared.reserve("a")
    for _ in range(3):
        assert one.resize(1000)
        assert not shared.has_room("a", 1)
        one.release()
        one.release()
        assert metrics.memory_bytes == 0
        assert shared.has_room("a", 1000)


def test_a_reservation_grows_and_shrinks() -> None:
    shared, metrics = memory(100 * MIB)
    one = shared.reserve("a")
    assert one.resize(MIB)
    assert one.grow(1000)
    assert metrics.memory_bytes == COPIES * MIB
    assert one.grow(2 * MIB)
    assert metrics.memory_bytes == COPIES * 2 * MIB
    assert not one.grow(50 * MIB)
    assert metrics.memory_bytes == COPIES * 2 * MIB
    assert one.resize(1000)
    assert metrics.memory_bytes == COPIES * 1000


def test_a_small_message_always_has_memory() -> None:
    metrics = Metrics()
    shared = MessageMemory(8000, metrics, connections=10)  # 100 bytes each, 7000 shared
    held = [shared.reserve(user) for user in "abcdefghijklmnop"]
    for one in held:
        assert any(one.grow(size) for size in range(4000, 0, -50))
    assert not shared.has_room("z", 1000)
    assert shared.has_room("z", 100 // COPIES)
    before = metrics.memory_bytes
    small = shared.reserve("z")
    assert small.grow(100 // COPIES)
    assert metrics.memory_bytes == before
    for one in (small, *held):
        one.release()
    assert metrics.memory_bytes == 0
    large = shared.reserve("z")
    assert large.grow(3600 // COPIES)
    assert not large.grow(3602 // COPIES)
    assert metrics.memory_bytes == 3500


@pytest.mark.parametrize(
    ("options", "size"),
    [([], 0), (["SIZE=5"], 5), (["BODY=8BITMIME", "SIZE=70", "SMTPUTF8"], 70), (["SIZE="], 0)],
)
def test_the_declared_size(options: list[str], size: int) -> None:
    assert declared_size(options) == size


# The limit


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/system.slice/relay.service\n", {"system.slice/relay.service/memory.max": "900"}, 900),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "700\n"}, 700),
        ("0::/a/b\n", {"a/b/memory.max": "500\n", "a/memory.max": "700\n"}, 500),
        ("0::/\n", {"memory.max": "800\n"}, 800),
        ("0::/gone\n", {}, None),
        ("0::/../../above\n", {"memory.max": "800\n"}, 800),
        (
            "4:memory:/docker/x\n1:cpu:/\n0::/\n",
            {"memory/docker/x/memory.limit_in_bytes": "600\n"},
            600,
        ),
        ("4:memory:/x\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("", {}, None),
    ],
)
def test_the_limit_of_the_control_group(
    tmp_path: Path, own: str, files: dict[str, str], limit: int | None
) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(own)
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert memory_limit(tmp_path) == limit


def test_without_control_groups(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
    assert message_memory(read_settings({}), tmp_path) == 512 * MIB


def test_half_of_what_the_relay_may_use(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    file = tmp_path / "sys/fs/cgroup/memory.max"
    file.write_text(str(256 * MIB))
    assert message_memory(read_settings({}), tmp_path) == 128 * MIB
    assert message_memory(read_settings({"SMTP_MEMORY_MB": "200"}), tmp_path) == 200 * MIB
    file.write_text(str(32 * MIB))
    with pytest.raises(SettingsError, match="Half of the 32 MB that the relay may use is too"):
        message_memory(read_settings({}), tmp_path)


def test_too_little_for_a_message(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"SMTP_MEMORY_MB=1 .* must be at least 31 MB"):
        message_memory(read_settings({"SMTP_MEMORY_MB": "1"}), tmp_path)
    with pytest.raises(SettingsError, match=r"SMTP_MEMORY_MB=512, the default, is too little"):
        message_memory(read_settings({"SMTP_MAX_BYTES": "500000000"}), tmp_path)


# In a session


async def begin(smtp: Client, size: int | None = None) -> str:
    """The reply to DATA, or to MAIL if MAIL is rejected."""
    declared = "" if size is None else f" SIZE={size}"
    reply = await smtp.ask(f"MAIL FROM:<>{declared}")
    if not reply.startswith("250 "):
        return reply
    await smtp.ask("RCPT TO:<recipient@example.net>")
    return await smtp.ask("DATA")


async def finish(smtp: Client, size: int) -> str:
    smtp.writer.write(b"Subject: A subject\r\n\r\n" + LINE * (size // 1000))
    return await smtp.ask(".")


async def hold(smtp: Client) -> None:
    """Send the most that fits, without the end of the message."""
    smtp.writer.write(b"Subject: A subject\r\n\r\n" + LINE * 1000)
    await smtp.writer.drain()
    await asyncio.sleep(0.1)


async def test_a_declared_size_is_not_reserved() -> None:
    async with client(accept, **LITTLE) as smtp, contextlib.AsyncExitStack() as others:
        for _ in range(20):
            other = await others.enter_async_context(smtp.another())
            assert (await begin(other, MIB)).startswith("354 ")
        assert smtp.metrics.memory_bytes == 0
        assert (await begin(smtp, MIB)).startswith("354 ")
        assert (await finish(smtp, 1_000_000)).startswith("250 2.0.0 ")


async def test_a_small_message_is_accepted_when_the_memory_is_full() -> None:
    async with client(accept, **LITTLE) as smtp, smtp.another() as second, smtp.another() as third:
        for one in (smtp, second):
            assert (await begin(one)).startswith("354 ")
            await hold(one)
        assert await begin(third, MIB) == replies.NO_MEMORY
        assert (await begin(third, 500)).startswith("354 ")
        assert (await finish(third, 0)).startswith("250 2.0.0 ")


async def test_a_declared_size_that_does_not_fit_is_rejected_in_mail() -> None:
    async with client(accept, **LITTLE) as smtp, smtp.another() as second, smtp.another() as third:
        for one in (smtp, second):
            assert (await begin(one, MIB)).startswith("354 ")
            await hold(one)
        assert await begin(third, MIB) == replies.NO_MEMORY
        assert (await third.ask("RCPT TO:<a@example.net>")).startswith("503 ")
        assert smtp.metrics.memory_rejections == 1
        assert (await smtp.ask(".")).startswith("250 2.0.0 ")
        assert (await begin(third, MIB)).startswith("354 ")
        assert (await finish(third, 10_000)).startswith("250 2.0.0 ")


async def test_data_is_rejected_if_others_took_the_memory_after_mail() -> None:
    async with client(accept, **LITTLE) as smtp, smtp.another() as second, smtp.another() as third:
        for one in (smtp, second, third):
            assert (await one.ask(f"MAIL FROM:<> SIZE={MIB}")).startswith("250 ")
            assert (await one.ask("RCPT TO:<recipient@example.net>")).startswith("250 ")
        for one in (smtp, second):
            assert (await one.ask("DATA")).startswith("354 ")
            await hold(one)
        assert await third.ask("DATA") == replies.NO_MEMORY
        assert (await second.ask(".")).startswith("250 2.0.0 ")
        # The transaction of the rejected DATA is still open.
        assert (await third.ask("DATA")).startswith("354 ")
        assert (await finish(third, 10_000)).startswith("250 2.0.0 ")


async def test_a_message_must_make_progress() -> None:
    async with client(accept, SMTP_DATA_SECONDS="2") as smtp:
        assert (await begin(smtp)).startswith("354 ")
        smtp.writer.write(LINE * 100)
        began = time.monotonic()
        assert await smtp.reply() == replies.IDLE
        assert time.monotonic() - began < 1.5


async def test_a_message_must_end_in_time() -> None:
    async with client(accept, SMTP_DATA_SECONDS="4") as smtp:
        assert (await begin(smtp)).startswith("354 ")
        began = time.monotonic()
        reply = asyncio.ensure_future(smtp.reply())
        while not reply.done():
            assert time.monotonic() - began < 9
            smtp.writer.write(LINE * 80)
            await asyncio.wait([reply], timeout=0.05)
        assert await reply == replies.IDLE
        assert time.monotonic() - began > 3.5


async def test_without_a_declared_size_the_reservation_grows() -> None:
    async with client(accept, **LITTLE) as smtp, smtp.another() as second, smtp.another() as third:
        for one in (smtp, second):
            assert (await begin(one)).startswith("354 ")
            one.writer.write(b"Subject: A subject\r\n\r\n" + LINE * 1000)
        assert (await begin(third)).startswith("354 ")
        assert await finish(third, 1_000_000) == replies.NO_MEMORY
        assert (await third.ask("NOOP")).startswith("250 ")
        # The messages of the other sessions are not affected.
        assert (await smtp.ask(".")).startswith("250 2.0.0 ")
        assert (await second.ask(".")).startswith("250 2.0.0 ")
        assert smtp.metrics.memory_bytes == 0
        assert (await begin(third)).startswith("354 ")
        assert (await finish(third, 1_000_000)).startswith("250 2.0.0 ")


async def test_a_message_larger_than_declared() -> None:
    async with client(accept, **LITTLE) as smtp:
        assert (await begin(smtp, 10)).startswith("354 ")
        assert (await finish(smtp, 1_000_000)).startswith("250 2.0.0 ")
        assert smtp.metrics.memory_bytes == 0


@pytest.mark.parametrize("size", [0, 300_000, 3_000_000])
async def test_memory_is_free_when_a_client_goes(size: int) -> None:
    async with client(accept, **LITTLE) as smtp, smtp.another() as second:
        assert (await begin(second)).startswith("354 ")
        second.writer.write(LINE * (size // 1000))
        await second.writer.drain()
        await asyncio.sleep(0.05)
        assert (smtp.metrics.memory_bytes > 0) == (0 < size < MIB)
        second.writer.transport.abort()
        await asyncio.sleep(0.05)
        assert smtp.metrics.memory_bytes == 0


async def test_memory_is_reserved_until_the_api_responds() -> None:
    may_respond = asyncio.Event()

    async def respond() -> ApiResponse:
        await may_respond.wait()
        return ApiResponse(200, {"id": "1"})

    async with client(respond, **LITTLE) as smtp, smtp.another() as second:
        assert (await begin(second, MIB)).startswith("354 ")
        second.writer.write(b"Subject: A subject\r\n\r\n" + LINE * 500 + b".\r\n")
        await asyncio.sleep(0.3)
        # Reset the connection. After an ordinary end, the relay would still try to reply.
        reset = struct.pack("ii", 1, 0)
        second.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, reset
        )
        second.writer.transport.abort()
        await asyncio.sleep(0.05)
        # After the conversion, only memory for the request is reserved.
        reserved = smtp.metrics.memory_bytes + OWN_OF_LITTLE
        assert 500_000 < reserved < 520_000
        # The client has gone, but its connection counts until then.
        assert smtp.metrics.open_connections == 2
        may_respond.set()
        await asyncio.sleep(0.05)
        assert smtp.metrics.open_connections == 1
        assert smtp.metrics.memory_bytes == 0
        assert smtp.metrics.messages["accepted"] == 1


async def test_a_request_that_is_larger_than_its_message() -> None:
    async with client(accept, **LITTLE) as smtp:
        assert (await begin(smtp, MIB)).startswith("354 ")
        smtp.writer.write(b"Subject: A subject\r\n\r\n" + (b"\x01" * 998 + b"\r\n") * 1000)
        assert await smtp.ask(".") == replies.NO_MEMORY
        assert smtp.metrics.memory_bytes == 0
        assert smtp.metrics.messages["temporary"] == 1


async def test_a_request_that_is_larger_than_the_api_accepts() -> None:
    async with client(accept) as smtp:
        assert (await begin(smtp)).startswith("354 ")
        smtp.writer.write(b"Subject: A subject\r\n\r\n" + (b"\x01" * 998 + b"\r\n") * 2000)
        expected = "552 5.3.4 The message is too large for the API (max 10485760 bytes of JSON)"
        assert await smtp.ask(".") == expected
        assert smtp.metrics.memory_bytes == 0
