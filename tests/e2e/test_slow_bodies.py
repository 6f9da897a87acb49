"""Clients that do not finish their bodies, against the real runtime."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.e2e.api import DEPLOYMENT, Api, mail
from tests.e2e.test_memory import MB, idle_memory
from tools.local_server import LocalServer

SIZE = 10 * 1024 * 1024


@pytest.fixture
def own() -> Iterator[Api]:
    with LocalServer(variables=DEPLOYMENT) as server:
        yield Api(server)


def start_body(api: Api, size: int, sent: int) -> socket.socket:
    """Send a request without a credential, and only ``sent`` bytes of its body."""
    client = socket.create_connection(("localhost", api.server.port))
    client.sendall(
        b"POST /external/api/send_mail HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    )
    client.settimeout(2)
    try:
        client.sendall(b'{"token":"x","content":"'.ljust(sent, b"a"))
    except TimeoutError:
        client.settimeout(60)
        return client  # the Worker does not read it now
    client.settimeout(60)
    return client


@pytest.mark.slow
def test_unfinished_bodies_neither_fill_the_memory_nor_delay_others(own: Api) -> None:
    sender = own.new_sender(balance=10)
    memory = idle_memory(own)
    with ExitStack() as clients:

        def hold() -> None:
            for _ in range(12):
                clients.enter_context(start_body(own, SIZE, SIZE - 100))

        assert memory.growth_during(hold) < 80 * MB
        time.sleep(12)  # each may delay the others for a second, but only once
        for _ in range(2):
            sent = own.send(sender, content="a" * 2_000_000)
            assert sent.status_code == 200
            assert sent.elapsed.total_seconds() < 4


@pytest.mark.slow
def test_a_client_that_stops_sending_gets_an_error(own: Api) -> None:
    with start_body(own, 1000, 500) as client:
        started = time.monotonic()
        response = client.recv(10_000)
        assert 25 < time.monotonic() - started < 40
        while not response.endswith(b"}"):
            response += client.recv(10_000)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_too_slow"' in response


@pytest.mark.slow
def test_large_bodies_that_wait_for_the_provider_do_not_delay_others(own: Api) -> None:
    thief, owner = own.new_sender(balance=0), own.new_sender(balance=10)
    body = {**mail(to_mail="slow@test.invalid", content="c"), "pad": "x" * (SIZE - 1000)}
    with ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(own.post, "/api/send_mail", body, headers=thief.headers, timeout=120)
            for _ in range(4)
        ]
        time.sleep(3)
        for _ in range(3):
            sent = own.send(owner, content="a" * 100_000)
            assert sent.status_code == 200
            assert sent.elapsed.total_seconds() < 10
        assert not any(response.done() for response in waiting)
    assert {response.result().status_code for response in waiting} == {502}
