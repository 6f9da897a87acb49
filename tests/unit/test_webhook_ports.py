"""Which ports the endpoint of a webhook may have, and how long it may be."""

from accounts.webhook_endpoints import checked_endpoint
from errors import BadRequest

# The ports above 1023 in the list of https://fetch.spec.whatwg.org/#port-blocking, as of 2026.
BLOCKED_BY_FETCH = {
    *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
    *(6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
}


def problem(endpoint: str) -> str | None:
    """The code of the error of ``endpoint``; None if it is accepted."""
    try:
        checked_endpoint(endpoint, allow_loopback=False)
    except BadRequest as error:
        return error.errors[0].code
    return None


def test_https_and_the_unprivileged_ports_that_fetch_allows() -> None:
    found = {port: problem(f"https://hooks.example.com:{port}/") for port in range(66_000)}
    accepted = {port for port, code in found.items() if code is None}
    assert accepted == {443, *range(1024, 65_536)} - BLOCKED_BY_FETCH
    assert {*found.values()} == {None, "endpoint_port"}


def test_the_length_of_an_endpoint() -> None:
    start = "https://hooks.example.com/"
    assert problem(start.ljust(2048, "a")) is None
    assert problem(start.ljust(2049, "a")) == "endpoint_syntax"
    assert problem(f"  {start.ljust(2048, 'a')}  ") is None


def test_the_length_of_a_host() -> None:
    label = "a" * 63
    longest = f"{label}.{label}.{label}.{'a' * 57}.com"
    assert len(longest) == 253
    assert problem(f"https://{longest}/") is None
    for host in (longest.replace("a.com", "aa.com"), f"a{label}.com", f"example.a{label}"):
        assert problem(f"https://{host}/") == "endpoint_host"
    assert problem(f"https://example.{label}/") is None
    assert problem("https://a.bc/") is None


def test_the_characters_of_a_host() -> None:
    for host in ("-a.example.com", "a-.example.com", "a_b.example.com", "a..b.com", "com", "a.b"):
        assert problem(f"https://{host}/") == "endpoint_host", host
    for host in ("a-b.example.com", "1.example.com", "a1.example.com", "1-a.example.com"):
        assert problem(f"https://{host}/") is None, host
