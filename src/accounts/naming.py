"""Names of new addresses: what is cleaned away, what is refused, what is added."""

import contextlib
import re
import secrets
import string
from dataclasses import dataclass
from typing import Any

from mail.address import MAX_LOCAL_OCTETS, InvalidAddress, parse_address
from refusals import BadRequest, FieldError, Refusal

# Mail to these must reach whoever runs the domain (RFC 2142, CA/Browser Forum BR 3.2.2.4.4);
# written without punctuation.
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

# No rule is asked about a longer text: a regular expression could take for ever over it.
_MAX_GIVEN_CHARACTERS = 1000
_RANDOM_CHARACTERS = 10
_RANDOM_TRIES = 50
_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class NameRules:
    """What a name before the at sign must keep to.

    ``removed`` matches what is cut out of a given name, ``required`` is searched in the rest;
    the lengths are in characters, without ``prefix``.
    """

    removed: re.Pattern[str] | None
    required: re.Pattern[str] | None
    min_length: int
    max_length: int
    prefix: str
    reserved: frozenset[str]


def clean_name(given: str, rules: NameRules) -> str:
    """``given`` in lower case without the characters that ``rules`` remove; may be empty.

    :raises BadRequest: where it is longer than any name.
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
        raise _fault("address_name_no_match", pattern=rules.required.pattern)
    if len(name) < rules.min_length:
        raise _fault("address_name_too_short", minimum=rules.min_length)
    if len(name) > rules.max_length:
        raise _too_long(rules.max_length)


def random_name(rules: NameRules) -> str:
    """A random name that keeps to ``rules``, from the system's generator.

    :raises BadRequest: the rule that no random name would keep to.
    """
    length = min(max(_RANDOM_CHARACTERS, rules.min_length), rules.max_length)
    for _ in range(_RANDOM_TRIES - 1):
        with contextlib.suppress(BadRequest):
            return _checked_random_name(length, rules)
    return _checked_random_name(length, rules)


def _checked_random_name(length: int, rules: NameRules) -> str:
    # Drawn in plenty: the rules may cut out most of it.
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(20 * length))
    name = (rules.removed.sub("", drawn) if rules.removed else drawn)[:length]
    check_name(name, rules)
    return name


def full_address(name: str, domain: str, rules: NameRules) -> str:
    """The whole address, prefix in front.

    :raises BadRequest: ``address_name_too_long``, or ``address_name_invalid`` where it is no
        mail address.
    """
    local = rules.prefix + name
    if len(local) > MAX_LOCAL_OCTETS:
        raise _too_long(MAX_LOCAL_OCTETS - len(rules.prefix))
    try:
        return str(parse_address(f"{local}@{domain}"))
    except InvalidAddress as error:
        raise _fault("address_name_invalid") from error


def _bare(name: str) -> str:
    # ad-min and ad.min read as admin.
    return _PUNCTUATION.sub("", name)


def name_blocked(name: str) -> Refusal:
    """The refusal of a name on the block list."""
    return _fault("address_name_blocked", name=name)


def _too_long(maximum: int) -> Refusal:
    return _fault("address_name_too_long", maximum=maximum)


def _fault(code: str, **values: Any) -> Refusal:
    return BadRequest(code, errors=(FieldError("name", code, values),), **values)
