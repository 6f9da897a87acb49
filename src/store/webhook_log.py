"""The log of the deliveries of a webhook: list them with their attempts, and replay one."""

from typing import Literal

from accounts.actor import Actor
from accounts.credentials import Credential
from errors import Conflict, NotFound
from ids import AFTER_ALL_IDS
from store.audit import audit_row, with_audit
from store.bounded_page import bounded_page, page_of
from store.database import Database, Row, Statement
from store.webhook_claims import LEASE_MILLISECONDS
from store.webhooks import find_webhook, of_owner

DeliveryStatus = Literal["pending", "attempting", "success", "failed"]

# A page with a filter looks at this many rows. Its cursor leads to the next ones.
_WALK = 1000
_MOST_ATTEMPTS = 20  # that a list shows of each delivery

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
