"""Validation of the lists and send limits that administrators set at run time."""

from collections.abc import Callable
from typing import Any, NamedTuple

from errors import BadRequest, FieldError, PayloadTooLarge, field_error
from mail.addresses import (
    MAX_GIVEN_CHARACTERS,
    MAX_LOCAL_OCTETS,
    InvalidAddress,
    ascii_domain,
    parse_address,
)
from mail.characters import has_control

MAX_ENTRIES = 10_000
# The size of a list as JSON. The database receives it as one value, which contains each entry in
# two forms: for comparison, and as given.
MAX_LIST_BYTES = 1_800_000
_MOST = 2**53 - 1  # the largest integer that JavaScript and D1 represent exactly


def comparable_entries(field: str, given: list[str]) -> dict[str, str]:
    """The entries of the list ``field``, each once.

    The keys are the entries in the form for comparison, the values the entries as given.

    >>> comparable_entries("sendBlockList", ["@Example.com", "Bob@example.com", "@example.com"])
    {'@example.com': '@Example.com', 'bob@example.com': 'Bob@example.com'}

    :raises BadRequest: ``invalid_list_entry``.
    :raises PayloadTooLarge: ``list_too_large``.
    """
    if len(given) > MAX_ENTRIES:
        raise too_large(field)
    comparable = LISTS[field].comparable
    entries: dict[str, str] = {}
    for place, entry in enumerate(given):
        try:
            if len(entry) > MAX_GIVEN_CHARACTERS:
                raise InvalidAddress("list_entry_too_long", limit=MAX_GIVEN_CHARACTERS)
            entries.setdefault(comparable(entry.strip()), entry)
        except InvalidAddress as problem:
            error = FieldError(f"{field}[{place}]", problem.code, problem.values)
            raise BadRequest("invalid_list_entry", errors=(error,), list=field) from problem
    return entries


def too_large(field: str) -> PayloadTooLarge:
    """The error for a list ``field`` that is too large."""
    limits: dict[str, Any] = {"limit": MAX_ENTRIES, "bytes": MAX_LIST_BYTES}
    error = FieldError(field, "list_too_large", limits)
    return PayloadTooLarge("list_too_large", errors=(error,), **limits)


def checked_limits(given: Any) -> dict[str, object]:
    """The validated ``sendMailLimitConfig``.

    A missing ``dailyEnabled`` or ``monthlyEnabled`` becomes False, a missing limit None.

    :param given: a decoded JSON value.
    :raises BadRequest: ``invalid_send_limits``.
    """
    if not isinstance(given, dict):
        raise field_error("invalid_send_limits", "sendMailLimitConfig")
    limits: dict[str, object] = {}
    for period in ("daily", "monthly"):
        enabled = given.get(f"{period}Enabled", False)
        limit = given.get(f"{period}Limit")
        if not isinstance(enabled, bool):
            raise field_error("invalid_send_limits", f"sendMailLimitConfig.{period}Enabled")
        if not _is_limit(limit) and (enabled or limit is not None):
            raise field_error("invalid_send_limits", f"sendMailLimitConfig.{period}Limit")
        limits |= {f"{period}Enabled": enabled, f"{period}Limit": limit}
    return limits


def _is_limit(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= _MOST


def _name(entry: str) -> str:
    if not entry or has_control(entry) or len(entry.encode()) > MAX_LOCAL_OCTETS:
        raise InvalidAddress("list_entry_name")
    return entry.lower()


def _address(entry: str) -> str:
    return parse_address(entry).key


def _address_or_domain(entry: str) -> str:
    at, _, domain = entry.rpartition("@")
    if at:
        return parse_address(entry).key
    return ("@" if entry.startswith("@") else "") + ascii_domain(domain)


class List(NamedTuple):
    """A list: its name in the database, and the function that makes an entry comparable."""

    name: str
    comparable: Callable[[str], str]


# Keyed by their names in the API.
LISTS = {
    "blockList": List("name_block", _name),
    "sendBlockList": List("send_block", _address_or_domain),
    "verifiedAddressList": List("verified", _address),
    "noLimitSendAddressList": List("unlimited", _address),
}
