"""Confirm: one batch that writes how an attempt ended, with what that does to the charge.

Every statement names the status and the attempt that it expects, and the message's own row
changes last, so a late or a repeated batch finds another state and changes nothing.
"""

import msgspec

from store.database import Database, Statement


class Ending(msgspec.Struct, frozen=True):
    """How attempt ``attempt`` of message ``id`` ended.

    ``expected`` is the status that the row must still have; ``status`` is ``sent``, ``failed``
    or ``unknown``; ``now`` is in Unix milliseconds.
    """

    id: str
    attempt: int
    expected: str
    status: str
    now: int
    provider_message_id: str | None = None
    provider_code: str | None = None


_STILL = """
  EXISTS (
    SELECT 1 FROM messages
    WHERE id = ?1 ->> 'id' AND status = ?1 ->> 'expected' AND attempt = ?1 ->> 'attempt'
  )
"""

_GIVE_BACK_BALANCE = f"""
UPDATE send_balances
SET balance = balance + (SELECT charge FROM messages WHERE id = ?1 ->> 'id')
WHERE address_id = (SELECT address_id FROM messages WHERE id = ?1 ->> 'id' AND charge > 0)
  AND {_STILL}
"""

# Given back to the day of acceptance, which is the day that was charged.
_GIVE_BACK_RECIPIENTS = f"""
UPDATE daily_recipients
SET recipients = recipients - (SELECT recipients FROM messages WHERE id = ?1 ->> 'id')
WHERE day = (
    SELECT strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch')
    FROM messages WHERE id = ?1 ->> 'id'
  )
  AND {_STILL}
"""

_UPDATE_DELIVERIES = f"""
UPDATE deliveries SET status = ?1 ->> 'status', provider_code = ?1 ->> 'provider_code'
WHERE message_id = ?1 ->> 'id' AND {_STILL}
"""

_INSERT_EVENT = f"""
INSERT INTO events (message_id, sequence, kind, attempt, provider_code, occurred_at)
SELECT
  ?1 ->> 'id',
  (SELECT 1 + max(sequence) FROM events WHERE message_id = ?1 ->> 'id'),
  ?1 ->> 'status', ?1 ->> 'attempt', ?1 ->> 'provider_code', ?1 ->> 'now'
WHERE {_STILL}
"""

_UPDATE_MESSAGE = """
UPDATE messages
SET status = ?1 ->> 'status', lease_until = NULL, finished_at = ?1 ->> 'now',
  provider_message_id = ?1 ->> 'provider_message_id', provider_code = ?1 ->> 'provider_code'
WHERE id = ?1 ->> 'id' AND status = ?1 ->> 'expected' AND attempt = ?1 ->> 'attempt'
"""


async def confirm(database: Database, ending: Ending) -> None:
    """Write ``ending``; a message that is no longer as expected stays as it is.

    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    sql = [_UPDATE_DELIVERIES, _INSERT_EVENT, _UPDATE_MESSAGE]
    if ending.status == "failed":
        sql = [_GIVE_BACK_BALANCE, _GIVE_BACK_RECIPIENTS, *sql]
    parameters = (msgspec.json.encode(ending).decode(),)
    await database.batch([Statement(text, parameters) for text in sql], repeatable=True)
