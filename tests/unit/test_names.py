"""Names of new addresses: cleaned, checked in a fixed order, combined with prefix and domain."""

import re
from dataclasses import replace

import pytest

from accounts.names import ROLE_NAMES, NameRules, check_name, clean_name, full_address, name_blocked
from errors import ApiError, BadRequest

PUBLIC = NameRules(
    removed=re.compile("[^a-z0-9]"),
    required=None,
    min_length=1,
    max_length=30,
    prefix="",
    reserved=ROLE_NAMES,
)
ADMIN = NameRules(None, None, 1, 30, "", frozenset())


def rejected(name: str, rules: NameRules) -> ApiError:
    with pytest.raises(BadRequest) as caught:
        check_name(name, rules)
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("name", caught.value.code)
    ]
    return caught.value


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("ann", "ann"),
        ("  Ann  ", "ann"),
        ("John.Doe-99", "johndoe99"),
        ("a@b.co", "abco"),
        ("", ""),
        ("   ", ""),
        ("äöü", ""),
        ("名字", ""),
        ("KELVIN \u212a", "kelvink"),  # the Kelvin sign is a k in lower case
        ("a\x00\r\nb", "ab"),
        ("A" * 1000, "a" * 1000),
    ],
)
def test_a_public_name_loses_all_but_letters_and_digits(given: str, cleaned: str) -> None:
    assert clean_name(given, PUBLIC) == cleaned


def test_an_administrators_name_is_trimmed_and_lowered_only() -> None:
    assert clean_name(" John.Doe ", ADMIN) == "john.doe"


@pytest.mark.parametrize("rules", [PUBLIC, ADMIN], ids=["public", "admin"])
def test_rules_see_at_most_1000_characters(rules: NameRules) -> None:
    with pytest.raises(BadRequest) as caught:
        clean_name("-" * 1001, rules)
    assert (caught.value.code, caught.value.values) == ("address_name_too_long", {"maximum": 30})


@pytest.mark.parametrize("name", ["a", "a" * 30, "admin1", "postmasters"])
def test_a_name_keeps_to_the_public_rules(name: str) -> None:
    check_name(name, PUBLIC)


@pytest.mark.parametrize(
    "name",
    [
        *("postmaster", "abuse", "hostmaster", "webmaster", "admin", "administrator", "root"),
        *("security", "mailer-daemon"),
    ],
)
def test_role_names_are_blocked_for_the_public(name: str) -> None:
    error = rejected(name, PUBLIC)
    assert (error.code, error.values) == ("address_name_blocked", {"name": name})
    check_name(name, ADMIN)


@pytest.mark.parametrize("name", ["ad-min", "ad.min", "post_master", "mailerdaemon", "ro+ot."])
def test_role_names_are_blocked_with_any_punctuation(name: str) -> None:
    error = rejected(name, replace(PUBLIC, removed=None))
    assert (error.code, error.values) == ("address_name_blocked", {"name": name})


@pytest.mark.parametrize(
    ("prefix", "name"), [("ad", "min"), ("ad.", "min"), ("tmp", "admin"), ("post-", "master")]
)
def test_role_names_are_blocked_with_the_prefix_and_without(prefix: str, name: str) -> None:
    assert rejected(name, replace(PUBLIC, prefix=prefix)).code == "address_name_blocked"


def test_a_prefix_does_not_make_a_name_a_role_name() -> None:
    check_name("min", replace(PUBLIC, prefix="tmp"))
    check_name("istrator", replace(PUBLIC, prefix="minad"))


@pytest.mark.parametrize("given", [" ADMIN ", "Ad.Min", "r-o-o-t"])
def test_role_names_are_blocked_after_cleaning(given: str) -> None:
    assert rejected(clean_name(given, PUBLIC), PUBLIC).code == "address_name_blocked"


def test_a_name_has_the_lengths_of_the_rules() -> None:
    rules = replace(PUBLIC, min_length=3, max_length=5)
    check_name("abc", rules)
    check_name("abcde", rules)
    short, long = rejected("ab", rules), rejected("abcdef", rules)
    assert (short.code, short.values) == ("address_name_too_short", {"minimum": 3})
    assert (long.code, long.values) == ("address_name_too_long", {"maximum": 5})


def test_the_prefix_does_not_count_towards_the_length() -> None:
    check_name("a" * 30, replace(PUBLIC, prefix="tmp"))


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc1", False),
        ("[0-9]", "abc1", True),  # searched like JavaScript's test(), not matched completely
        ("[0-9]", "abc", False),
        ("", "abc", True),
    ],
)
def test_a_name_must_match_the_check_regex(pattern: str, name: str, fits: bool) -> None:
    rules = replace(PUBLIC, required=re.compile(pattern))
    if fits:
        check_name(name, rules)
    else:
        error = rejected(name, rules)
        assert (error.code, error.values) == ("address_name_no_match", {"pattern": pattern})


@pytest.mark.contract(
    "address names: Names are checked in order: block list, role names, check regex, length"
)
def test_the_rules_are_checked_in_the_order_of_the_contract() -> None:
    rules = replace(PUBLIC, required=re.compile("^x"), min_length=6, max_length=4)
    assert rejected("admin", rules).code == "address_name_blocked"
    assert rejected("ordinary", rules).code == "address_name_no_match"
    assert rejected("xy", rules).code == "address_name_too_short"
    assert rejected("xylophone", rules).code == "address_name_too_long"


def test_a_blocked_name_is_named() -> None:
    assert name_blocked("bob").values == {"name": "bob"}


@pytest.mark.parametrize(
    ("pattern", "given", "cleaned"),
    [
        ("", "abc", "abc"),  # matches the empty text between letters
        ("[^a-z0-9.]", "a.b-c", "a.bc"),
        ("(?i)[A-C]", "abcd", "d"),
        ("^[0-9]+", "12ab34", "ab34"),
        (".*", "abc", ""),
        ("a|b", "aabbc", "c"),
    ],
)
def test_any_regular_expression_may_clean_names(pattern: str, given: str, cleaned: str) -> None:
    assert clean_name(given, replace(PUBLIC, removed=re.compile(pattern))) == cleaned


def test_the_prefix_stands_before_the_name() -> None:
    assert full_address("ann", "example.com", replace(PUBLIC, prefix="tmp.")) == (
        "tmp.ann@example.com"
    )


@pytest.mark.parametrize("name", [".ann", "ann.", "a..b", "a b", "a@b", "ännä", "a\nb", '"a"', ""])
def test_a_name_that_makes_no_valid_address_is_rejected(name: str) -> None:
    with pytest.raises(BadRequest, match="address_name_invalid"):
        full_address(name, "example.com", ADMIN)


def test_name_and_prefix_together_have_at_most_64_octets() -> None:
    rules = replace(PUBLIC, prefix="p" * 40)
    assert full_address("a" * 24, "example.com", rules) == "p" * 40 + "a" * 24 + "@example.com"
    with pytest.raises(BadRequest) as caught:
        full_address("a" * 25, "example.com", rules)
    assert (caught.value.code, caught.value.values) == ("address_name_too_long", {"maximum": 24})
