"""Network addresses of listeners and clients."""

import ipaddress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``: ``localhost`` or a loopback IP address."""
    address = _parsed(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def client_network(client: str) -> str:
    """The part of ``client`` that counts as one client: for IPv6 the /64 network (RFC 6177).

    An IPv4 address is one client, in both spellings (``::ffff:192.0.2.1``). A ``client`` that is
    not an IP address is returned unchanged.
    """
    address = _parsed(client)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return client if address is None else str(address)


def _parsed(host: str) -> _Address | None:
    """The IP address ``host``; the IPv4 address in it, if it has one (RFC 4291, section 2.5.5.2).

    A zone is ignored, because it is the name of a local interface.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
