"""Composing a message of a request's fields, and every error in the contract's order."""

from typing import Any

import pytest
from msgspec.structs import replace

from errors import ApiError, BadRequest
from mail.addresses import Address
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import SendMail
from mail.message import Message, Recipient

POLICY = SenderPolicy(domains=("example.com", "second.example"), binding_domains=())
SENDER = Origin(address="me@example.com", name="Me")
FIELDS = SendMail(
    to_mail="you@example.org", to_name="You", subject="Hello", content="How are you?", is_html=False
)


def composed(policy: SenderPolicy = POLICY, **changes: Any) -> Message:
    """The message composed of ``FIELDS`` and ``SENDER``, with ``changes`` of either."""
    names = {"sender": "address", "from_name": "name"}
    of_sender = {names[name]: changes.pop(name) for name in names.keys() & changes.keys()}
    return compose(replace(FIELDS, **changes), replace(SENDER, **of_sender), policy)


def rejected(policy: SenderPolicy = POLICY, **changes: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        composed(policy, **changes)
    return caught.value


def code_and_errors(error: ApiError) -> tuple[str, list[tuple[str, str]]]:
    """The code of the error, and the field and code of each entry of ``errors``."""
    return error.code, [(one.field, one.code) for one in error.errors]


def test_a_text_message_is_composed() -> None:
    assert composed() == Message(
        sender=Address("me", "example.com"),
        sender_name="Me",
        recipients=(Recipient("to", Address("you", "example.org"), "You"),),
        subject="Hello",
        text="How are you?",
        html=None,
        size=1364,
    )


def test_an_html_message_is_composed() -> None:
    message = composed(content="<p>Hi</p>", is_html=True)
    assert (message.text, message.html) == (None, "<p>Hi</p>")


@pytest.mark.parametrize("name", ["=?", "=?utf-8?B?", "1 + 1 =? 2", "=?utf-8?X?a?=", "a?=b"])
def test_a_name_may_contain_anything_but_an_encoded_word(name: str) -> None:
    assert composed(from_name=name).sender_name == name


def test_spaces_around_a_name_are_left_out() -> None:
    message = composed(from_name="  Me Too ", to_name=" You ")
    assert (message.sender_name, message.recipients[0].name) == ("Me Too", "You")


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_names_are_optional(nothing: str | None) -> None:
    message = composed(from_name=nothing, to_name=nothing)
    assert message.sender_name is None
    assert message.recipients[0].name is None


def test_content_and_subject_are_not_changed() -> None:
    content = "  line\r\nline\n\ttab\x00 ünï 😀 \u202e  "
    message = composed(subject="  Hé 😀 ", content=content)
    assert (message.subject, message.text) == ("  Hé 😀 ", content)


@pytest.mark.contract("send checks: Domains are sent as A-labels; local parts must be ASCII")
def test_the_recipient_is_sent_in_a_label_form() -> None:
    message = composed(to_mail=" You@BÜCHER.example ")
    assert str(message.recipients[0].address) == "You@xn--bcher-kva.example"


@pytest.mark.parametrize("sender", ["me@other.example", "me@sub.example.com", "me", "", "ü@b.co"])
def test_the_senders_domain_must_be_one_of_the_deployment(sender: str) -> None:
    error = rejected(sender=sender)
    assert code_and_errors(error) == ("invalid_sender_domain", [])
    assert error.sentence == "invalid_domain"


@pytest.mark.parametrize(
    ("to_mail", "code"),
    [
        (None, "address_syntax"),
        ("", "address_syntax"),
        ("you", "address_syntax"),
        ("a@b.co,c@d.co", "address_syntax"),
        ("you@localhost", "address_domain"),
        ("a" * 65 + "@example.org", "address_too_long"),
        ("jörg@example.org", "address_local_part_not_ascii"),
    ],
)
def test_the_recipient_must_be_one_address(to_mail: str | None, code: str) -> None:
    assert code_and_errors(rejected(to_mail=to_mail)) == ("invalid_recipient", [("to_mail", code)])


@pytest.mark.contract("send checks: Domains are sent as A-labels; local parts must be ASCII")
def test_a_non_ascii_local_part_has_its_own_sentence() -> None:
    assert rejected(to_mail="jörg@example.org").sentence == "recipient_local_part_not_ascii"
    assert rejected(to_mail="jorg").sentence == "invalid_recipient"


@pytest.mark.parametrize("subject", [None, "", " ", "\t\r\n", "\u3000"])
def test_the_subject_must_not_be_empty(subject: str | None) -> None:
    assert code_and_errors(rejected(subject=subject)) == (
        "subject_empty",
        [("subject", "subject_empty")],
    )


@pytest.mark.parametrize("character", [*"\r\n\t\x00\x7f\x85\u2028\u2029", "\ud800"])
def test_the_subject_must_not_hold_controls(character: str) -> None:
    code = "subject_has_control"
    assert code_and_errors(rejected(subject=f"a{character}b")) == (code, [("subject", code)])


def test_the_subject_has_at_most_998_characters() -> None:
    assert composed(subject="é" * 998).subject == "é" * 998
    error = rejected(subject="é" * 999)
    assert code_and_errors(error) == ("subject_too_long", [("subject", "subject_too_long")])
    assert error.values == {"limit": 998}


@pytest.mark.parametrize("content", [None, ""])
def test_the_content_must_not_be_empty(content: str | None) -> None:
    assert code_and_errors(rejected(content=content)) == (
        "content_empty",
        [("content", "content_empty")],
    )


@pytest.mark.contract(
    "send checks: The sender is the token's address; misleading display names are rejected"
)
@pytest.mark.parametrize("field", ["from_name", "to_name"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a\r\nBcc: x@y.example", "display_name_has_control"),
        ("a\x00", "display_name_has_control"),
        ("a\u2028b", "display_name_has_control"),
        ("a\ud800", "display_name_has_control"),
        ("a\u202eb", "display_name_has_hidden"),
        ("a\u200bb", "display_name_has_hidden"),
        ("b" * 201, "display_name_too_long"),
        ("=?utf-8?B?Ym9zc0BiYW5rLmV4YW1wbGU=?=", "display_name_has_encoded_word"),
        ("Me =?UTF-8?q?=62oss?= too", "display_name_has_encoded_word"),
    ],
)
def test_a_name_must_not_deceive(field: str, name: str, code: str) -> None:
    changes: dict[str, Any] = {field: name}
    assert code_and_errors(rejected(**changes)) == (code, [(field, code)])


@pytest.mark.contract(
    "send checks: The sender is the token's address; misleading display names are rejected"
)
@pytest.mark.parametrize(
    "name", ["boss@bank.example", "Boss <boss@bank.example>", "you@example.org"]
)
def test_a_senders_name_must_not_show_another_address(name: str) -> None:
    code = "display_name_shows_address"
    assert code_and_errors(rejected(from_name=name)) == (code, [("from_name", code)])


def test_a_senders_name_may_show_its_own_address() -> None:
    message = composed(from_name="ME@example.com")
    assert message.sender_name == "ME@example.com"


def test_a_recipients_name_may_show_any_address() -> None:
    message = composed(to_name="Old (you@old.example)")
    assert message.recipients[0].name == "Old (you@old.example)"


def test_a_name_has_at_most_200_characters() -> None:
    assert composed(from_name="é" * 200).sender_name == "é" * 200


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["a" * 1_000_000, "a@" * 500_000, "a " * 500_000, "@" * 1_000_000])
def test_a_name_of_a_megabyte_is_rejected_quickly(name: str) -> None:
    assert rejected(from_name=name).code in {"display_name_too_long", "display_name_shows_address"}


@pytest.mark.parametrize(
    ("binding_domains", "allowed"),
    [
        (None, False),  # no binding
        ((), True),  # a binding that accepts every domain
        (("example.com",), True),
        (("second.example",), False),
    ],
)
def test_sending_must_be_enabled_for_the_domain(
    binding_domains: tuple[str, ...] | None, allowed: bool
) -> None:
    policy = SenderPolicy(("example.com",), binding_domains)
    if allowed:
        assert composed(policy).sender.domain == "example.com"
    else:
        assert code_and_errors(rejected(policy)) == ("send_mail_not_enabled", [])


# For each error: its code, and fields that cause it. The order is that of the HTTP contract.
ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("invalid_sender_domain", {"sender": "me@other.example"}),
    ("invalid_recipient", {"to_mail": "nobody"}),
    ("subject_empty", {"subject": " "}),
    ("content_empty", {"content": ""}),
    ("display_name_shows_address", {"from_name": "boss@bank.example"}),
    ("display_name_has_hidden", {"to_name": "a\u200bb"}),
    ("send_mail_not_enabled", {}),
]


@pytest.mark.contract("send checks: Request errors are reported in a fixed order")
@pytest.mark.parametrize("first", range(len(ERRORS)), ids=[code for code, _ in ERRORS])
def test_of_several_errors_the_first_in_the_contracts_order_is_reported(first: int) -> None:
    changes: dict[str, Any] = {}
    for _, field_error in reversed(ERRORS[first:]):
        changes |= field_error
    error = rejected(SenderPolicy(POLICY.domains, None), **changes)
    assert error.code == ERRORS[first][0]
    assert isinstance(error, BadRequest)
