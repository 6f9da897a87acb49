"""Mailboxes: every accepted form, and invalid ones."""

from collections.abc import Callable

import pytest

from mail.addresses import Address, InvalidAddress
from mail.fields import MailboxField
from mail.mailbox import InvalidName, parse_mailbox
from mail.message import Mailbox

YOU = Address("you", "example.org")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("you@example.org", None),
        (" you@example.org ", None),
        ("<you@example.org>", None),
        ("You <you@example.org>", "You"),
        ("You<you@EXAMPLE.org>", "You"),
        ("  Dr. Zoë (the 2nd) O'You   < you@example.org > ", "Dr. Zoë (the 2nd) O'You"),
        ('"You" <you@example.org>', "You"),
        ('"You, Too; <really>"<you@example.org>', "You, Too; <really>"),
        (r'"The \"one\" \\ only" <you@example.org>', r'The "one" \ only'),
        ('"" <you@example.org>', None),
        ("old@example.org <you@example.org>", "old@example.org"),
        ("You, Too <you@example.org>", "You, Too"),
        ("You; Inc., Ltd. <you@example.org>", "You; Inc., Ltd."),
    ],
)
def test_a_text_is_an_address_with_or_without_a_name(text: str, name: str | None) -> None:
    assert parse_mailbox(text) == Mailbox(YOU, name)


def test_an_object_has_address_and_name_apart() -> None:
    assert parse_mailbox(MailboxField("you@example.org", " You, Too ")) == Mailbox(YOU, "You, Too")
    assert parse_mailbox(MailboxField("you@example.org")) == Mailbox(YOU)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "address_syntax"),
        ("you", "address_syntax"),
        ("You you@example.org", "address_syntax"),
        ("You <you@example.org", "address_syntax"),
        ("You <>", "address_syntax"),
        ("You <<you@example.org>>", "address_syntax"),
        ("You <you@example.org> too", "address_syntax"),
        ('"You" Too <you@example.org>', "address_syntax"),
        ('"You <you@example.org>', "address_syntax"),
        ("Jörg <jörg@example.org>", "address_local_part_not_ascii"),
        ("You <you@localhost>", "address_domain"),
        ("a@example.org, b@example.org", "mailbox_list"),
        ("a@example.org; b@example.org", "mailbox_list"),
        ("A <a@example.org>, B <b@example.org>", "mailbox_list"),
        ("old@example.org, You <you@example.org>", "mailbox_list"),
        ("You; old@example.org <you@example.org>", "mailbox_list"),
    ],
)
def test_any_other_mailbox_is_rejected(text: str, code: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_mailbox(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("padded", "code"),
    [
        ("You <you@example.org>".ljust, "mailbox_too_long"),
        (lambda length: MailboxField(str(YOU), "You".ljust(length)), "display_name_too_long"),
    ],
)
def test_a_mailbox_has_at_most_2000_characters(
    padded: Callable[[int], str | MailboxField], code: str
) -> None:
    assert parse_mailbox(padded(2000)) == Mailbox(YOU, "You")
    with pytest.raises(InvalidAddress) as caught:
        parse_mailbox(padded(2001))
    assert caught.value.code == code


@pytest.mark.parametrize("given", ["You <you@example.org>", "a@example.org,b@example.org"])
def test_the_address_of_an_object_has_no_name(given: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_mailbox(MailboxField(given))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("You\r\nBcc: x@example.org", "display_name_has_control"),
        ("You\u202e", "display_name_has_hidden"),
        ("=?utf-8?q?You?=", "display_name_has_encoded_word"),
        ("y" * 201, "display_name_too_long"),
    ],
)
def test_a_name_must_not_deceive(name: str, code: str) -> None:
    for given in (f"{name} <you@example.org>", MailboxField("you@example.org", name)):
        with pytest.raises(InvalidName) as caught:
            parse_mailbox(given)
        assert caught.value.code == code


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        '"' * 1_000_000,
        '"' + "\\" * 1_000_000,
        " " * 1_000_000 + ">",
        "<" * 1_000_000,
        "a<" * 500_000,
    ],
)
def test_a_text_of_a_megabyte_is_rejected_quickly(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_mailbox(text + ">")
