"""Addresses: the relay accepts at RCPT exactly the recipients that the API accepts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mail.addresses import InvalidAddress, parse_address
from smtp_relay import addresses
from smtp_relay.message.convert import convert

LOCALS = st.one_of(
    st.sampled_from(["a", "A.b", "a..b", ".a", "a.", "a b", "ä", "a@b", "o'neil+tag", "x" * 64]),
    st.text(alphabet='aZ0.!#+-_="\\\t ü@', max_size=6),
    st.text(min_size=60, max_size=66, alphabet="ab."),
)
LABELS = st.one_of(
    st.sampled_from(["example", "net", "1", "xn--a", "xn--bcher-kva", "BÜCHER", "x" * 63]),
    st.sampled_from(
        ["xn--", "XN--A", "faß", "a\u200db", "\u0301a", "。", "ｎｅｔ", "-a", "a_b", "א1"]
    ),
    st.text(max_size=4),
    st.text(alphabet="aß中-0", min_size=55, max_size=64),
)
DOMAINS = st.lists(LABELS, max_size=5).map(".".join)


def by_relay(address: str) -> str | None:
    """The form for comparisons, or None if the relay rejects the recipient."""
    try:
        return addresses.key(addresses.checked(address))
    except addresses.BadAddress:
        return None


def by_api(address: str) -> str | None:
    try:
        return parse_address(address).key
    except InvalidAddress:
        return None


@given(LOCALS, DOMAINS)
@example("a", "xn--a.example")
@example("a", "Ⅷ.example")
@example("a", "example.net" + "." * 3)
@example("a", "x" * 1001)
def test_the_relay_accepts_what_the_api_accepts(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    if address == address.strip(" ") and not local.startswith('"'):
        assert by_relay(address) == by_api(address)


@given(LOCALS, DOMAINS)
def test_the_api_accepts_what_the_relay_accepts(local: str, domain: str) -> None:
    """With quotes too: the relay removes them, and the API would reject them."""
    for address in (f"{local}@{domain}", f'"{local}"@{domain}'):
        key = by_relay(address)
        if key is not None:
            assert by_api(addresses.checked(address)) == key
            assert str(parse_address(addresses.checked(address))) == addresses.checked(address)


def key_of_mail_to(address: str) -> str | None:
    """The idempotency key of one mail if the client writes its recipient as ``address``."""
    recipients = [addresses.checked(address)]
    mail = b"Message-ID: <1@x.example>\r\nTo: A@x.example\r\n\r\ntext"
    return convert(mail, recipients, sender="app@example.com", max_hops=30).key


@pytest.mark.parametrize(
    ("first", "retry"),
    [
        ("A@x.example", "A@X.Example"),
        ("B@x.example", "B@X.EXAMPLE"),
        ("a@bücher.example", "a@XN--BCHER-KVA.example"),
        ('"a"@x.example', "a@x.example"),
    ],
)
def test_a_retry_with_another_form_of_the_recipient(first: str, retry: str) -> None:
    assert key_of_mail_to(first) == key_of_mail_to(retry)


def test_the_local_part_in_another_case_is_another_recipient() -> None:
    assert key_of_mail_to("B@x.example") != key_of_mail_to("b@x.example")


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [
        ('"bob"@example.net', "bob@example.net"),
        ('"B.o\\b"@example.net', "B.ob@example.net"),
        ('"bob smith"@example.net', '"bob smith"@example.net'),
        ('"a..b"@example.net', '"a..b"@example.net'),
        ('"a\\"b"@example.net', '"a\\"b"@example.net'),
        ('"bob@example.net', '"bob@example.net'),
        ('""@example.net', '""@example.net'),
        ('"bob"', '"bob"'),
        ("bob@example.net", "bob@example.net"),
    ],
)
def test_needless_quotes(quoted: str, plain: str) -> None:
    assert addresses.without_needless_quotes(quoted) == plain
