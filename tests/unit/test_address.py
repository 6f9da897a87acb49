"""Mail addresses: one ``Dot-string "@" Domain`` of RFC 5321."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.addresses import Address, InvalidAddress, ascii_domain, parse_address, parse_domain


def rejected(text: str) -> str:
    with pytest.raises(InvalidAddress) as caught:
        parse_address(text)
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        *("a@b.co", "first.last@example.com", "user+tag@example.com", "0@1.example"),
        *("!#$%&'*+/=?^_`{|}~-@example.com", "a@xn--bcher-kva.example", "a@3com.com"),
        "a@a-b.example.co.uk",
    ],
)
def test_every_dot_string_is_accepted_unchanged(text: str) -> None:
    assert str(parse_address(text)) == text


def test_the_domain_is_lowered_and_the_local_part_kept() -> None:
    assert parse_address("John.Doe@EXAMPLE.Com") == Address("John.Doe", "example.com")


def test_addresses_are_compared_in_lower_case() -> None:
    assert parse_address("John.Doe@EXAMPLE.Com").key == "john.doe@example.com"


def test_spaces_around_an_address_are_ignored() -> None:
    assert str(parse_address("  a@example.com ")) == "a@example.com"


@pytest.mark.parametrize(
    "text",
    [
        # An incomplete address
        *("", " ", "@", "a", "a@", "@example.com", "example.com", ".a@b.co"),
        *("a.@b.co", "a..b@b.co"),
        # More than one address
        *("a@example.com,b@example.com", "a@example.com, b@example.com"),
        *("a@example.com;b@example.com", "a@example.com b@example.com"),
        *("a@b.co@example.com", "a@b.co\nb@example.com"),
        # Quoted local parts, names and comments
        *('"a"@example.com', '"a b"@example.com', '"a@b"@example.com', '"a\\"b"@example.com'),
        *("Ann <a@example.com>", "<a@example.com>", "(comment)a@example.com"),
        *("a(comment)@example.com", "a:b@example.com", "a\\b@example.com", "[a]@example.com"),
    ],
)
def test_anything_but_one_plain_address_is_rejected(text: str) -> None:
    assert rejected(text) == "address_syntax"


@pytest.mark.parametrize("character", [*map(chr, range(0x20)), "\x7f", " "])
def test_controls_and_spaces_are_rejected_in_the_local_part(character: str) -> None:
    assert rejected(f"a{character}b@example.com") == "address_syntax"


@pytest.mark.parametrize("character", [*map(chr, range(0x20)), "\x7f", " ", ",", ">", "_", "/"])
def test_controls_and_signs_are_rejected_in_the_domain(character: str) -> None:
    assert rejected(f"a@exam{character}ple.com") == "address_domain"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t", "\x00", "\u2028", "\xa0"])
def test_only_plain_spaces_are_ignored_at_the_ends(end: str) -> None:
    assert rejected("a@example.com" + end) == "address_domain"
    assert rejected(end + "a@example.com") in {"address_syntax", "address_local_part_not_ascii"}


@pytest.mark.parametrize("local", ["bücher", "用户", "a\u200bb", "a\xa0b", "\ud800"])
def test_a_non_ascii_local_part_has_its_own_error_code(local: str) -> None:
    assert rejected(f"{local}@example.com") == "address_local_part_not_ascii"


@pytest.mark.parametrize(
    "domain",
    [
        *("localhost", "com", ".example.com", "example.com.", "example..com", "-example.com"),
        *("example-.com", "exa_mple.com", "127.0.0.1", "[127.0.0.1]", "[IPv6:::1]", "1.2"),
        *("example.123", "", "."),
        # Domains that IDNA rejects
        *("a\u200bb\u2024example.com/", "\ud800.example", "a\u202eb.example"),
        *("ü" * 64 + ".example", "\u0301a.example", "א1b.example"),
    ],
)
def test_an_invalid_host_name_is_rejected(domain: str) -> None:
    with pytest.raises(InvalidAddress, match=r"^address_domain$"):
        ascii_domain(domain)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("faß.example", "xn--fa-hia.example"),  # IDNA 2008, not the "fass" of 2003
        ("example.com", "example.com"),
    ],
)
def test_domains_are_sent_as_a_labels(written: str, sent: str) -> None:
    assert str(parse_address(f"a@{written}")) == f"a@{sent}"


def test_a_local_part_has_at_most_64_octets() -> None:
    assert parse_address("a" * 64 + "@b.co").local == "a" * 64
    assert rejected("a" * 65 + "@b.co") == "address_too_long"


def test_a_label_has_at_most_63_octets() -> None:
    assert ascii_domain("a" * 63 + ".com") == "a" * 63 + ".com"
    with pytest.raises(InvalidAddress, match=r"^address_domain$"):
        ascii_domain("a" * 64 + ".com")


def _domain_of(octets: int) -> str:
    """A domain of this length: labels of 49 octets, and a last one with the remaining octets."""
    full, rest = divmod(octets - 4, 50)
    return ("b" * 49 + ".") * full + "b" * rest + ".com"


@pytest.mark.parametrize("first", ["", "xn--bcher-kva.", "ｂ."])
def test_a_domain_has_at_most_253_octets(first: str) -> None:
    assert len(ascii_domain(first + _domain_of(253 - len(first)))) == 253
    with pytest.raises(InvalidAddress, match=r"^address_domain$"):
        ascii_domain(first + _domain_of(254 - len(first)))


def test_an_address_has_at_most_254_octets() -> None:
    assert len(str(parse_address("a" * 10 + "@" + _domain_of(243)))) == 254
    assert rejected("a" * 11 + "@" + _domain_of(243)) == "address_too_long"


def test_length_is_measured_in_a_labels() -> None:
    text = "a" * 64 + "@" + "ü." * 24 + "example"
    assert len(text) == 120
    assert len(ascii_domain("ü." * 24 + "example")) == 199
    assert rejected(text) == "address_too_long"


@pytest.mark.parametrize(
    ("parse", "text"), [(parse_address, "a@example.com"), (parse_domain, "example.com")]
)
def test_a_given_text_has_at_most_1000_characters(parse: Callable[[str], Any], text: str) -> None:
    assert str(parse(text.ljust(1000))) == text
    with pytest.raises(InvalidAddress):
        parse(text.ljust(1001))


def test_a_text_of_a_megabyte_is_rejected() -> None:
    assert rejected("a" * 1_000_000 + "@example.com") == "address_too_long"
    assert rejected("a@" + "b." * 500_000 + "com") == "address_too_long"
    assert rejected("a@" + "ü" * 1_000_000 + ".com") == "address_too_long"


def test_a_domain_is_measured_before_and_after_it_is_normalized() -> None:
    decomposed = "e\u0301" * 10 + "." + "a\u0308" * 10 + ".com"
    composed = "é" * 10 + "." + "ä" * 10 + ".com"
    assert parse_address("a@" + decomposed) == parse_address("a@" + composed)
    assert rejected("a@" + "\ufdfa" * 100 + ".com") == "address_domain"  # 1,800 characters
    assert rejected("a@" + "ü" * 900 + ".com") == "address_domain"
    assert rejected("a@" + "b." * 400 + "com") == "address_domain"


@given(st.text(st.characters() | st.sampled_from("aZ0.@-+ü。\u200b\n ,<"), max_size=40))
def test_an_accepted_address_is_ascii_and_parses_to_itself(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    written = str(address)
    assert written.isascii()
    assert written.count("@") == 1
    assert parse_address(written) == address
