"""To, cc, bcc and reply_to: their forms, their order, and their maximum number."""

from typing import Any

import pytest

from errors import ApiError
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import MailboxField, SendMail
from mail.message import Message
from mail.sandbox_recipients import OUTCOMES, outcome_of

POLICY = SenderPolicy(("example.com",), ())
SENDER = Origin(address="me@example.com")


def composed(**fields: Any) -> Message:
    return compose(SendMail(subject="Hello", text="Hello", **fields), SENDER, POLICY)


def recipients(**fields: Any) -> list[tuple[str, str, str | None]]:
    found = composed(**fields).recipients
    return [(one.kind, str(one.address), one.name) for one in found]


def rejected(**fields: Any) -> tuple[str, list[tuple[str, str]]]:
    """The code of the error, and the field and code of each entry of ``errors``."""
    with pytest.raises(ApiError) as caught:
        composed(**fields)
    return caught.value.code, [(error.field, error.code) for error in caught.value.errors]


@pytest.mark.parametrize(
    "to",
    [
        "You <you@example.org>",
        ["You <you@example.org>"],
        MailboxField("you@example.org", "You"),
        [MailboxField("you@example.org", "You")],
    ],
)
def test_one_recipient_is_accepted_in_every_form(to: Any) -> None:
    assert recipients(to=to) == [("to", "you@example.org", "You")]


def test_to_adds_to_to_mail() -> None:
    assert recipients(to_mail="a@example.org", to_name="A", to=["B <b@example.org>"]) == [
        ("to", "a@example.org", "A"),
        ("to", "b@example.org", "B"),
    ]


def test_a_message_may_have_cc_and_bcc_alone() -> None:
    assert recipients(cc="a@example.org") == [("cc", "a@example.org", None)]
    assert recipients(bcc=["a@example.org"], to=[]) == [("bcc", "a@example.org", None)]


def test_a_repeated_address_counts_once_at_its_first_place() -> None:
    assert recipients(
        to_mail="a@example.org",
        to=["Other <A@example.org>", "b@example.org"],
        cc=["B <b@EXAMPLE.org>", "c@example.org"],
        bcc=["c@example.org", "D <d@example.org>", "a@example.org"],
    ) == [
        ("to", "a@example.org", None),
        ("to", "b@example.org", None),
        ("cc", "c@example.org", None),
        ("bcc", "d@example.org", "D"),
    ]


def test_a_recipients_name_may_show_an_address() -> None:
    assert recipients(to="old@example.net <a@example.org>")[0][2] == "old@example.net"


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({}, "to_mail", "address_syntax"),
        ({"to": []}, "to", "address_syntax"),
        ({"to": [], "cc": []}, "to", "address_syntax"),
        ({"to": ""}, "to", "address_syntax"),
        ({"to_mail": "", "to": "a@example.org"}, "to_mail", "address_syntax"),
        ({"to": "nobody"}, "to", "address_syntax"),
        ({"to": "a@example.org, b@example.org"}, "to", "mailbox_list"),
        ({"to": ["a@example.org", "nobody"]}, "to[1]", "address_syntax"),
        ({"cc": [MailboxField("nobody")]}, "cc[0].email", "address_syntax"),
        ({"to": "a@example.org", "bcc": ["b@host"]}, "bcc[0]", "address_domain"),
    ],
)
def test_an_invalid_recipient_is_named(fields: Any, field: str, problem: str) -> None:
    assert rejected(**fields) == ("invalid_recipient", [(field, problem)])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": ["a@example.org", "b\u200b <b@example.org>"]}, "to[1]"),
        ({"to": [MailboxField("a@example.org", "a\u200b")]}, "to[0].name"),
        ({"to": "a@example.org", "reply_to": "a\u200b <a@example.org>"}, "reply_to"),
    ],
)
def test_a_deceptive_name_is_named(fields: Any, field: str) -> None:
    assert rejected(**fields) == ("display_name_has_hidden", [(field, "display_name_has_hidden")])


def numbered(first: int, last: int) -> list[str]:
    return [f"a{number}@example.org" for number in range(first, last + 1)]


def test_a_message_has_at_most_fifty_recipients() -> None:
    fifty = {"to": numbered(1, 20), "cc": numbered(21, 40), "bcc": numbered(30, 50)}
    assert len(recipients(**fifty)) == 50
    one_more = {**fifty, "bcc": numbered(30, 51)}
    assert rejected(**one_more) == ("too_many_recipients", [("bcc", "too_many_recipients")])
    assert rejected(to_mail="b@example.org", to=numbered(1, 50))[0] == "too_many_recipients"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("field", ["to", "cc", "bcc", "reply_to"])
def test_a_list_has_at_most_1000_entries(field: str) -> None:
    same = "a@example.org"
    assert len(composed(to_mail=same, **{field: [same] * 1000}).recipients) == 1
    for entries in (1001, 1_000_000):  # the million is rejected quickly
        code, _ = rejected(to_mail=same, **{field: [same] * entries})
        assert code == ("reply_to_too_many" if field == "reply_to" else "too_many_recipients")


@pytest.mark.parametrize("reply_to", ["You <you@example.net>", ["You <you@example.net>"]])
def test_reply_to_is_composed(reply_to: Any) -> None:
    mailbox = composed(to="a@example.org", reply_to=reply_to).reply_to
    assert mailbox is not None
    assert (str(mailbox.address), mailbox.name) == ("you@example.net", "You")


def test_reply_to_may_name_one_address_again() -> None:
    both = ["You <you@example.net>", "YOU@example.net"]
    mailbox = composed(to="a@example.org", reply_to=both).reply_to
    assert mailbox is not None
    assert mailbox.name == "You"


@pytest.mark.parametrize("nothing", [None, []])
def test_reply_to_is_optional(nothing: Any) -> None:
    assert composed(to="a@example.org", reply_to=nothing).reply_to is None


def test_each_reply_address_must_be_valid() -> None:
    assert rejected(to="a@example.org", reply_to=["nobody"]) == (
        "invalid_reply_to",
        [("reply_to[0]", "address_syntax")],
    )


# Sandbox recipients


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_sandbox_recipient_may_have_a_label(outcome: str) -> None:
    for address in (f"{outcome}@test.invalid", f"{outcome.upper()}+user.1@TEST.invalid"):
        message = composed(to=address)
        assert message.is_sandbox
        assert outcome_of(message.recipients[0].address) == outcome


def test_several_sandbox_recipients_have_one_outcome() -> None:
    message = composed(to="slow+1@test.invalid", cc=["slow+2@test.invalid", "slow@test.invalid"])
    assert message.is_sandbox
    assert len(message.recipients) == 3


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"to": "else@test.invalid"}, "unknown_test_recipient", "to"),
        ({"to": "+slow@test.invalid"}, "unknown_test_recipient", "to"),
        ({"to": "slow@test.invalid", "cc": "bounced@test.invalid"}, "test_outcomes_mixed", "cc"),
        ({"to": "slow@test.invalid", "bcc": "a@example.org"}, "test_recipients_mixed", "bcc"),
        ({"to": ["a@example.org", "slow@test.invalid"]}, "test_recipients_mixed", "to"),
    ],
)
def test_mixed_and_unknown_sandbox_recipients_are_rejected(
    fields: Any, code: str, field: str
) -> None:
    assert rejected(**fields) == (code, [(field, code)])


@pytest.mark.parametrize("address", ["slow@example.org", "slow@a.test.invalid", "a@test.example"])
def test_every_other_address_is_no_sandbox_recipient(address: str) -> None:
    assert not composed(to=address).is_sandbox
