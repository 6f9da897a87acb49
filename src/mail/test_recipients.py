"""Test recipients: addresses that no mail is sent to, one for each thing that can come of a mail.

``bounced@test.invalid`` bounces, and so does ``bounced+anything@test.invalid``.
"""

from collections.abc import Iterable

from mail.address import Address
from mail.faults import fault
from mail.message import TEST_DOMAIN, Recipient

OUTCOMES = ("delivered", "bounced", "complained", "suppressed", "ratelimited", "slow")


def outcome_of(address: Address) -> str:
    """What comes of a mail to this test recipient: one of ``OUTCOMES`` where it is a known one."""
    return address.local.lower().partition("+")[0]


def check_test_recipients(recipients: Iterable[Recipient]) -> None:
    """Check that there are none, or that all of them are and have the same outcome.

    :raises BadRequest: ``test_recipients_mixed``, ``unknown_test_recipient`` or
        ``test_outcomes_mixed``, which names the field of the first that does not fit.
    """
    first: Recipient | None = None
    for recipient in recipients:
        address = recipient.address
        first = first or recipient
        is_test = address.domain == TEST_DOMAIN
        if is_test != (first.address.domain == TEST_DOMAIN):
            raise fault("test_recipients_mixed", recipient.kind)
        if not is_test:
            continue
        if outcome_of(address) not in OUTCOMES:
            known = ", ".join(f"{outcome}@{TEST_DOMAIN}" for outcome in OUTCOMES)
            raise fault("unknown_test_recipient", recipient.kind, known=known)
        if outcome_of(address) != outcome_of(first.address):
            raise fault("test_outcomes_mixed", recipient.kind)
