"""The rules for the URLs of webhooks: public servers only."""

import re

from errors import BadRequest, FieldError

MAX_ENDPOINT_CHARACTERS = 2048

_URL = re.compile(r"(https?)://([^/?#\\@:\[\]]+)(?::([0-9]{1,5}))?((?:[/?][!-~]*)?)", re.IGNORECASE)
_UNSAFE_IN_PATH = re.compile(r'[#\\"<>^`{|}]')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

# A name whose last label begins with a digit is an IPv4 address for WHATWG's URL parser.
_LAST_LABEL = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")

# Top-level domains that are not in the public DNS, or that resolvers of companies use.
_NOT_PUBLIC = frozenset(
    (
        *("alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan"),
        *("local", "localdomain", "localhost", "mail", "onion", "private", "test"),
    )
)
_LOOPBACK = ("localhost", "127.0.0.1")

_HTTPS_PORT, _LOWEST_PORT, _HIGHEST_PORT = 443, 1024, 65_535
# Ports above 1023 that fetch() blocks (https://fetch.spec.whatwg.org/#port-blocking).
_UNSAFE_PORTS = frozenset(
    (
        *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667),
        *(6668, 6669, 6679, 6697, 10_080),
    )
)


def checked_endpoint(given: str, *, allow_loopback: bool) -> str:
    """``given`` with a scheme and host in lower case.

    :param allow_loopback: whether it may be an http URL of this machine, for local development.
    :raises BadRequest: ``invalid_endpoint``.
    """
    url = given.strip()
    match = _URL.fullmatch(url) if len(url) <= MAX_ENDPOINT_CHARACTERS else None
    if match is None or _UNSAFE_IN_PATH.search(match[4]):
        raise _invalid("endpoint_syntax")
    scheme, host, rest = match[1].lower(), match[2].lower(), match[4]
    port = int(match[3]) if match[3] else None
    if not (allow_loopback and scheme == "http" and host in _LOOPBACK):
        if scheme != "https":
            raise _invalid("endpoint_scheme")
        if not _is_public(host):
            raise _invalid("endpoint_host")
    if port is not None and not _is_safe(port):
        raise _invalid("endpoint_port")
    authority = (
        host if port is None or (scheme, port) == ("https", _HTTPS_PORT) else f"{host}:{port}"
    )
    return f"{scheme}://{authority}{rest}"


def host_of(endpoint: str) -> str:
    """The host of a checked endpoint. The rest may contain secrets of the receiver."""
    return endpoint.split("/", 3)[2].partition("?")[0]


def _is_public(host: str) -> bool:
    *labels, last = host.split(".")
    return (
        len(host) <= 253
        and bool(labels)
        and all(map(_LABEL.fullmatch, labels))
        and _LAST_LABEL.fullmatch(last) is not None
        and last not in _NOT_PUBLIC
    )


def _is_safe(port: int) -> bool:
    is_usual = port == _HTTPS_PORT or _LOWEST_PORT <= port <= _HIGHEST_PORT
    return is_usual and port not in _UNSAFE_PORTS


def _invalid(sentence: str) -> BadRequest:
    return BadRequest("invalid_endpoint", errors=(FieldError("endpoint", sentence),))
