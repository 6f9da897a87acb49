"""Which URLs a webhook can have."""

import pytest

from accounts.webhook_endpoints import checked_endpoint, host_of
from errors import BadRequest

# The ports above 1023 in the list of https://fetch.spec.whatwg.org/#port-blocking, as of 2026.
BLOCKED_BY_FETCH = {
    *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
    *(6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
}


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("HTTPS://Hooks.Example.COM/Path?q=A", "https://hooks.example.com/Path?q=A"),
        ("https://hooks.example.com:443/a", "https://hooks.example.com/a"),
        ("https://hooks.example.com:8443/a", "https://hooks.example.com:8443/a"),
        ("https://hooks.example.com?a=b", "https://hooks.example.com?a=b"),
        (" https://xn--bcher-kva.example.com/%20 ", "https://xn--bcher-kva.example.com/%20"),
        ("https://a.xn--p1ai/", "https://a.xn--p1ai/"),
    ],
)
def test_public_urls_are_accepted(given: str, endpoint: str) -> None:
    assert checked_endpoint(given, allow_loopback=False) == endpoint


@pytest.mark.parametrize(
    "given",
    [
        *("", "hooks.example.com", "//hooks.example.com", "ftp://hooks.example.com"),
        *("http://hooks.example.com", "https://", "https:///a", "https://hooks.example.com#a"),
        *("https://user@hooks.example.com", "https://user:pw@hooks.example.com/"),
        *("https://192.0.2.1/", "https://127.0.0.1", "https://2130706433/", "https://0x7f.1/"),
        *("https://[::1]/", "https://1.2.3.0x4/", "https://127.1/", "https://0177.0.0.1"),
        *("https://0/", "https://0.0.0.0/", "https://10.0.0.1/", "https://169.254.169.254/latest"),
        "https://0x7f000001/",
        "https://017700000001/",
        "https://0x7f.0.0.0x1",
        "https://127.0.1",
        *("https://0X7F.1", "https://00000177.1/", "https://4294967295/", "https://1.1.1.1:8443/"),
        "https://[::]/",
        "https://[::1]:8443/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1]",
        "https://[::ffff:7f00:1]/",
        "https://[fc00::1]",
        "https://[fe80::1%25eth0]/",
        "https://::1/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2001:db8::1]/",
        "https://[v1.a]/",
        "https://[::1",
        "https://\u2460\u2461\u2466.0.0.1/",
        "https://127\u30020\u30020\u30021/",
        "https://\uff11.1",
        *("https://127%2e0.0.1/", "https://%31.1/", "https://LOCALHOST/", "https://a.LocalHost"),
        *("https://a.lan", "https://a.home.arpa/", "https://a.corp", "https://a.intranet/"),
        *("https://:pw@hooks.example.com", "https://@a.example.com", "https://a.example.com@[::1]"),
        "https://a.com:0443x",
        *("https://localhost/", "https://a.localhost", "https://printer.local/", "https://router"),
        *("https://db.internal/", "https://1.0.0.10.in-addr.arpa/", "https://hooks.example.com."),
        *("https://-a.example.com", "https://a..example.com", "https://a_b.example.com/"),
        *("https://bücher.example.com/", "https://hooks.example.com/ü", "https://a%2e.example.com"),
        *("https://hooks.example.com:", "https://hooks.example.com:-1", "https://a.com:4 3/"),
        "https://hooks.example.com\\@a.com",
        "https://hooks.example.com/a b",
        "https://a.com/\nb",
        "http://localhost:3000/",
    ],
)
def test_other_urls_are_rejected(given: str) -> None:
    with pytest.raises(BadRequest, match="invalid_endpoint"):
        checked_endpoint(given, allow_loopback=False)


def test_local_development_has_http_on_loopback() -> None:
    for url in ("http://localhost:3000/hook", "http://127.0.0.1:8080", "http://localhost:443/"):
        assert checked_endpoint(url, allow_loopback=True) == url
    for url in ("http://192.0.2.1:3000/", "http://hooks.example.com", "http://localhost:22/"):
        with pytest.raises(BadRequest, match="invalid_endpoint"):
            checked_endpoint(url, allow_loopback=True)


def test_the_host_has_no_path_and_no_query() -> None:
    assert host_of("https://hooks.example.com:8443/secret?token=a") == "hooks.example.com:8443"
    assert host_of("https://hooks.example.com?token=a") == "hooks.example.com"


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
