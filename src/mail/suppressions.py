"""Suppressions: recipients that get no mail, why, and for how long."""

from typing import Literal, get_args

import msgspec

from errors import field_error
from mail.addresses import InvalidAddress, parse_domain
from mail.recipients import one_recipient
from mail.schedule import iso_milliseconds

# `provider`: the provider suppresses the recipient, and does not say why.
SuppressionReason = Literal["manual", "hard_bounce", "soft_bounce", "complaint", "provider"]
REASONS: tuple[SuppressionReason, ...] = get_args(SuppressionReason)

_HOUR = 3_600_000

# How long suppressions last that the service adds itself, in milliseconds. The provider's own list
# has the same ends. One that is added after a complaint has no end.
DURATIONS: dict[SuppressionReason, int] = {
    "hard_bounce": 7 * 24 * _HOUR,
    "soft_bounce": 24 * _HOUR,
    "provider": 24 * _HOUR,
}

_END_OF_9999 = 253_402_300_799_999  # later times can't be shown


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """A suppression that an administrator enters.

    ``address`` is in the form of ``Address.key``. ``scope`` is a sending domain in lower case,
    empty for all. ``expires_at`` is in Unix milliseconds, None for no end.
    """

    address: str
    scope: str = ""
    reason: SuppressionReason = "manual"
    expires_at: int | None = None


def entered(
    address: str, *, scope: str, reason: SuppressionReason, expires_at: str, now: int
) -> Suppression:
    """The suppression that an administrator enters as texts.

    :raises BadRequest: ``invalid_recipient``, ``invalid_scope``, ``expires_at_invalid`` or
        ``expires_at_in_past``.
    """
    return Suppression(
        address=one_recipient("address", address).key,
        scope=checked_scope(scope),
        reason=reason,
        expires_at=_end(expires_at.strip(), now),
    )


def checked_scope(text: str) -> str:
    """The sending domain in ``text``, empty for all.

    :raises BadRequest: ``invalid_scope``.
    """
    try:
        return parse_domain(text) if text.strip() else ""
    except InvalidAddress as error:
        raise field_error("invalid_scope", "scope") from error


def _end(text: str, now: int) -> int | None:
    if not text:
        return None
    at = iso_milliseconds(text)
    if at is None:  # a date, whose suppression ends when this day begins
        at = iso_milliseconds(f"{text}T00:00Z")
    if at is None or at > _END_OF_9999:
        raise field_error("expires_at_invalid", "expires_at")
    if at <= now:
        raise field_error("expires_at_in_past", "expires_at")
    return at
