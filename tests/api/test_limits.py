"""Balances, lists and quotas: the database enforces them exactly, even under concurrency."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.calls import send_call
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem

PREFIX = "Failed to send mail "


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    """A deployment for this file alone: quotas count the mails of all addresses."""
    with TestClient(DEPLOYMENT) as running:
        yield Api(running)


@pytest.fixture(autouse=True)
def no_lists(own: Api) -> Iterator[None]:
    yield
    for table in ("list_entries", "settings", "daily_recipients"):
        own.server.sql(f"DELETE FROM {table}")


def add_to_list(api: Api, name: str, value: str) -> None:
    api.server.sql("INSERT INTO list_entries (list, value) VALUES (?, ?)", [name, value])


def set_limits(api: Api, limits: str) -> None:
    api.server.sql("INSERT INTO settings (key, value) VALUES ('send_limits', ?)", [limits])


def send_at_once(api: Api, sender: Sender, times: int) -> Counter[tuple[int, Any]]:
    responses = api.server.request_all([send_call(sender)] * times)
    return Counter((response.status_code, response.json().get("code")) for response in responses)


@pytest.mark.contract("balance: The default balance is granted once, on first use")
def test_concurrent_first_sends_grant_the_balance_once(own: Api) -> None:
    sender = own.new_sender()
    assert send_at_once(own, sender, 10) == {(200, None): 10}
    assert own.balance(sender) == 1000 - 10


@pytest.mark.contract(
    "send checks: Unlimited addresses are not charged but count towards the limits"
)
@pytest.mark.contract("GET /api/settings: Returns 99999 for an unlimited address")
def test_an_unlimited_address_is_not_charged(own: Api) -> None:
    sender = own.new_sender(balance=0)
    add_to_list(own, "unlimited", sender.address)
    assert own.send(sender).status_code == 200
    assert own.balance(sender) == 99999


@pytest.mark.contract(
    "send checks: Limits count recipients exactly per UTC day and month, over all addresses"
)
@pytest.mark.parametrize(
    ("period", "code"), [("daily", "daily_quota_reached"), ("monthly", "monthly_quota_reached")]
)
def test_quotas_are_exact_over_all_addresses(own: Api, period: str, code: str) -> None:
    senders = [own.new_sender(), own.new_sender()]
    set_limits(own, f'{{"{period}Enabled": true, "{period}Limit": 5}}')
    responses = own.server.request_all([send_call(senders[n % 2]) for n in range(12)])
    statuses = Counter(response.status_code for response in responses)
    assert statuses == {200: 5, 400: 7}
    assert sum(len(own.sent_by(sender)) for sender in senders) == 5
    sentence = f"Server {period} send quota has been reached"
    check_problem(own.send(senders[0]), 400, code, PREFIX + sentence)
