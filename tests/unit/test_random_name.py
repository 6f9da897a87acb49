"""Random names follow every rule for requested names."""

import itertools
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.names import ROLE_NAMES, NameRules, check_name, clean_name, random_name
from errors import BadRequest

RULES = NameRules(re.compile("[^a-z0-9]"), None, 1, 30, "", ROLE_NAMES)


def test_a_random_name_has_ten_letters_and_digits() -> None:
    assert re.fullmatch("[a-z0-9]{10}", random_name(RULES))


def test_random_names_differ() -> None:
    assert len({random_name(RULES) for _ in range(200)}) == 200


def test_random_names_use_the_whole_alphabet() -> None:
    used = set("".join(random_name(RULES) for _ in range(200)))
    assert used == set("abcdefghijklmnopqrstuvwxyz0123456789")


@pytest.mark.contract(
    "address names: A name is random if it is missing or custom names are disabled"
)
def test_random_names_come_from_the_systems_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    letters: Iterator[str] = itertools.cycle("thisisnotrandom")
    monkeypatch.setattr(secrets, "choice", lambda _: next(letters))
    assert random_name(RULES) == "thisisnotr"


rules = st.builds(
    lambda removed, required, minimum, extra: replace(
        RULES,
        removed=removed and re.compile(removed),
        required=required and re.compile(required),
        min_length=minimum,
        max_length=minimum + extra,
    ),
    st.sampled_from([None, "[^a-z0-9]", "[^a-z]", "[^0-9]", "[^a-m]", "[0-9]", "^[0-9]+", ""]),
    st.sampled_from([None, "^[a-z0-9]+$", "[a-z0-9]", "."]),
    st.integers(1, 40),
    st.integers(0, 20),
)


@given(rules)
def test_a_random_name_keeps_to_the_rules(rules: NameRules) -> None:
    name = random_name(rules)
    check_name(name, rules)
    assert clean_name(name, rules) == name


@pytest.mark.parametrize("removed", ["[^a-z]", "[^0-9]", "[^a-f]"])
def test_a_random_name_has_its_length_even_with_few_allowed_characters(removed: str) -> None:
    rules = replace(RULES, removed=re.compile(removed))
    assert {len(random_name(rules)) for _ in range(200)} == {10}


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (replace(RULES, required=re.compile("@")), "address_name_no_match"),
        (replace(RULES, removed=re.compile(".")), "address_name_too_short"),
        (replace(RULES, removed=re.compile("[a-z0-9]")), "address_name_too_short"),
        (replace(RULES, min_length=5, max_length=4), "address_name_too_short"),
    ],
)
def test_rules_without_a_possible_random_name_are_rejected(rules: NameRules, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        random_name(rules)
    assert caught.value.code == code


def test_fifty_random_names_of_twenty_times_their_length_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []

    def choice(letters: str) -> str:
        drawn.append(letters)
        return "a"

    monkeypatch.setattr(secrets, "choice", choice)
    with pytest.raises(BadRequest, match="address_name_no_match"):
        random_name(replace(RULES, required=re.compile("b")))
    # The rules may remove most characters of a name.
    assert len(drawn) == 50 * 20 * 10
