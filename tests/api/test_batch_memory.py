"""What a large batch leaves in memory, and whether other requests continue meanwhile."""

import gc
import json
import tracemalloc
from typing import Any

import pytest

from tests.client import TestClient
from tests.client.waiting import AsyncioWaiting
from tests.e2e.api import DEPLOYMENT, Api, Sender


def emails(sender: Sender, count: int, **fields: Any) -> list[dict[str, Any]]:
    email = {"from": sender.address, "to": "bob@example.net", "subject": "s", **fields}
    return [email] * count


def test_a_rejected_batch_leaves_no_memory_to_the_garbage_collector() -> None:
    with TestClient(DEPLOYMENT) as client:
        api = Api(client)
        sender = api.new_sender(balance=10)
        body = json.dumps([*emails(sender, 20, text="a" * 100_000), {"from": "x"}]).encode()
        headers = {**sender.headers, "Content-Type": "application/json"}
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            response = api.call("POST", "/emails/batch", data=body, headers=headers)
            status = response.status_code
            del response
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            gc.enable()
    assert status == 422
    assert kept < 500_000


def test_other_requests_continue_while_a_large_batch_is_composed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    yields = 0

    async def counted(self: AsyncioWaiting, seconds: float) -> None:
        nonlocal yields
        yields += seconds == 0

    monkeypatch.setattr(AsyncioWaiting, "sleep", counted)
    with TestClient(DEPLOYMENT) as client:
        api = Api(client)
        sender = api.new_sender(balance=100)
        large = emails(sender, 20, html="<p>a</p>" * 10_000)
        assert api.post("/emails/batch", large, headers=sender.headers).status_code == 200
        assert yields >= 20
        yields = 0
        small = emails(sender, 50, html="<p>a</p>")
        assert api.post("/emails/batch", small, headers=sender.headers).status_code == 200
        assert yields == 0
