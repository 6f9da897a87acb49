"""Custom headers: the rules of the mail provider, one by one."""

from collections.abc import Mapping

import pytest

from errors import ApiError
from mail.headers import read_headers
from mail.message import Header
from mail.scalars import Scalar

ALLOWED = """
    In-Reply-To References List-Id List-Archive List-Help List-Owner List-Post List-Subscribe
    Precedence Auto-Submitted Content-Language Keywords Comments Importance Priority Sensitivity
    Organization Expires Reply-By Archived-At Require-Recipient-Valid-Since
    Thread-Index Thread-Topic
"""
RESTRICTED = {
    "Auto-Submitted": ["auto-generated", "auto-replied", "auto-notified"],
    "Importance": ["high", "normal", "low"],
    "Precedence": ["bulk", "list", "junk"],
    "Priority": ["normal", "non-urgent", "urgent"],
    "Sensitivity": ["personal", "private", "company-confidential"],
}
OTHERS = """
    Date Message-ID MIME-Version Content-Type content-transfer-encoding Content-Disposition
    DKIM-Signature Return-Path Received Feedback-ID ARC-Seal TLS-Required Sender Xa
"""


def rejected(headers: Mapping[str, Scalar]) -> tuple[str, str]:
    """The code of the error and the invalid field."""
    with pytest.raises(ApiError) as caught:
        read_headers(headers)
    (error,) = caught.value.errors
    assert error.code == caught.value.code
    return error.code, error.field


def test_headers_are_not_changed() -> None:
    headers = {"References": "<a@example.org> <b@example.org>", "x-Campaign_ID": "  Grüße 😀 "}
    assert read_headers(headers) == tuple(Header(*pair) for pair in headers.items())
    assert read_headers({}) == ()


@pytest.mark.parametrize("name", [*ALLOWED.split(), "X-A", "X-1_b-C"])
def test_header_names_are_allowed_in_any_case(name: str) -> None:
    value = RESTRICTED.get(name, ["a"])[0]
    for written in (name, name.lower(), name.upper()):
        assert read_headers({written: value}) == (Header(written, value),)


@pytest.mark.parametrize("name", RESTRICTED)
def test_some_headers_have_only_the_values_that_the_provider_accepts(name: str) -> None:
    for value in RESTRICTED[name]:
        assert read_headers({name: value}) == (Header(name, value),)
        for other in (value.upper(), f"{value};", f" {value}", f"{value} "):
            assert rejected({name: other}) == ("header_value_not_accepted", f"headers.{name}")
    for other in ("first-class", "no", "x" * 2000, ", ".join(RESTRICTED[name])):
        assert rejected({name: other}) == ("header_value_not_accepted", f"headers.{name}")


def test_numbers_and_booleans_are_their_texts() -> None:
    given = {"X-A": 4711, "X-B": True, "X-C": False, "X-D": 1.5, "X-E": -0.25, "X-F": 10**30}
    texts = ["4711", "true", "false", "1.5", "-0.25", "1" + "0" * 30]
    assert [header.value for header in read_headers(given)] == texts
    assert rejected({"Precedence": 1}) == ("header_value_not_accepted", "headers.Precedence")
    assert rejected({"X-A": 10**2048}) == ("header_value_too_long", "headers.X-A")


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_header_names_are_rejected(name: str) -> None:
    assert rejected({name: "a"}) == ("header_not_allowed", f"headers.{name}")


@pytest.mark.parametrize("name", ["From", "to", "CC", "Bcc", "Subject", "reply-to"])
def test_a_header_with_its_own_field_is_rejected(name: str) -> None:
    assert rejected({name: "a"}) == ("header_has_own_field", f"headers.{name}")


@pytest.mark.parametrize(
    "name", ["", "X-", "X-A B", "X-A:", "X-A\r\nBcc", "X-É", "Key_words", "X-A\n", "X-" + "a" * 99]
)
def test_an_invalid_header_name_is_rejected(name: str) -> None:
    assert rejected({name: "a"}) == ("header_name_invalid", f"headers.{name[:100]}")


def test_a_name_has_at_most_100_bytes() -> None:
    name = "X-" + "a" * 98
    assert read_headers({name: "a"}) == (Header(name, "a"),)


def test_a_name_counts_once_in_any_case() -> None:
    headers = {"X-A": "1", "x-a": "2"}
    assert rejected(headers) == ("header_repeated", "headers.x-a")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "header_value_empty"),
        (" ", "header_value_empty"),
        ("a\r\n b", "header_value_has_control"),
        ("a\r\nBcc: b@example.org", "header_value_has_control"),
        ("a\tb", "header_value_has_control"),
        ("a\ud800", "header_value_has_control"),
        ("a" * 2049, "header_value_too_long"),
        ("é" * 1025, "header_value_too_long"),
    ],
)
def test_an_invalid_header_value_is_rejected(value: str, code: str) -> None:
    assert rejected({"X-A": value}) == (code, "headers.X-A")


@pytest.mark.parametrize("value", ["a" * 2048, "é" * 1024])
def test_a_value_has_at_most_2048_bytes(value: str) -> None:
    assert read_headers({"X-A": value}) == (Header("X-A", value),)


def test_twenty_headers_and_any_number_of_x_headers_are_accepted() -> None:
    *twenty, one_more = [name for name in ALLOWED.split() if name not in RESTRICTED]
    twenty += list(RESTRICTED)[: 20 - len(twenty)]
    headers = {f"X-{number}": "a" for number in range(200)}
    headers |= {name: RESTRICTED.get(name, ["a"])[0] for name in twenty}
    assert len(read_headers(headers)) == 220
    assert rejected({**headers, one_more: "a"}) == ("headers_too_many", "headers")


def test_headers_have_at_most_16_kib_together() -> None:
    headers = {f"X-{number}": "a" * 2041 for number in range(8)}  # 3 + 2 + 2,041 + 2 bytes each
    assert len(read_headers(headers)) == 8
    assert rejected({**headers, "X-0": "a" * 2042}) == ("headers_too_large", "headers")


@pytest.mark.timeout(20)
def test_a_million_headers_are_rejected_quickly() -> None:
    assert rejected({f"X-{number}": "a" for number in range(1_000_000)})[0] == "headers_too_large"
    assert rejected({"X-A": "a" * 10_000_000})[0] == "header_value_too_long"
    assert rejected({"X-" * 5_000_000: "a"}) == ("header_name_invalid", "headers." + "X-" * 50)


@pytest.mark.parametrize(
    "value",
    [
        "<https://example.com/u?a=1>",
        "<mailto:u@example.com?subject=u>",
        "<mailto:u@example.com>, <https://example.com/u>",
        "<HTTPS://example.com/u>,<https://example.com/v>",
    ],
)
def test_a_valid_list_unsubscribe_is_accepted(value: str) -> None:
    assert read_headers({"List-Unsubscribe": value})[0].value == value


@pytest.mark.parametrize(
    "value",
    [
        *("https://example.com/u", "<http://example.com/u>", "<https://>", "<mailto:>"),
        *("<https://example.com/u> or <mailto:u@example.com>", "<https://example.com/u>,"),
        *("<https://exam ple.com>", "none"),
    ],
)
def test_an_invalid_list_unsubscribe_is_rejected(value: str) -> None:
    headers = {"list-unsubscribe": value}
    assert rejected(headers) == ("list_unsubscribe_invalid", "headers.list-unsubscribe")


def test_one_click_needs_an_https_address() -> None:
    one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert len(read_headers({**one_click, "List-Unsubscribe": "<https://example.com/u>"})) == 2
    error = ("list_unsubscribe_post_invalid", "headers.List-Unsubscribe-Post")
    assert rejected(one_click) == error
    assert rejected({**one_click, "List-Unsubscribe": "<mailto:u@example.com>"}) == error
    other = {"List-Unsubscribe-Post": "list-unsubscribe=one-click"}
    assert rejected({**other, "List-Unsubscribe": "<https://example.com/u>"}) == error
