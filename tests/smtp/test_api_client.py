"""The client for the API, and its connections."""

import asyncio
import contextlib
import random
import socket

import httpx
import pytest

from smtp_relay.api import Api, ApiBusy, ApiSilent, ApiUnavailable
from smtp_relay.client_pool import ClientPool
from smtp_relay.fair_semaphore import FairSemaphore
from smtp_relay.metrics import Histogram
from smtp_relay.settings import read_settings


async def send(url: str) -> None:
    api = Api(read_settings({"API_URL": url, "API_SECONDS": "0.9"}), Histogram())
    try:
        await api.send_mail("credential", b"{}", None, user="a@example.com")
    finally:
        await api.aclose()


def test_an_unreachable_host_has_not_received_the_request() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # Linux ignores further connections when the backlog is full.
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(ApiUnavailable):
            asyncio.run(send(f"http://127.0.0.1:{full.getsockname()[1]}"))


def test_a_silent_host_may_have_received_the_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ApiSilent):
        asyncio.run(send(f"http://127.0.0.1:{silent.getsockname()[1]}"))


async def test_idle_connections_are_closed() -> None:
    made: list[httpx.AsyncClient] = []

    def make() -> httpx.AsyncClient:
        made.append(httpx.AsyncClient())
        return made[-1]

    pool = ClientPool(2, make, wait_seconds=1, idle_seconds=0.1)
    closing = asyncio.create_task(pool.close_idle())
    async with pool.client("a"), pool.client("b"):
        await asyncio.sleep(0.3)
        assert not any(client.is_closed for client in made)
    for _ in range(6):
        await asyncio.sleep(0.05)
        async with pool.client("a"):  # the pool lends the client used last
            pass
    assert [client.is_closed for client in made] == [False, True]
    await asyncio.sleep(0.3)
    assert all(client.is_closed for client in made)
    closing.cancel()


async def take(stack: contextlib.AsyncExitStack, shared: FairSemaphore, user: str) -> bool:
    """Whether ``user`` gets a place, which ``stack`` then holds."""
    try:
        await stack.enter_async_context(shared.place(user, wait_seconds=0.001))
    except TimeoutError:
        return False
    return True


async def test_users_share_the_places() -> None:
    shared = FairSemaphore(100)
    async with contextlib.AsyncExitStack() as stack:
        taken = [sum([await take(stack, shared, user) for _ in range(55)]) for user in "abcdefg"]
        assert taken == [44, 22, 11, 6, 3, 1, 1]
        # An eighth of the places is for users who hold none.
        others = [await take(stack, shared, user) for user in "hijklmnopqrst"]
        assert others == [True] * 12 + [False]
    async with contextlib.AsyncExitStack() as stack:
        assert sum([await take(stack, shared, "b") for _ in range(55)]) == 44


@pytest.mark.parametrize("limit", [1, 2, 5, 8, 17])
async def test_no_user_waits_for_a_place_that_the_user_may_have(limit: int) -> None:
    shared = FairSemaphore(limit)
    chance = random.Random(limit)
    held: dict[str, list[asyncio.Event]] = {user: [] for user in "abcd"}
    begun = dict.fromkeys(held, 0)
    uses: list[asyncio.Task[None]] = []

    async def use(user: str) -> None:
        end = asyncio.Event()
        async with shared.place(user, wait_seconds=60):
            held[user].append(end)
            await end.wait()

    for _ in range(1000):
        user = chance.choice("abcd")
        if held[user] and chance.random() < 0.5:
            held[user].pop().set()
            begun[user] -= 1
        else:
            uses.append(asyncio.create_task(use(user)))
            begun[user] += 1
        for _ in range(4):  # until the user has the place, or has left it to others
            await asyncio.sleep(0)
        free = limit - sum(map(len, held.values()))
        assert free >= 0
        for other, places in held.items():
            may_have_one = len(places) < free - limit // 8 if places else free > 0
            assert begun[other] == len(places) or not may_have_one
    for task in uses:
        task.cancel()


async def test_a_single_place_is_used() -> None:
    shared = FairSemaphore(1)
    async with contextlib.AsyncExitStack() as stack:
        assert await take(stack, shared, "a")
        assert not await take(stack, shared, "b")
    async with contextlib.AsyncExitStack() as stack:
        assert await take(stack, shared, "b")


class OnePlace:
    """One place for all users. ``order`` has the users that had it, in their order."""

    def __init__(self) -> None:
        self.shared = FairSemaphore(1)
        self.order: list[str] = []

    def start(self, user: str) -> asyncio.Task[None]:
        """Let ``user`` wait for the place, and leave it at once."""
        return asyncio.create_task(self._use(user))

    async def _use(self, user: str) -> None:
        async with self.shared.place(user, wait_seconds=5):
            self.order.append(user)


async def test_waiting_users_take_turns() -> None:
    one = OnePlace()
    async with one.shared.place("a", wait_seconds=5):
        uses = [one.start(user) for user in "aaabbc"]
        await asyncio.sleep(0)
        uses[0].cancel()
    await asyncio.gather(*uses, return_exceptions=True)
    assert one.order == ["a", "b", "c", "a", "b"]


async def test_a_place_that_comes_too_late_is_given_to_the_next() -> None:
    one = OnePlace()
    async with one.shared.place("a", wait_seconds=5):
        first, second = one.start("b"), one.start("c")
        await asyncio.sleep(0)
    first.cancel()  # it has the place, but has not noticed it yet
    await second
    assert first.cancelled()
    assert one.order == ["c"]


async def test_slow_messages_of_one_user_do_not_stop_others() -> None:
    """The API responds to no message with the credential ``slow``, and to all other requests."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Bearer slow" not in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    variables = {"API_URL": f"http://127.0.0.1:{port}", "API_CONNECTIONS": "4", "API_SECONDS": "3"}
    api = Api(read_settings(variables), Histogram())
    slow = [
        asyncio.ensure_future(api.send_mail("slow", b"{}", None, user="a@example.com"))
        for _ in range(20)
    ]
    await asyncio.sleep(0.2)
    async with asyncio.timeout(0.7):  # a user over the share waits for a second
        assert (await api.check_credential("credential")).status == 200
        assert (await api.send_mail("good", b"{}", None, user="b@example.com")).status == 200
    outcomes = await asyncio.gather(*slow, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(ApiSilent) == 2
    assert [type(outcome) for outcome in outcomes].count(ApiBusy) == 18
    await api.aclose()
    server.close()


async def test_all_connections_for_logins_are_used() -> None:
    """Also if one account tries to take them all."""
    asked = 0

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1

    server = await asyncio.start_server(ignore, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    variables = {"API_URL": f"http://127.0.0.1:{port}", "API_CONNECTIONS": "40"}
    api = Api(read_settings(variables), Histogram())
    logins = [asyncio.ensure_future(api.address_login("a@example.com", "")) for _ in range(4)]
    await asyncio.sleep(0.2)
    assert asked == 2
    logins += [asyncio.ensure_future(api.check_credential(name)) for name in ("b", "c", "d")]
    await asyncio.sleep(0.2)
    assert asked == 4
    for login in logins:
        login.cancel()
    await asyncio.gather(*logins, return_exceptions=True)
    await api.aclose()
    server.close()
