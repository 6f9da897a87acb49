"""Ten thousand requests leave nothing behind in the Worker: no coroutines, and no memory."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.api import DEPLOYMENT, Api, Sender, mail
from tools.local_server import LocalServer
from tools.wrangler import CONFIG

REQUESTS = 10_000
OVERLAY = {
    "entry.py": Path(__file__).with_name("counting_entry.py"),
    "entry_original.py": CONFIG.parent / "src" / "entry.py",
}


@pytest.fixture
def own() -> Iterator[Api]:
    with LocalServer(variables=DEPLOYMENT, overlay=OVERLAY) as server:
        yield Api(server)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_requests_leave_nothing_behind(own: Api) -> None:
    """The resident memory of workerd is not compared: a Worker of one line makes it grow too."""
    sender = own.new_sender(balance=REQUESTS)
    make_requests(own, sender, REQUESTS // 5)  # fills caches of limited size
    before = counts(own)
    make_requests(own, sender, REQUESTS)
    after = counts(own)
    assert after["coroutines"] == 0
    assert after["memory"] == before["memory"]
    assert after["objects"] < before["objects"] + REQUESTS // 10


def counts(api: Api) -> dict[str, int]:
    found: dict[str, int] = api.get("/api/counts").json()
    return found


def make_requests(api: Api, sender: Sender, count: int) -> None:
    """Send mails, list them, and make requests that fail, eight at a time."""
    kinds: list[tuple[Callable[[requests.Session], requests.Response], int]] = [
        (lambda session: call(session, "POST", "/api/send_mail", json=mail()), 200),
        (lambda session: call(session, "GET", "/api/sendbox?limit=1&offset=0"), 200),
        (lambda session: call(session, "POST", "/emails", data=b"{"), 400),
        (lambda session: call(session, "POST", "/api/nowhere", json={}), 404),
        (lambda session: call(session, "GET", "/health_check"), 200),
    ]

    def call(session: requests.Session, method: str, path: str, **options: Any) -> Any:
        return session.request(
            method, api.server.url + path, headers=sender.headers, timeout=60, **options
        )

    def some(worker: int) -> None:
        with requests.Session() as session:
            for number in range(worker, count, 8):
                send, status = kinds[number % len(kinds)]
                response = send(session)
                assert response.status_code == status, response.text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(some, range(8)))
