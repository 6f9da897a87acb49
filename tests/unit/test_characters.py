"""Characters that deceive readers or end a line."""

import sys

import pytest

from mail.characters import has_control, has_deceptive, shows_other_address

OWN = "me@example.com"


@pytest.mark.parametrize(
    "character",
    [
        *map(chr, range(0x20)),
        *map(chr, range(0x7F, 0xA0)),
        "\u2028",
        "\u2029",
        chr(0xD800),
        chr(0xDFFF),
    ],
)
def test_controls_line_ends_and_lone_surrogates_are_controls(character: str) -> None:
    assert has_control(f"a{character}b")


@pytest.mark.parametrize("text", ["", " ", "plain", "ünïcödé", "日本語", "😀", "~\xa0"])
def test_text_has_no_controls(text: str) -> None:
    assert not has_control(text)


@pytest.mark.parametrize(
    "character",
    [
        *"\u200b\u200c\u200d\u2060\ufeff",  # zero width
        *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",  # UAX #9
        *"\u00ad\u180e\u3164\uffa0\U000e0041",  # other invisible characters
    ],
)
def test_zero_width_and_bidirectional_characters_deceive(character: str) -> None:
    assert has_deceptive(f"a{character}b")


@pytest.mark.parametrize(
    "text", ["", "plain", "Zoë", "Łukasz", "محمد", "דוד", "山田 太郎", "❤\ufe0f", "😀"]
)
def test_names_of_every_script_do_not_deceive(text: str) -> None:
    assert not has_deceptive(text)


def test_no_letter_of_any_script_deceives() -> None:
    fillers = {0x115F, 0x1160, 0x3164, 0xFFA0}  # invisible, but letters by category
    letters = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if character.isalpha() and ord(character) not in fillers
    ]
    assert not has_deceptive("".join(letters))
    assert not has_control("".join(letters))


@pytest.mark.parametrize(
    "name",
    [
        "boss@bank.example",
        "The Boss (boss@bank.example)",
        "boss@bank.example via me",
        "Boss <boss@bank.example>",
        '"boss@bank.example"',
        "boss @ bank.example",
        "boss@ bank.example",
        "boss\uff20bank.example",  # full-width at sign
        "boss\ufe6bbank.example",  # small at sign
        "boss@bank\uff0eexample",  # full-width full stop
        "boss@bank\u3002example",  # ideographic full stop
        "boss@bank\uff61example",  # half-width ideographic full stop
        "boss@bank\u2024example",  # one dot leader, which is a full stop in NFKC
        "boss@bücher.example",
        "me@example.com@bank.example",
        "me@example.com boss@bank.example",
        "me@example.com.bank.example",
        "BOSS@BANK.EXAMPLE",
    ],
)
def test_a_name_shows_another_address(name: str) -> None:
    assert shows_other_address(name, OWN)


@pytest.mark.parametrize(
    "name",
    [
        *("", "Me", "me@example.com", "ME@Example.COM", "Me (me@example.com)"),
        *("Me <me@example.com>", "@me", "me@", "Tom @ Acme", "J. R. Smith", "J.R. @ Acme"),
        *("example.com", "Meet @ 5"),
    ],
)
def test_a_name_shows_no_other_address(name: str) -> None:
    assert not shows_other_address(name, OWN)
