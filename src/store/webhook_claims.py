"""The deliveries of webhooks that are due: claim them, and record the outcomes of attempts.

A claim makes deliveries ``attempting``, with a lease. When the lease has ended, they are due again.
An outcome counts only for the claim that holds the delivery.
"""

from typing import Literal, NamedTuple

import msgspec

from store.database import Database, Row, Statement

# How many deliveries an endpoint gets at once.
AT_ONCE = 4
# A lease covers the time limit of a response, and the batches around it.
LEASE_MILLISECONDS = 60_000

# The numbers of statements of ``claim_deliveries`` and ``finish_deliveries``.
CLAIM_STATEMENTS, FINISH_STATEMENTS = 3, 6

_FAILING_MILLISECONDS = 3 * 86_400_000

_WEBHOOK = """
SELECT id, endpoint, secret_version, previous_version, rotated_at
FROM webhooks WHERE id = ?1 AND disabled_by IS NULL
"""

# A lease that ends after ?3 is longer than any lease: the clock of its worker was wrong.
_LEASED = "status = 'attempting' AND next_attempt_at BETWEEN ?2 + 1 AND ?3"
_LEASE_ENDED = "status = 'attempting' AND next_attempt_at NOT BETWEEN ?2 + 1 AND ?3"
_OF_OTHERS = "claimed_by IS NOT ?4"

# At most AT_ONCE deliveries, with those that other claims hold. If the batch is repeated, it finds
# those that this claim holds already.
_CLAIMED = f"""
SELECT id FROM (
  SELECT * FROM (
    SELECT id FROM webhook_deliveries
    WHERE webhook_id = ?1 AND next_attempt_at IS NOT NULL AND status = 'attempting'
      AND NOT {_OF_OTHERS}
  )
  UNION ALL
  SELECT * FROM (
    SELECT id FROM webhook_deliveries
    WHERE webhook_id = ?1 AND next_attempt_at IS NOT NULL AND {_LEASE_ENDED} AND {_OF_OTHERS}
    ORDER BY next_attempt_at LIMIT {AT_ONCE}
  )
  UNION ALL
  SELECT * FROM (
    SELECT id FROM webhook_deliveries
    WHERE webhook_id = ?1 AND status = 'pending' AND next_attempt_at <= ?2
    ORDER BY next_attempt_at LIMIT {AT_ONCE}
  )
)
LIMIT (
  SELECT max(0, {AT_ONCE} - count(*)) FROM webhook_deliveries
  WHERE webhook_id = ?1 AND next_attempt_at IS NOT NULL AND {_LEASED} AND {_OF_OTHERS}
)
"""

# Facts without recipients concern all recipients of the message.
_CLAIM = f"""
UPDATE webhook_deliveries SET
  status = 'attempting', claimed_by = ?4, next_attempt_at = ?3,
  attempt = attempt + ({_OF_OTHERS}), tries = tries + ({_OF_OTHERS})
WHERE webhook_id = ?1 AND id IN ({_CLAIMED})
  AND EXISTS (SELECT 1 FROM webhooks WHERE id = ?1 AND disabled_by IS NULL)
RETURNING
  id, type, body, attempt, tries,
  json_set(facts, '$.recipients', json(coalesce(facts -> '$.recipients', (
    SELECT json_group_array(address) FROM (
      SELECT address FROM deliveries WHERE message_id = facts ->> '$.email_id' ORDER BY position
    )
  )))) AS facts
"""
_NEXT = """
SELECT min(next_attempt_at) AS at FROM webhook_deliveries
WHERE webhook_id = ?1 AND status = 'pending' AND next_attempt_at > 0
"""

_HELD = """
json_each(?2) CROSS JOIN webhook_deliveries AS d
  ON d.webhook_id = ?1 AND d.id = value ->> 'id' AND d.claimed_by = ?3 AND d.status = 'attempting'
"""
_INSERT_ATTEMPTS = f"""
INSERT INTO webhook_attempts (
  webhook_id, delivery_id, number, started_at, milliseconds, code, error, response
)
SELECT
  ?1, d.id, d.attempt, value ->> 'started_at', value ->> 'milliseconds', value ->> 'code',
  value ->> 'error', value ->> 'response'
FROM {_HELD} WHERE true ON CONFLICT DO NOTHING
"""
# ?4 is the result of the deliveries together, ?5 is now.
_UPDATE_WEBHOOK = f"""
UPDATE webhooks SET
  failing_since = CASE ?4 WHEN 'success' THEN NULL ELSE coalesce(failing_since, ?5) END,
  disabled_by = CASE
    WHEN ?4 = 'gone' THEN 'gone'
    WHEN ?4 = 'failed' AND failing_since <= ?5 - {_FAILING_MILLISECONDS} THEN 'failing'
  END
WHERE id = ?1 AND disabled_by IS NULL AND ?4 IS NOT NULL AND EXISTS (SELECT 1 FROM {_HELD})
  AND (?4 = 'gone' OR (?4 = 'success') = (failing_since IS NOT NULL)
    OR failing_since <= ?5 - {_FAILING_MILLISECONDS})
RETURNING disabled_by
"""
_FINISH = f"""
UPDATE webhook_deliveries SET
  status = outcome ->> 'status', next_attempt_at = outcome ->> 'next_attempt_at',
  finished_at = iif(outcome ->> 'status' = 'pending', NULL, ?4),
  body = coalesce(body, outcome ->> 'body'),
  facts = iif(coalesce(body, outcome ->> 'body') IS NULL, facts, NULL)
FROM (SELECT d.id AS held, value AS outcome FROM {_HELD})
WHERE webhook_id = ?1 AND id = held
"""

# Finds the next webhook with one step in the index webhook_deliveries_due, however many deliveries
# of a webhook wait.
_DUE_WEBHOOKS = """
WITH RECURSIVE waiting AS (
  SELECT min(webhook_id) AS webhook_id FROM webhook_deliveries
  WHERE next_attempt_at IS NOT NULL
  UNION ALL
  SELECT (
    SELECT min(d.webhook_id) FROM webhook_deliveries AS d
    WHERE d.next_attempt_at IS NOT NULL AND d.webhook_id > waiting.webhook_id
  )
  FROM waiting WHERE webhook_id IS NOT NULL
)
SELECT hook.id FROM waiting CROSS JOIN webhooks AS hook ON hook.id = waiting.webhook_id
WHERE hook.disabled_by IS NULL AND (
  EXISTS (
    SELECT 1 FROM webhook_deliveries
    WHERE webhook_id = hook.id AND status = 'pending' AND next_attempt_at <= ?1
  ) OR EXISTS (
    SELECT 1 FROM webhook_deliveries
    WHERE webhook_id = hook.id AND status = 'attempting'
      AND next_attempt_at NOT BETWEEN ?1 + 1 AND ?2
  )
)
LIMIT ?3
"""


class Held(NamedTuple):
    """What a claim holds.

    ``claimant`` is the id of the claim, None if nothing was to be claimed. ``webhook`` is None if
    it is disabled. ``following`` is the time of the first delivery that waits, None if none does.
    """

    claimant: str | None
    webhook: Row | None
    deliveries: list[Row]
    following: int | None


async def due_webhooks(database: Database, *, now: int, limit: int) -> list[str]:
    """The ids of at most ``limit`` webhooks that have due deliveries."""
    due = Statement(_DUE_WEBHOOKS, (now, now + LEASE_MILLISECONDS, limit))
    (rows,) = await database.batch([due], repeatable=True)
    return [row["id"] for row in rows]


async def claim_deliveries(database: Database, webhook_id: str, *, claimant: str, now: int) -> Held:
    """Claim the due deliveries of a webhook that may be attempted at once.

    :param claimant: a unique id of this call.
    """
    statements = _claim_statements(webhook_id, claimant, now)
    return _held(claimant, *await database.batch(statements, repeatable=True))


def _claim_statements(webhook_id: str, claimant: str | None, now: int) -> list[Statement]:
    claim = Statement(_CLAIM, (webhook_id, now, now + LEASE_MILLISECONDS, claimant))
    return [
        Statement(_WEBHOOK, (webhook_id,)),
        *([claim] if claimant else []),
        Statement(_NEXT, (webhook_id,)),
    ]


def _held(claimant: str | None, webhooks: list[Row], *claimed: list[Row]) -> Held:
    *deliveries, (following,) = claimed
    if not webhooks:
        return Held(claimant, None, [], None)
    found = deliveries[0] if deliveries else []
    return Held(claimant, webhooks[0], found, following["at"])


async def finish_deliveries(
    database: Database,
    webhook_id: str,
    outcomes: list[dict[str, object]],
    *,
    claimant: str,
    next_claimant: str | None,
    result: Literal["success", "failed", "gone"] | None,
    now: int,
) -> tuple[str | None, Held]:
    """Record the outcomes of a claim, and make the next one.

    :param outcomes: of each delivery its ``id``, new ``status`` and ``next_attempt_at``, its
        ``body`` if it is new, and the columns of its row in ``webhook_attempts``.
    :param next_claimant: the id of the next claim; None to claim nothing.
    :param result: the result for the webhook: ``success`` if one delivery succeeded. None if
        nothing was sent.
    :returns: why this has disabled the webhook, None if it has not; and what the next claim holds.
    """
    held = (webhook_id, msgspec.json.encode(outcomes).decode(), claimant)
    _, changed, _, *claimed = await database.batch(
        [
            Statement(_INSERT_ATTEMPTS, held),
            Statement(_UPDATE_WEBHOOK, (*held, result, now)),
            Statement(_FINISH, (*held, now)),
            *_claim_statements(webhook_id, next_claimant, now),
        ],
        repeatable=True,
    )
    reason = changed[0]["disabled_by"] if changed else None
    return reason, _held(next_claimant, *claimed)
