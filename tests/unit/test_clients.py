"""The key of a client: its IPv4 address, or its IPv6 network."""

import pytest

from accounts.clients import client_key


@pytest.mark.parametrize(
    ("ip", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("", "unknown"),
        (None, "unknown"),
        ("unknown", "unknown"),
        ("un:known", "un:known"),
        ("1:2:3", "1:2:3"),
    ],
)
def test_the_key_of_a_client_is_its_ipv4_address_or_ipv6_network(ip: str | None, key: str) -> None:
    assert client_key(ip) == key
