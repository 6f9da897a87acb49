"""What is not an address in To can mean a recipient, who is then hidden: a sentence says so."""

import json

import pytest

from smtp_relay.message.convert import convert

BOB = "bob@example.net"
SENTENCE = "What is not an address in To left out"


def converted(to: str) -> tuple[list[dict[str, str]], list[str]]:
    """The recipients that are shown, and what was changed."""
    content = f"From: a@example.com\r\nTo: {to}\r\nSubject: a\r\n\r\ntext\r\n".encode()
    request = convert(content, [BOB], sender="a@example.com", max_hops=9)
    return json.loads(request.body).get("to", []), request.adaptations.sentences()


@pytest.mark.parametrize(
    "to",
    [
        f"'{BOB}'",
        f"Bob <'{BOB}'>",
        f"{BOB}.",
        f"Bob <{BOB}.>",
        f"[{BOB}]",
        "bob at example.net",
        "bob@",
        "@example.net",
    ],
)
def test_what_is_not_an_address_has_a_sentence(to: str) -> None:
    assert converted(to) == ([], [SENTENCE])


@pytest.mark.parametrize(
    "to",
    [
        "eve@example.net",
        "ops@localhost",
        "box@[192.0.2.7]",
        "o'brien@example.net",
        "eve@b\u00fccher.example",
        "root",
        "undisclosed-recipients:;",
    ],
)
def test_the_address_of_another_recipient_has_none(to: str) -> None:
    assert converted(to) == ([], [])


@pytest.mark.parametrize("to", [BOB, BOB.upper(), f'"bob"@example.net, {BOB}.', f"'{BOB}', {BOB}"])
def test_a_recipient_who_is_shown_has_none(to: str) -> None:
    shown, sentences = converted(to)
    assert ([one["email"] for one in shown], sentences) == ([BOB], [])
