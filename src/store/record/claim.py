"""Take messages over for an attempt."""

from mail.lifecycle import transitions_on
from store.database import Statement, quoted
from store.pauses import OWNER_IS_PAUSED
from store.sendbox_generation import IN_ANY_CURRENT_SENDBOX

# A message in no current sendbox is about to be cancelled. Messages of a paused address wait until
# the pause is lifted.
_IS_DUE = f"""
m.status IN ({quoted(transitions_on("claimed"))}) AND m.next_attempt_at <= ?2
AND {IN_ANY_CURRENT_SENDBOX} AND NOT {OWNER_IS_PAUSED}
"""

# A claimant that finds its own claims gets them again, and first, because D1's first response was
# lost. The messages are taken in the order of the ids, as many as fit; the first always fits.
_CLAIM = f"""
UPDATE messages
SET
  status = 'sending', attempt = attempt + (status <> 'sending'), claimed_by = ?4,
  lease_until = ?3, next_attempt_at = NULL, provider_code = NULL, reason = NULL
WHERE id IN (
  SELECT id FROM (
    SELECT
      m.id, row_number() OVER ahead AS number,
      sum(m.size) OVER (ahead ROWS UNBOUNDED PRECEDING) AS bytes
    FROM json_each(?1) JOIN messages AS m ON m.id = value
    WHERE {_IS_DUE} OR m.status = 'sending' AND m.claimed_by = ?4
    WINDOW ahead AS (ORDER BY m.status <> 'sending', key)
  )
  WHERE number <= ?5 AND (bytes <= ?6 OR number = 1)
)
RETURNING
  id, attempt, coalesce(scheduled_at, accepted_at) AS tried_from, request_id, size,
  sender, sender_name, subject, details, scheduled_at
"""

_UNCLAIMED = f"""
SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value WHERE {_IS_DUE} ORDER BY key
"""


def claim_statement(
    ids: str, *, claimant: str, now: int, lease_until: int, max_messages: int, max_bytes: int
) -> Statement:
    """Claims those of the messages that are due and not held, and returns their rows.

    :param ids: the ids as JSON.
    """
    return Statement(_CLAIM, (ids, now, lease_until, claimant, max_messages, max_bytes))


def unclaimed_statement(ids: str, *, now: int) -> Statement:
    """Returns those of the messages that are due and not claimed.

    :param ids: the ids as JSON.
    """
    return Statement(_UNCLAIMED, (ids, now))
