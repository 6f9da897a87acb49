"""The states of transports: which have failed for all mail, and until when they are skipped."""

import msgspec

from ids import first_id
from store.database import Database, Row, Statement

# The errors of transports that have failed for all mail, by their names; None for those that have
# accepted mail.
States = dict[str, str | None]

_MINUTE = 60_000
_LONGEST_SKIP = 30 * _MINUTE
_MOST_DOUBLINGS = 5  # 32 minutes are more than _LONGEST_SKIP

# ?1 maps names to errors, or to null for transports that have accepted mail. A success writes
# nothing, unless it ends failures. A transport that fails while it is skipped was tried before, by
# another worker or because there is no other one. This does not make the time longer.
_SAVE = f"""
INSERT INTO transport_states (name, failures, skipped_until, last_error, failed_at)
SELECT
  key, value IS NOT NULL, iif(value IS NULL, 0, ?2 + {_MINUTE}), coalesce(value, ''), ?2
FROM json_each(?1)
WHERE value IS NOT NULL
  OR EXISTS (SELECT 1 FROM transport_states WHERE name = key AND failures > 0)
ON CONFLICT (name) DO UPDATE SET
  failures = iif(excluded.failures = 0, 0, failures + (skipped_until <= ?2)),
  skipped_until = CASE
    WHEN excluded.failures = 0 THEN 0
    WHEN skipped_until <= ?2
      THEN ?2 + min({_LONGEST_SKIP}, {_MINUTE} << min(failures, {_MOST_DOUBLINGS}))
    ELSE skipped_until
  END,
  last_error = iif(excluded.failures = 0, last_error, excluded.last_error),
  failed_at = iif(excluded.failures = 0, failed_at, ?2)
"""

_STATES = """
SELECT name, failures, skipped_until, last_error, failed_at FROM transport_states
"""

# The attempts of the messages that were accepted since ?1, the first id of the day. An attempt
# without a code was left to another transport before the call.
_TODAY = """
SELECT
  transport, sum(kind = 'sent') AS sent,
  sum(kind IN ('deferred', 'failed') AND coalesce(provider_code, 'asked_again') <> 'asked_again')
    AS rejected
FROM events WHERE message_id >= ?1 AND transport IS NOT NULL GROUP BY transport
"""


def state_statement(states: States, *, now: int) -> Statement:
    """The statement that records which transports have accepted mail, and which have failed."""
    return Statement(_SAVE, (msgspec.json.encode(states).decode(), now))


async def transport_states(database: Database, *, now: int) -> tuple[list[Row], list[Row]]:
    """The states of the transports that have ever failed, and the attempts of today by transport.

    A row of the latter has the numbers ``sent`` and ``rejected`` of attempts for the messages that
    were accepted on this UTC day.
    """
    start = first_id(now - now % (24 * 60 * _MINUTE))
    states, today = await database.batch(
        [Statement(_STATES), Statement(_TODAY, (start,))], repeatable=True
    )
    return states, today
