"""The cron's steps that end the deliveries of disabled webhooks, and remove what is old."""

from store.database import Database, Statement
from store.step import Step

_DAY = 86_400_000
_BODY_DAYS, _DELIVERY_DAYS = 7, 30
_STEP_ROWS = 1000

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
