"""Take a message over for an attempt."""

from mail.lifecycle import transitions_on
from store.database import Statement, quoted
from store.pauses import OWNER_IS_PAUSED
from store.sendbox_generation import IN_ANY_CURRENT_SENDBOX

_WAITING = quoted(transitions_on("claimed"))

# If D1's response was lost, the batch is repeated and finds the message already claimed by ?4. The
# last condition then returns the row again. A message in no current sendbox is not sent: its
# sendbox was cleared or its address deleted. Messages of a paused address wait until the pause is
# lifted.
_CLAIM = f"""
UPDATE messages AS m
SET
  status = 'sending', attempt = attempt + (status <> 'sending'), claimed_by = ?4,
  lease_until = ?3, next_attempt_at = NULL, provider_code = NULL, reason = NULL
WHERE id = ?1 AND {IN_ANY_CURRENT_SENDBOX} AND NOT {OWNER_IS_PAUSED} AND (
  status IN ({_WAITING}) AND next_attempt_at <= ?2 OR status = 'sending' AND claimed_by = ?4
)
RETURNING
  id, attempt, coalesce(scheduled_at, accepted_at) AS tried_from, request_id, size,
  sender, sender_name, subject, details, scheduled_at
"""


def claim_statement(message_id: str, *, claimant: str, now: int, lease_until: int) -> Statement:
    """The statement that claims a message if it is due and no other worker holds it.

    The statement returns the row of the claimed message, or no row.
    """
    return Statement(_CLAIM, (message_id, now, lease_until, claimant))
