"""Sandbox recipients: addresses that simulate an outcome. No mail is sent to them.

``bounced@test.invalid`` bounces, and so does ``bounced+anything@test.invalid``.
"""

from collections.abc import Iterable

from errors import field_error
from mail.addresses import Address
from mail.message import SANDBOX_DOMAIN, Recipient

OUTCOMES = ("delivered", "bounced", "complained", "suppressed", "ratelimited", "slow")


def outcome_of(address: Address) -> str:
    """The outcome that the local part of ``address`` names. It may be missing in ``OUTCOMES``."""
    return address.local.lower().partition("+")[0]


def check_sandbox_recipients(recipients: Iterable[Recipient]) -> None:
    """Check the sandbox recipients among ``recipients``.

    Either none of the recipients is a sandbox recipient, or all are and have the same outcome.

    :raises BadRequest: ``test_recipients_mixed``, ``unknown_test_recipient`` or
        ``test_outcomes_mixed``. Its field is ``to``, ``cc`` or ``bcc``.
    """
    first: Recipient | None = None
    for recipient in recipients:
        address = recipient.address
        first = first or recipient
        is_sandbox = address.domain == SANDBOX_DOMAIN
        if is_sandbox != (first.address.domain == SANDBOX_DOMAIN):
            raise field_error("test_recipients_mixed", recipient.kind)
        if not is_sandbox:
            continue
        if outcome_of(address) not in OUTCOMES:
            known = ", ".join(f"{outcome}@{SANDBOX_DOMAIN}" for outcome in OUTCOMES)
            raise field_error("unknown_test_recipient", recipient.kind, known=known)
        if outcome_of(address) != outcome_of(first.address):
            raise field_error("test_outcomes_mixed", recipient.kind)
