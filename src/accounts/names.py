"""Names of new addresses: cleaning, validation and random names."""

import contextlib
import re
import secrets
import string
from dataclasses import dataclass

from errors import BadRequest, field_error
from mail.addresses import MAX_LOCAL_OCTETS, InvalidAddress, parse_address

# Mail to these names must reach the operator of the domain (RFC 2142, CA/Browser Forum BR
# 3.2.2.4.4). They are compared without punctuation.
ROLE_NAMES = frozenset(
    [
        "postmaster",
        "abuse",
        "hostmaster",
        "webmaster",
        "admin",
        "administrator",
        "root",
        "security",
        "mailerdaemon",
    ]
)

_PUNCTUATION = re.compile("[^a-z0-9]")

# Longer texts are rejected before the rules apply: a regular expression could take too long.
_MAX_GIVEN_CHARACTERS = 1000
_RANDOM_CHARACTERS = 10
_RANDOM_TRIES = 50
_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class NameRules:
    """The rules for a name, the part of an address before the at sign.

    Matches of ``removed`` are deleted from a given name. The rest must contain a match of
    ``required``. The lengths are in characters, without ``prefix``. Names in ``reserved`` are
    blocked. The defaults are the rules for administrators.
    """

    removed: re.Pattern[str] | None = None
    required: re.Pattern[str] | None = None
    min_length: int = 1
    max_length: int = 30
    prefix: str = ""
    reserved: frozenset[str] = frozenset()


def clean_name(given: str, rules: NameRules) -> str:
    """``given`` in lower case without the characters that ``rules`` remove; may be empty.

    :raises BadRequest: ``address_name_too_long``, if ``given`` has over a thousand characters.
    """
    if len(given) > _MAX_GIVEN_CHARACTERS:
        raise _too_long(rules.max_length)
    name = given.strip().lower()
    return rules.removed.sub("", name) if rules.removed else name


def check_name(name: str, rules: NameRules) -> None:
    """Check a cleaned name against all rules.

    :raises BadRequest: ``address_name_blocked``, ``address_name_no_match``,
        ``address_name_too_short`` or ``address_name_too_long``.
    """
    if {_bare(name), _bare(rules.prefix + name)} & rules.reserved:
        raise name_blocked(name)
    if rules.required and not rules.required.search(name):
        raise field_error("address_name_no_match", "name", pattern=rules.required.pattern)
    if len(name) < rules.min_length:
        raise field_error("address_name_too_short", "name", minimum=rules.min_length)
    if len(name) > rules.max_length:
        raise _too_long(rules.max_length)


def random_name(rules: NameRules) -> str:
    """A random name that satisfies ``rules``, from a cryptographic generator.

    :raises BadRequest: none of the random names that were tried satisfies ``rules``.
    """
    length = min(max(_RANDOM_CHARACTERS, rules.min_length), rules.max_length)
    for _ in range(_RANDOM_TRIES - 1):
        with contextlib.suppress(BadRequest):
            return _checked_random_name(length, rules)
    return _checked_random_name(length, rules)


def _checked_random_name(length: int, rules: NameRules) -> str:
    # More characters than needed are drawn, because the rules may remove most of them.
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(20 * length))
    name = (rules.removed.sub("", drawn) if rules.removed else drawn)[:length]
    check_name(name, rules)
    return name


def full_address(name: str, domain: str, rules: NameRules) -> str:
    """The whole address, including the prefix.

    :raises BadRequest: ``address_name_too_long``, or ``address_name_invalid`` if the result is not
        a valid mail address.
    """
    local = rules.prefix + name
    if len(local) > MAX_LOCAL_OCTETS:
        raise _too_long(MAX_LOCAL_OCTETS - len(rules.prefix))
    try:
        return str(parse_address(f"{local}@{domain}"))
    except InvalidAddress as error:
        raise field_error("address_name_invalid", "name") from error


def _bare(name: str) -> str:
    # So ad-min and ad.min count as admin.
    return _PUNCTUATION.sub("", name)


def name_blocked(name: str) -> BadRequest:
    """The error for a name that is reserved or on the block list."""
    return field_error("address_name_blocked", "name", name=name)


def _too_long(maximum: int) -> BadRequest:
    return field_error("address_name_too_long", "name", maximum=maximum)
