"""The client for the API, and its connections."""

import asyncio
import socket

import httpx
import pytest

from smtp_relay.api import Api, ApiSilent, ApiUnavailable
from smtp_relay.client_pool import ClientPool
from smtp_relay.metrics import Histogram
from smtp_relay.settings import read_settings


async def send(url: str) -> None:
    api = Api(read_settings({"API_URL": url, "API_SECONDS": "0.9"}), Histogram())
    try:
        await api.send_mail("credential", b"{}", None)
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
    async with pool.client(), pool.client():
        await asyncio.sleep(0.3)
        assert not any(client.is_closed for client in made)
    for _ in range(6):
        await asyncio.sleep(0.05)
        async with pool.client():  # the pool lends the client used last
            pass
    assert [client.is_closed for client in made] == [False, True]
    await asyncio.sleep(0.3)
    assert all(client.is_closed for client in made)
    closing.cancel()
