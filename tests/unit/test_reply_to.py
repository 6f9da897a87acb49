"""The mailbox for replies: in the field, in the header, and of several the first."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ApiError
from mail.fields import MailboxField
from mail.mailbox import mailbox_text
from mail.message import Mailbox
from mail.reply_to import read_reply_to

A, B = "a@example.org", "b@example.org"


def read(value: Any, headers: dict[str, Any] | None = None) -> tuple[str | None, str | None]:
    """The mailbox, as a text, and the field with further addresses."""
    found = read_reply_to("reply_to", value, {**(headers or {}), "X-Order": "1"})
    assert found.headers == {"X-Order": "1"}
    return shown(found.mailbox), found.ignored


def shown(mailbox: Mailbox | None) -> str | None:
    return mailbox_text(str(mailbox.address), mailbox.name) if mailbox else None


def rejected(value: Any, headers: dict[str, Any] | None = None) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        read(value, headers)
    (error,) = caught.value.errors
    return caught.value.code, error.field


@pytest.mark.parametrize(
    ("value", "mailbox", "is_alone"),
    [
        (None, None, True),
        ([], None, True),
        (A, A, True),
        (f"{A},", A, True),
        (f" {A} , A <{A.upper()}>", A, True),
        ([f"A <{A}>", A], f"A <{A}>", True),
        ([A, B], A, False),
        (f"{A},{B}", A, False),
        ([f"{A}, {B}"], A, False),
        ([A, MailboxField(B)], A, False),
        (f"Acme, Inc. <{A}>", f'"Acme, Inc." <{A}>', True),
        (f"Acme, Inc. <{A}>, Doe, Jane <{B}>", f'"Acme, Inc." <{A}>', False),
        (f'"a, b" <{A}>, "<,>" <{B}>', f'"a, b" <{A}>', False),
        (f'"a\\", b" <{A}>', f'"a\\", b" <{A}>', True),
    ],
)
def test_the_first_of_several_addresses_is_used(
    value: Any, mailbox: str | None, is_alone: bool
) -> None:
    assert read(value) == (mailbox, None if is_alone else "reply_to")


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("", "reply_to"),
        (",", "reply_to"),
        ("nobody", "reply_to"),
        (f"{A}, nobody", "reply_to"),
        (f"{A}; {B}", "reply_to"),
        (f'"{A}, {B}', "reply_to"),
        (f"<{A}, {B}", "reply_to"),
        ([A, "nobody"], "reply_to[1]"),
        ([A, f"{B}, nobody"], "reply_to[1]"),
        ([MailboxField("nobody")], "reply_to[0].email"),
        (f"{A}, " * 200, "reply_to"),
    ],
)
def test_each_address_must_be_valid(value: Any, field: str) -> None:
    assert rejected(value) == ("invalid_reply_to", field)


def test_a_name_in_the_field_has_no_encoded_words() -> None:
    name = "=?utf-8?q?Zo=C3=AB?="
    for value in (f"{name} <{A}>", MailboxField(A, name)):
        assert rejected(value)[0] == "display_name_has_encoded_word"


@pytest.mark.parametrize(
    ("value", "header", "mailbox"),
    [
        (None, A, A),
        ([], f"A <{A}>", f"A <{A}>"),
        (A, f"A <{A.upper()}>", A),
        (f"A <{A}>", A, f"A <{A}>"),
        (None, f"=?utf-8?q?Zo=C3=AB?= <{A}>", f"Zoë <{A}>"),
        (None, f"=?utf-8?b?Wm8=?=\r\n =?iso-8859-1?q?=EB?= <{A}>", f"Zoë <{A}>"),
        (f"Zoë <{A}>", f"=?utf-8?q?Zo=C3=AB?= <{A}>", f"Zoë <{A}>"),
    ],
)
def test_the_header_is_the_field(value: Any, header: str, mailbox: str) -> None:
    for name in ("Reply-To", "REPLY-TO", "reply-to"):
        assert read(value, {name: header}) == (mailbox, None)


def test_further_addresses_in_the_header_are_ignored_too() -> None:
    assert read(None, {"Reply-To": f"{A}, {B}"}) == (A, "headers.Reply-To")
    assert read(A, {"Reply-To": f"{A}, {B}"}) == (A, "headers.Reply-To")
    assert read([A, B], {"Reply-To": A}) == (A, "reply_to")


def test_another_address_in_the_header_is_rejected() -> None:
    code = "header_has_own_field"
    assert rejected(A, {"Reply-To": B}) == (code, "headers.Reply-To")
    assert rejected(A, {"Reply-To": f"{B}, {A}"}) == (code, "headers.Reply-To")
    assert rejected(None, {"Reply-To": A, "REPLY-TO": B}) == (code, "headers.REPLY-TO")
    assert read(None, {"Reply-To": A, "REPLY-TO": f"A <{A}>"}) == (A, None)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "invalid_reply_to"),
        (5, "invalid_reply_to"),
        (f"{A}\r\nBcc: {B}", "invalid_reply_to"),
        (f"=?utf-8?q?a=0D=0AB?= <{A}>", "display_name_has_control"),
        (f"=?utf-8?q?a=E2=80=AE?= <{A}>", "display_name_has_hidden"),
        (f"=?unknown?q?a?= <{A}>", "display_name_has_encoded_word"),
        (f"=?utf-8?b?a?= <{A}>", "display_name_has_encoded_word"),
        (f"=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?= <{A}>", "display_name_has_encoded_word"),
    ],
)
def test_an_invalid_header_is_named(header: Any, code: str) -> None:
    assert rejected(None, {"Reply-To": header}) == (code, "headers.Reply-To")


NAMES = st.text(st.sampled_from('ab,;\\"<> .é'), max_size=10).map(str.strip)
MAILBOXES = st.tuples(st.sampled_from([A, B, "c.d@example.com"]), NAMES | st.none())


@given(st.lists(MAILBOXES, min_size=1, max_size=5), st.sampled_from([",", ", ", " , "]))
def test_quoted_names_never_split_a_list(
    mailboxes: list[tuple[str, str | None]], comma: str
) -> None:
    texts = [mailbox_text(address, name) for address, name in mailboxes]
    address, name = mailboxes[0]
    is_alone = {other for other, _ in mailboxes} == {address}
    values: tuple[Any, ...] = (texts, comma.join(texts))
    for value in values:
        found = read_reply_to("reply_to", value, {})
        assert found.mailbox is not None
        assert (str(found.mailbox.address), found.mailbox.name) == (address, name or None)
        assert found.ignored == (None if is_alone else "reply_to")
