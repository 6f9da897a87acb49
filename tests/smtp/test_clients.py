"""Which addresses are one client, and how many connections a client may have."""

from dataclasses import dataclass

import pytest

from smtp_relay import replies
from smtp_relay.metrics import Metrics
from smtp_relay.network import client_network
from smtp_relay.session_registry import SessionRegistry

MOST = 3


@dataclass(eq=False)
class Session:
    """A session that only has the address of its client."""

    client: str
    farewell: str | None = None
    is_submitting: bool = False
    in_transaction: bool = False

    def say_goodbye(self, reply: str) -> None:
        self.farewell = reply


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("/run/relay.sock", "/run/relay.sock"),
    ],
)
def test_the_client_of_an_address(address: str, client: str) -> None:
    assert client_network(address) == client


@pytest.mark.parametrize(
    "addresses",
    [
        ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"],
        ["2001:db8::1", "2001:db8::2", "2001:DB8:0:0:ffff::"],
    ],
)
def test_the_addresses_of_one_client_have_one_limit(addresses: list[str]) -> None:
    registry = SessionRegistry(Metrics(), max_sessions=100, max_per_client=MOST)
    sessions = [Session(address) for address in addresses]
    assert [registry.enter(session) for session in sessions] == [None] * MOST
    assert registry.enter(Session(addresses[0])) == replies.CLIENT_FULL
    assert registry.enter(Session("192.0.2.2")) is None
    assert registry.enter(Session("2001:db8:0:1::1")) is None
    registry.leave(sessions[1])
    registry.leave(sessions[1])
    assert registry.enter(Session(addresses[0])) is None
    assert registry.enter(Session(addresses[2])) == replies.CLIENT_FULL
