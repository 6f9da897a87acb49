"""Clients, identified by their network address."""

_MAX_CHARACTERS = 64  # of a network address; an IPv6 address with a zone is shorter


def client_key(ip: str | None) -> str:
    """The key of the client at ``ip``: its IPv4 address, or the /64 network of its IPv6 address.

    A client with an IPv6 address usually controls all addresses of a /64 network (RFC 6177). An
    IPv4 address has one key in both spellings (``::ffff:192.0.2.1``). All clients whose address is
    unknown share one key.

    >>> client_key("192.0.2.1"), client_key("2001:db8:0:1::2")
    ('192.0.2.1', '2001:db8:0:1::/64')
    """
    if not ip or len(ip) > _MAX_CHARACTERS or ":" not in ip:
        return (ip or "unknown")[:_MAX_CHARACTERS]
    import ipaddress  # slow to import, and needed only for IPv6

    try:
        address = ipaddress.IPv6Address(ip)
    except ValueError:
        return ip
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
