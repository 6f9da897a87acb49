"""The deliveries of webhooks: claim, finish, list and replay them, and remove old ones.

A claim makes deliveries ``attempting``, with a lease. When the lease has ended, they are due again.
An outcome counts only for the claim that holds the delivery.
"""

from typing import Literal, NamedTuple

import msgspec

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import Conflict, NotFound
from ids import AFTER_ALL_IDS
from store.audit import audit_row, with_audit
from store.bounded_page import bounded_page, page_of
from store.database import Database, Row, Statement
from store.step import Step
from store.webhooks import find_webhook, of_owner, signs_until

DeliveryStatus = Literal["pending", "attempting", "success", "failed"]

# How many deliveries an endpoint gets at once.
AT_ONCE = 4
# A lease covers the time limit of a response, and the batches around it.
LEASE_MILLISECONDS = 60_000

# The numbers of statements of ``claim_deliveries`` and ``finish_deliveries``.
CLAIM_STATEMENTS, FINISH_STATEMENTS = 3, 6

_DAY = 86_400_000
_FAILING_MILLISECONDS = 3 * _DAY
_BODY_DAYS, _DELIVERY_DAYS = 7, 30
_STEP_ROWS = 1000

# A page with a filter looks at this many rows. Its cursor leads to the next ones.
_WALK = 1000
_MOST_ATTEMPTS = 20  # that a list shows of each delivery

_WEBHOOK = """
SELECT
  id, endpoint, secret_version, iif(rotated_at > ?2, previous_version, NULL) AS previous_version
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
        Statement(_WEBHOOK, (webhook_id, signs_until(now))),
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


# The log

_ATTEMPTS = """
SELECT number, started_at, milliseconds, code, error, response FROM webhook_attempts
WHERE webhook_id = ?1 AND delivery_id = ?2 ORDER BY number DESC
"""
_LIST_ATTEMPTS = f"""
(
  SELECT json_group_array(json_object(
    'number', number, 'started_at', started_at, 'milliseconds', milliseconds, 'code', code,
    'error', error, 'response', response
  ))
  FROM (
    SELECT * FROM webhook_attempts
    WHERE webhook_id = ?1 AND delivery_id = d.id ORDER BY number DESC LIMIT {_MOST_ATTEMPTS}
  )
)
"""
_LOOKED_AT = f"""
SELECT id, type, status, attempt, next_attempt_at, created_at, finished_at
FROM webhook_deliveries WHERE webhook_id = ?1 AND id < ?3 ORDER BY id DESC LIMIT {_WALK}
"""
_PAGE = bounded_page(
    f"""
    SELECT d.*, {_LIST_ATTEMPTS} AS attempts FROM ({_LOOKED_AT}) AS d
    WHERE status = coalesce(?4, status) AND type = coalesce(?5, type) LIMIT ?2
    """,
    columns=("attempts",),
    order="id DESC",
)
_LAST_LOOKED_AT = f"SELECT min(id) AS id, count(*) AS count FROM ({_LOOKED_AT})"
_FIND = """
SELECT id, type, status, attempt, next_attempt_at, created_at, finished_at, facts, body
FROM webhook_deliveries WHERE webhook_id = ?1 AND id = ?2
"""


async def delivery_page(
    database: Database,
    owner: Credential | None,
    webhook_id: str,
    *,
    status: str | None = None,
    kind: str | None = None,
    after: str | None,
    limit: int,
) -> tuple[list[Row], str | None]:
    """At most ``limit`` deliveries, newest first, and the cursor of the next page.

    A page may be shorter, or empty, and still have a next page: it looks at a limited number of
    deliveries.

    :param status: a ``DeliveryStatus``; None for any.
    :param kind: a ``WebhookEvent``; None for any.
    :param after: the cursor; None for the first page.
    :raises Unauthorized: ``invalid_credential``. :raises NotFound: ``webhook_not_found``.
    """
    await find_webhook(database, owner, webhook_id)
    position = (webhook_id, limit + 1, after or AFTER_ALL_IDS)
    rows, (last,) = await database.batch(
        [Statement(_PAGE, (*position, status, kind)), Statement(_LAST_LOOKED_AT, position)],
        repeatable=True,
    )
    page, has_more = page_of(rows, limit)
    if has_more:
        return page, page[-1]["id"]
    return page, last["id"] if last["count"] == _WALK else None


async def find_delivery(
    database: Database, owner: Credential | None, webhook_id: str, delivery_id: str
) -> tuple[Row, list[Row]]:
    """A delivery, and its attempts, newest first.

    :raises Unauthorized: ``invalid_credential``.
    :raises NotFound: ``webhook_not_found`` or ``webhook_delivery_not_found``.
    """
    await find_webhook(database, owner, webhook_id)
    these = (webhook_id, delivery_id)
    rows, attempts = await database.batch(
        [Statement(_FIND, these), Statement(_ATTEMPTS, these)], repeatable=True
    )
    if not rows:
        raise NotFound("webhook_delivery_not_found")
    return rows[0], attempts


_IS_REPLAYABLE = """
EXISTS (
  SELECT 1 FROM webhook_deliveries AS d JOIN webhooks AS hook ON hook.id = d.webhook_id
  WHERE d.webhook_id = ?4 AND d.id = ?5 AND hook.address_id = ?1 AND hook.disabled_by IS NULL
    AND (d.body IS NOT NULL OR d.facts IS NOT NULL) AND d.status <> 'attempting'
)
"""
_REPLAY = f"""
UPDATE webhook_deliveries SET
  status = 'pending', tries = 0, next_attempt_at = ?6, finished_at = NULL
WHERE webhook_id = ?4 AND id = ?5 AND {_IS_REPLAYABLE}
"""


async def replay_delivery(
    database: Database,
    owner: Credential | None,
    webhook_id: str,
    delivery_id: str,
    *,
    by: Actor,
    now: int,
) -> None:
    """Send a delivery again, now, with the same id and body.

    :raises Unauthorized: ``invalid_credential``.
    :raises NotFound: ``webhook_not_found`` or ``webhook_delivery_not_found``.
    :raises Conflict: ``webhook_disabled``, ``webhook_body_removed`` or ``webhook_in_flight``.
    """
    delivery, _ = await find_delivery(database, owner, webhook_id, delivery_id)
    these = (*of_owner(owner), webhook_id, delivery_id)
    row = audit_row(
        *(by, "webhook.delivery_replayed", webhook_id, now),
        details={"delivery": delivery_id},
        condition=_IS_REPLAYABLE,
        parameters=these,
    )
    if await with_audit(database, row, Statement(_REPLAY, (*these, now))):
        return
    if delivery["status"] == "attempting":
        raise Conflict("webhook_in_flight", retry_after=LEASE_MILLISECONDS // 1000)
    if delivery["body"] is None and delivery["facts"] is None:
        raise Conflict("webhook_body_removed")
    raise Conflict("webhook_disabled")


# Removal

# Pending deliveries of webhooks that are disabled.
_END = f"""
UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL, finished_at = ?1
WHERE (webhook_id, id) IN (
  SELECT d.webhook_id, d.id FROM webhooks AS hook
  CROSS JOIN webhook_deliveries AS d INDEXED BY webhook_deliveries_due
    ON d.webhook_id = hook.id AND d.next_attempt_at IS NOT NULL AND d.status = 'pending'
  WHERE hook.disabled_by IS NOT NULL LIMIT {_STEP_ROWS}
)
RETURNING 1
"""
_REMOVE_OLD = f"""
DELETE FROM webhook_deliveries WHERE (webhook_id, id) IN (
  SELECT webhook_id, id FROM webhook_deliveries
  WHERE status IN ('success', 'failed') AND finished_at <= ?1 LIMIT {_STEP_ROWS}
)
RETURNING 1
"""
_REMOVE_OF_REMOVED = f"""
DELETE FROM webhook_deliveries WHERE (webhook_id, id) IN (
  SELECT d.webhook_id, d.id FROM webhooks AS hook
  CROSS JOIN webhook_deliveries AS d ON d.webhook_id = hook.id
  WHERE hook.disabled_by = 'removed' LIMIT {_STEP_ROWS}
)
RETURNING 1
"""
_REMOVE_WEBHOOKS = """
DELETE FROM webhooks WHERE disabled_by = 'removed' AND NOT EXISTS (
  SELECT 1 FROM webhook_deliveries WHERE webhook_id = webhooks.id
)
"""

# The position is the time at which the last delivery without a body had finished. A position later
# than ?2, which is now, is that of a wrong clock.
_OLD_BODIES = f"""
SELECT webhook_id, id, finished_at FROM webhook_deliveries
WHERE status = 'success' AND finished_at >= coalesce(
  (
    SELECT CAST(position AS INTEGER) FROM sweeps
    WHERE name = 'webhook_bodies' AND CAST(position AS INTEGER) < ?2
  ), 0
) AND finished_at <= ?1
ORDER BY finished_at LIMIT {_STEP_ROWS}
"""
_REMOVE_BODIES = f"""
UPDATE webhook_deliveries SET body = NULL, facts = NULL
WHERE (webhook_id, id) IN (SELECT webhook_id, id FROM ({_OLD_BODIES}))
  AND body IS NOT NULL
RETURNING 1
"""
_SAVE_POSITION = f"""
INSERT INTO sweeps (name, position)
SELECT 'webhook_bodies', position
FROM (SELECT CAST(max(finished_at) AS TEXT) AS position FROM ({_OLD_BODIES}))
WHERE position IS NOT NULL
ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE position <> excluded.position
"""


def webhook_steps(*, now: int) -> list[Step]:
    """The steps that end deliveries, and remove old bodies and deliveries."""
    old = (now - _DELIVERY_DAYS * _DAY,)
    bodies = (now - _BODY_DAYS * _DAY, now)
    return [
        _step("webhook_deliveries_ended", Statement(_END, (now,))),
        _step(
            "webhook_deliveries_removed",
            Statement(_REMOVE_OLD, old),
            Statement(_REMOVE_OF_REMOVED),
            Statement(_REMOVE_WEBHOOKS),
        ),
        _step(
            "webhook_bodies_removed",
            Statement(_REMOVE_BODIES, bodies),
            Statement(_SAVE_POSITION, bodies),
        ),
    ]


def _step(name: str, *statements: Statement) -> Step:
    async def run(database: Database) -> int:
        return max(map(len, await database.batch([*statements], repeatable=True)))

    return Step(name, len(statements), _STEP_ROWS, run)
