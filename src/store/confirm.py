"""Confirm: one batch that writes news of a message, with what they do to its charge.

The statements are made from the table of transitions. Each names the statuses that the news
may find and the attempt that they are about, and the message's own row changes last, so a
late or a repeated batch finds another state and changes nothing.
"""

from functools import cache
from http import HTTPStatus

import msgspec

from lifecycle import News, Status, steps_on
from store.database import Database, Statement


class Confirmation(msgspec.Struct, frozen=True):
    """News of attempt ``attempt`` of message ``id``; times are in Unix milliseconds.

    ``next_attempt_at`` goes with ``deferred``. ``answer_status`` and ``answer_code`` are what the
    client is told, kept where it has not been told anything yet. ``frees_key`` lets a refused
    request be made again: with its idempotency key, and for the message that it was to repeat.
    """

    id: str
    attempt: int
    now: int
    next_attempt_at: int | None = None
    provider_message_id: str | None = None
    provider_code: str | None = None
    answer_status: int | None = None
    answer_code: str | None = None
    frees_key: bool = False


async def confirm(database: Database, news: News, confirmation: Confirmation) -> Status | None:
    """Write ``news``, and return the status that the message then has, None if it is gone.

    A message for which these are no news stays as it is.

    :raises DatabaseUnavailable: no answer came, also not to a repetition.
    """
    parameters = (msgspec.json.encode(confirmation).decode(),)
    sql = [*([_FREE_KEY] if confirmation.frees_key else []), *_statements(news), _STATUS]
    statements = [Statement(text, parameters) for text in sql]
    *_, found = await database.batch(statements, repeatable=True)
    return found[0]["status"] if found else None


@cache
def _statements(news: News) -> list[str]:
    steps = steps_on(news)
    giving = [source for source, step in steps.items() if step.gives_back]
    gives_back = [_GIVE_BACK_BALANCE, _GIVE_BACK_RECIPIENTS] if giving else []
    about, giving_back = _about(list(steps)), _about(giving)
    target = _case({source: step.target for source, step in steps.items()})
    return [
        *(sql.format(about=giving_back) for sql in gives_back),
        _INSERT_EVENT.format(about=about, target=target),
        _UPDATE_MESSAGE.format(
            about=about, target=target, answer_status=_ANSWER_STATUS, answer_code=_ANSWER_CODE
        ),
    ]


def _about(statuses: list[Status]) -> str:
    listed = ", ".join(f"'{status}'" for status in statuses)
    return f"id = ?1 ->> 'id' AND attempt = ?1 ->> 'attempt' AND status IN ({listed})"


def _case(targets: dict[Status, Status]) -> str:
    whens = " ".join(f"WHEN '{source}' THEN '{target}'" for source, target in targets.items())
    return f"CASE status {whens} END"


# What is deferred has failed all the same where the sweep has ended it: 202 would promise more.
_ANSWER_STATUS = f"""
CASE WHEN ?1 ->> 'answer_status' = {HTTPStatus.ACCEPTED:d} AND status = 'unknown'
  THEN {HTTPStatus.BAD_GATEWAY:d} ELSE ?1 ->> 'answer_status' END
"""
_ANSWER_CODE = f"""
CASE WHEN ?1 ->> 'answer_status' = {HTTPStatus.ACCEPTED:d} AND status = 'unknown'
  THEN ?1 ->> 'provider_code' ELSE ?1 ->> 'answer_code' END
"""

_STATUS = "SELECT status FROM messages WHERE id = ?1 ->> 'id'"

_GIVE_BACK_BALANCE = """
UPDATE send_balances SET balance = balance + charge
FROM (SELECT address_id AS charged, charge FROM messages WHERE {about})
WHERE address_id = charged AND charge > 0
"""

# Given back to the day of acceptance, which is the day that was charged.
_GIVE_BACK_RECIPIENTS = """
UPDATE daily_recipients SET recipients = daily_recipients.recipients - message.recipients
FROM (
  SELECT recipients, strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch') AS accepted_on
  FROM messages WHERE {about}
) AS message
WHERE day = accepted_on
"""

_INSERT_EVENT = """
INSERT INTO events (message_id, sequence, kind, attempt, provider_code, occurred_at)
SELECT
  id, (SELECT 1 + max(sequence) FROM events WHERE message_id = id),
  CASE target WHEN 'queued' THEN 'deferred' ELSE target END,
  ?1 ->> 'attempt', ?1 ->> 'provider_code', ?1 ->> 'now'
FROM (SELECT id, {target} AS target FROM messages WHERE {about})
"""

_UPDATE_MESSAGE = """
UPDATE messages SET
  status = {target},
  lease_until = NULL,
  next_attempt_at = CASE {target} WHEN 'queued' THEN ?1 ->> 'next_attempt_at' END,
  finished_at = CASE {target} WHEN 'queued' THEN NULL ELSE ?1 ->> 'now' END,
  provider_message_id = ?1 ->> 'provider_message_id',
  provider_code = ?1 ->> 'provider_code',
  answer_status = coalesce(answer_status, {answer_status}),
  answer_code = CASE WHEN answer_status IS NULL THEN {answer_code} ELSE answer_code END
WHERE {about}
"""

# A statement of its own: an update that names the column writes its index, changed or not.
_FREE_KEY = """
UPDATE messages SET idempotency_key = NULL, request_digest = NULL, retry_of = NULL
WHERE id = ?1 ->> 'id' AND attempt = ?1 ->> 'attempt' AND answer_status IS NULL
"""
