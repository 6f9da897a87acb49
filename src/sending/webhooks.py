"""Send the deliveries of webhooks, until none is due.

At most four deliveries of an endpoint are sent at once, in rounds: claim, send, record. The batch
that records the outcomes of a round also makes the next claim.
"""

import uuid
from functools import partial
from typing import Any, Literal

from accounts.webhook_endpoints import checked_endpoint, host_of
from accounts.webhook_secrets import PREVIOUS_SIGNS_MILLISECONDS, signing_key
from errors import BadRequest, ServerFault
from log import frames, log
from mail.webhook_bodies import body_of
from sending.backoff import next_webhook_attempt_at
from sending.enqueue import seconds_until, wake_webhooks
from services import Services
from settings import VERSION
from store.database import Database, Row
from store.waiting import NEAR_MILLISECONDS
from store.webhook_claims import (
    AT_ONCE,
    CLAIM_STATEMENTS,
    FINISH_STATEMENTS,
    Held,
    claim_deliveries,
    due_webhooks,
    finish_deliveries,
)
from transport.webhooks import (
    MAX_RESPONSE_BYTES,
    RESPONSE_SECONDS,
    WebhookOutcome,
    deliver,
    delivery_headers,
)

# An invocation begins no round after this time. A round may take 15 s.
_ROUNDS_BEGIN_MILLISECONDS = 30_000
_ROUND = AT_ONCE + FINISH_STATEMENTS

# The maximum number of webhooks that a cron run enqueues.
_WEBHOOKS_A_MINUTE = 100
# The maximum number of webhooks that a cron run serves itself, if there is no queue.
_WITHOUT_QUEUE = 10


async def process_webhooks(webhook_ids: list[str], services: Services) -> None:
    """Send the due deliveries of these webhooks. It raises nothing: they stay due."""
    database = services.database
    if database is None:
        return
    until = services.clock() + _ROUNDS_BEGIN_MILLISECONDS
    for webhook_id in webhook_ids:
        try:
            at = await _serve(database, webhook_id, services, until)
        except Exception as error:  # the cron enqueues the webhook again
            log("webhook_failed", webhook_id=webhook_id, kind=type(error).__name__)
            continue
        now = services.clock()
        if at is not None and at <= now + NEAR_MILLISECONDS:
            wake_webhooks(services, [webhook_id], seconds_until(at, now))


async def enqueue_due_webhooks(services: Services, database: Database) -> None:
    """Enqueue the webhooks that have due deliveries, or serve them if there is no queue."""
    queue = services.webhook_queue
    limit = _WEBHOOKS_A_MINUTE if queue else _WITHOUT_QUEUE
    due = await due_webhooks(database, now=services.clock(), limit=limit)
    if due and queue:
        await queue.enqueue([(id_, 0) for id_ in due])
    elif due:
        await services.waiting.all([process_webhooks([id_], services) for id_ in due])


async def _serve(database: Database, webhook_id: str, services: Services, until: int) -> int | None:
    """Send what is due. Return the time at which more is due; None if it is not known.

    :raises ServerFault: ``secret_missing`` or ``invalid_setting``: nothing can be signed.
    """
    if not services.settings.webhook_secrets:
        raise ServerFault("secret_missing", name="JWT_SECRET")
    if services.subrequests.left < CLAIM_STATEMENTS + _ROUND:
        return services.clock()
    claimant, now = str(uuid.uuid4()), services.clock()
    held = await claim_deliveries(database, webhook_id, claimant=claimant, now=now)
    while held.deliveries:
        held = await _round(database, held, services, until)
    if held.claimant and held.following is not None and held.following <= services.clock():
        return None  # other workers hold as many as may be sent at once, and continue
    return held.following


async def _round(database: Database, held: Held, services: Services, until: int) -> Held:
    """Send the deliveries of a claim, and record the outcomes; return the next claim."""
    webhook, claimant = held.webhook, held.claimant
    assert webhook is not None
    assert claimant is not None
    with services.subrequests.recording():
        outcomes = await services.waiting.all(
            [_deliver(webhook, row, services) for row in held.deliveries]
        )
        now = services.clock()
        continues = now < until and services.subrequests.left >= FINISH_STATEMENTS + _ROUND
        disabled_by, following = await finish_deliveries(
            database,
            webhook["id"],
            [recorded for recorded, _ in outcomes],
            claimant=claimant,
            next_claimant=str(uuid.uuid4()) if continues else None,
            result=_together({result for _, result in outcomes}),
            now=now,
        )
    if disabled_by:
        log("webhook_disabled", webhook_id=webhook["id"], reason=disabled_by)
    return following


async def _deliver(webhook: Row, row: Row, services: Services) -> tuple[dict[str, Any], str]:
    """Send a delivery; return what is recorded of it, and its result, ``broken`` without a body."""
    started = services.clock()
    try:
        body = row["body"] or body_of(row["type"], row["facts"])
    except Exception as error:  # a bug; the other deliveries must still be sent
        kind = type(error).__name__
        log("webhook_body_broken", delivery_id=row["id"], kind=kind, frames=frames(error))
        broken = {"status": "failed", "error": "the body could not be made"}
        return {"id": row["id"], "started_at": started, "milliseconds": 0, **broken}, "broken"
    outcome = await send_signed(webhook, row["id"], body, services)
    next_at = _next_at(row, outcome, services.clock())
    ended = "success" if outcome.result == "success" else "failed"
    status = ended if next_at is None else "pending"
    log(
        "webhook_attempt",
        webhook_id=webhook["id"],
        delivery_id=row["id"],
        attempt=row["attempt"],
        host=host_of(webhook["endpoint"]),
        status=outcome.code,
        outcome=status,
        milliseconds=outcome.milliseconds,
    )
    recorded = {
        "id": row["id"],
        "status": status,
        "next_attempt_at": next_at,
        "body": None if row["body"] else body,
        "started_at": started,
        "milliseconds": outcome.milliseconds,
        "code": outcome.code,
        "error": outcome.error,
        "response": outcome.response,
    }
    return recorded, outcome.result


async def send_signed(
    webhook: Row, delivery_id: str, body: str, services: Services
) -> WebhookOutcome:
    """Sign ``body`` with the secrets of ``webhook``, and post it once."""
    now, settings = services.clock(), services.settings
    try:  # the rules may have changed since the webhook was created
        checked_endpoint(webhook["endpoint"], allow_loopback=settings.enable_local_webhooks)
    except BadRequest as error:
        return WebhookOutcome(result="failed", milliseconds=0, error=error.code)
    versions = [webhook["secret_version"]]
    rotated_at = webhook["rotated_at"]
    if rotated_at is not None and now < rotated_at + PREVIOUS_SIGNS_MILLISECONDS:
        versions.append(webhook["previous_version"])
    keys = [
        signing_key(secret, webhook["id"], version)
        for secret in settings.webhook_secrets
        for version in versions
    ]
    headers = delivery_headers(delivery_id, body, keys, now=now, version=VERSION)
    post = partial(services.fetch, seconds=RESPONSE_SECONDS, most=MAX_RESPONSE_BYTES)
    return await deliver(post, webhook["endpoint"], headers, body, now=now)


def _next_at(row: Row, outcome: WebhookOutcome, now: int) -> int | None:
    """The time of the next attempt; None if none follows."""
    if outcome.result != "failed":
        return None
    return next_webhook_attempt_at(tries=row["tries"], now=now, retry_after=outcome.retry_after)


def _together(results: set[str]) -> Literal["success", "failed", "gone"] | None:
    """The result of an endpoint from those of its deliveries; None if nothing was sent."""
    if "gone" in results:
        return "gone"
    if "success" in results:
        return "success"
    return "failed" if "failed" in results else None
