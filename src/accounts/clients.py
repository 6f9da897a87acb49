"""Clients, as they are told apart by their network address."""


def client_key(ip: str | None) -> str:
    """What stands for the client at ``ip``: an IPv4 address, or the network of an IPv6 address.

    All whose address is not known are one client.

    Whoever has an IPv6 address has a network of at least 64 bits, and all the addresses in it
    (RFC 6177).

    >>> client_key("192.0.2.1"), client_key("2001:db8:0:1::2")
    ('192.0.2.1', '2001:db8:0:1::/64')
    """
    if not ip or ":" not in ip:
        return ip or "unknown"
    import ipaddress  # costs start-up time, and only clients with IPv6 need it

    try:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    except ValueError:
        return ip
