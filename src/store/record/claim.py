"""Take messages over for an attempt."""

from collections.abc import Sequence

import msgspec

from mail.lifecycle import transitions_on
from store.database import Statement, quoted
from store.listeners import listeners
from store.pauses import OWNER_IS_PAUSED
from store.sendbox_generation import IN_ANY_CURRENT_SENDBOX

# A message in no current sendbox is not sent, but cancelled soon: its sendbox was cleared or its
# address deleted. Messages of a paused address wait until the pause is lifted.
_IS_DUE = f"""
m.status IN ({quoted(transitions_on("claimed"))}) AND m.next_attempt_at <= ?2
AND {IN_ANY_CURRENT_SENDBOX} AND NOT {OWNER_IS_PAUSED}
"""

# The messages are claimed in the order of the ids ?1, at most ?5 messages with ?6 bytes together.
# The first message may have ?7 bytes. If D1's response was lost, the batch is
# repeated and finds the messages already claimed by ?4. It then returns their rows again, before
# those of other messages.
_CLAIM = f"""
UPDATE messages
SET
  status = 'sending', attempt = attempt + (status <> 'sending'), claimed_by = ?4,
  lease_until = ?3, next_attempt_at = NULL, provider_code = NULL, reason = NULL,
  ask_until = coalesce(ask_until, iif(transport IN (SELECT value FROM json_each(?8)), ?9, NULL))
WHERE id IN (
  SELECT id FROM (
    SELECT
      m.id, row_number() OVER ahead AS number,
      sum(m.size) OVER (ahead ROWS UNBOUNDED PRECEDING) AS bytes
    FROM json_each(?1) JOIN messages AS m ON m.id = value
    WHERE {_IS_DUE} OR m.status = 'sending' AND m.claimed_by = ?4
    WINDOW ahead AS (ORDER BY m.status <> 'sending', key)
  )
  WHERE number <= ?5 AND bytes <= iif(number = 1, max(?6, ?7), ?6)
)
RETURNING
  id, attempt, coalesce(scheduled_at, accepted_at) AS tried_from, request_id, size,
  sender, sender_name, subject, details, scheduled_at, transport, ask_until,
  CASE WHEN ?10 THEN (
    SELECT json_group_array(name) FROM transport_states WHERE skipped_until > ?2
  ) END AS skipped,
  {listeners("messages.address_id")} AS webhooks
"""

_UNCLAIMED = f"""
SELECT m.id FROM json_each(?1) JOIN messages AS m ON m.id = value WHERE {_IS_DUE} ORDER BY key
"""


def claim_statement(
    ids: str,
    *,
    claimant: str,
    now: int,
    lease_until: int,
    max_messages: int,
    max_bytes: int,
    max_first: int,
    keyed: Sequence[str],
    ask_until: int,
    is_routed: bool,
) -> Statement:
    """The statement that claims the messages that are due and that no other worker holds.

    The statement returns the rows of the claimed messages.

    :param ids: the ids of the messages, as a JSON array.
    :param max_bytes: the maximum size of several messages together.
    :param max_first: the maximum size of the first message, if this is more.
    :param keyed: the transports whose providers have idempotency keys.
    :param ask_until: until when they may be asked again with the key of an attempt.
    :param is_routed: whether the deployment has other transports than the binding.
    """
    limits = (max_messages, max_bytes, max_first)
    keys = (msgspec.json.encode(keyed).decode(), ask_until, is_routed)
    return Statement(_CLAIM, (ids, now, lease_until, claimant, *limits, *keys))


def unclaimed_statement(ids: str, *, now: int) -> Statement:
    """The statement that returns the ids of the messages that are due and not claimed.

    :param ids: the ids of the messages, as a JSON array.
    """
    return Statement(_UNCLAIMED, (ids, now))
