"""Regular expressions in settings that take very long for some names are found."""

import re

import pytest

from tools.slow_patterns import is_slow

SLOW = [
    "^(a+)+$",
    "^([a-z]+)*$",
    "^([a-z]+[0-9]*)*!$",
    "^([a-z]+[^0-9]?)+$",
    "^([a-z]+[^0-9]{0,3})+$",
    "^(a+.?)+$",
    "^(a|aa)+$",
    "^(a|a?)+$",
    "^(abc|abcabc)+$",
    "^([a-m]|[h-z]x?)+$",
    "^(xx?|[u-z])*$",
    r"^(\w+\s?)*$",
    r"^(\d+|[0-9a-f]+)*-$",
    "^user-([a-z]+[0-9]*)*$",
    "^(?=([a-z]+)*!)a",
    "^(?!([a-z]+)*!)a*!",
    "^(ab?|ba?)+$",
    "^(.*b){11}$",
    "^[a-z]*[a-z]*[a-z]*[a-z]*!$",
    "^((é+)+|x)$",
    "(?i)^([A-Z]+)+[0-9]$",
    "^(?:(?:[a-z]+-?)+)$",
]

HARMLESS = [
    "",
    "^a",
    "[^a-z0-9]",
    "[^a-z0-9._-]+",
    "^[a-z]+$",
    "^[a-z]+(-[a-z]+)*$",
    "^[a-z0-9]+([._-][a-z0-9]+)*$",
    r"^(?!.*\.\.)[a-z.]{3,30}$",
    "^(?!.*test)",
    "^(admin|postmaster|root)$",
    "^(admin|user-[0-9]+)+$",
    "[a-z]+$",
    "^([a-z]{2})*$",
    "^((a|b)c)*$",
    "^([a-m]|[h-z])+$",  # re makes one set of characters of it
    "^(?>a+)+$",
    "^(a++)+$",
    r"^\w+\s\w+$",
    "^x{5000}$",
    r"^(a)\1*$",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_a_slow_pattern_is_found(pattern: str) -> None:
    assert is_slow(re.compile(pattern))


@pytest.mark.parametrize("pattern", HARMLESS)
def test_a_harmless_pattern_is_not_slow(pattern: str) -> None:
    assert not is_slow(re.compile(pattern))
