"""Which ports the endpoint of a webhook may have."""

from accounts.webhook_endpoints import checked_endpoint
from errors import BadRequest

# The ports above 1023 in the list of https://fetch.spec.whatwg.org/#port-blocking, as of 2026.
BLOCKED_BY_FETCH = {
    *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
    *(6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
}


def is_accepted(port: int) -> bool:
    try:
        checked_endpoint(f"https://hooks.example.com:{port}/", allow_loopback=False)
    except BadRequest as error:
        assert error.errors[0].code == "endpoint_port"  # noqa: PT017
        return False
    return True


def test_https_and_the_unprivileged_ports_that_fetch_allows() -> None:
    accepted = {port for port in range(66_000) if is_accepted(port)}
    assert accepted == {443, *range(1024, 65_536)} - BLOCKED_BY_FETCH
