"""Process delivery events: read them, find their messages, record them.

The events of one queue batch are one batch of the database. An event is acknowledged when it is
recorded, when it is no event, or when it belongs to no message of this service.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from log import log
from mail.delivery import NOT_SENT, PROOFS, DeliveryEvent
from mail.lifecycle import Event
from sending.enqueue import wake_webhooks
from services import QueuedEvent, Services
from store.database import Row
from store.record import StatusUpdate
from store.record.deliveries import record_delivery_events, settle
from transport.delivery_events import UnreadableEvent, read_event

# The delays of the first retries. The last delay repeats. A queue message has at most 100 retries
# (wrangler.toml), which take 32 hours.
_RETRY_SECONDS = (10, 30, 60, 2 * 60, 5 * 60, 10 * 60, 20 * 60)

# An event of a message that is being sent waits until the lease of the message has ended, and this
# much longer. The lease of a worker with a wrong clock may be very long.
_AFTER_LEASE_SECONDS = 5
_LONGEST_WAIT_SECONDS = 5 * 60


async def process_events(queued: Sequence[QueuedEvent], services: Services) -> dict[int, int]:
    """Record the events of a queue batch.

    :returns: the delay in seconds before the next attempt, by position in ``queued``, for the
        events that can't be recorded now. The others are done.
    """
    retried = list(range(len(queued)))
    try:
        now = services.clock()
        events = _read(queued, now)
        retried = list(events)
        return await record_events(events, services, now) if events else {}
    except Exception as error:  # the queue delivers the events again
        log("delivery_events_failed", events=len(retried), kind=type(error).__name__)
        return {place: retry_seconds(queued[place].attempts) for place in retried}


def retry_seconds(attempts: int) -> int:
    """The delay after attempt number ``attempts`` to process a queue message."""
    return _RETRY_SECONDS[min(attempts, len(_RETRY_SECONDS)) - 1]


def _read(queued: Sequence[QueuedEvent], now: int) -> dict[int, DeliveryEvent]:
    """The events by their position in ``queued``. Each is there once."""
    events: dict[int, DeliveryEvent] = {}
    known: set[tuple[str, str]] = set()
    problems: list[str] = []
    for place, one in enumerate(queued):
        try:
            event = read_event(one.content or "", now=now)
        except UnreadableEvent as error:
            problems.append(str(error))
            continue
        key = (event.id, event.provider_ids[0])
        if key not in known:
            known.add(key)
            events[place] = event
    if problems:
        log("delivery_events_unreadable", problems=problems)
    return events


async def record_events(
    events: Mapping[int, DeliveryEvent], services: Services, now: int
) -> dict[int, int]:
    """Record ``events``, and settle unknown outcomes with them; return the delays of the others.

    The others belong to messages that are being sent. May raise any exception.
    """
    if not events:
        return {}
    database = services.database
    if database is None:
        raise LookupError("the DB binding is missing")
    policy = services.settings.pause_policy
    places = list(events)
    new, unmatched, corrected, webhooks = await record_delivery_events(
        database, list(events.values()), now=now, pause_policy=policy
    )
    open_events = {places[row["place"]]: row for row in unmatched}
    waiting = {
        place: _seconds_until_end(row["lease_until"], now)
        for place, row in open_events.items()
        if row["lease_until"] is not None
    }
    fitting = {
        place: row
        for place, row in open_events.items()
        if place not in waiting and row["unknown"] == 1
    }
    updates = [*_settled(events, fitting, now), *(_corrected(row, now) for row in corrected)]
    settled = len(updates)
    while updates:
        log("delivery_events_settle", message_ids=[update.id for update in updates])
        corrected, others = await settle(
            database,
            [events[place] for place in fitting],
            updates,
            now=now,
            pause_policy=policy,
        )
        webhooks |= others
        updates = [_corrected(row, now) for row in corrected]
    if webhooks:
        wake_webhooks(services, webhooks)
    log(
        "delivery_events",
        events=len(events),
        new=new,
        settled=settled,
        waiting=len(waiting),
        ambiguous=len(open_events) - len(waiting) - len(fitting),
        d1_rows_written=database.rows_written,
    )
    return waiting


def _seconds_until_end(lease_until: int, now: int) -> int:
    left = max(0, lease_until - now) // 1000
    return min(left + _AFTER_LEASE_SECONDS, _LONGEST_WAIT_SECONDS)


def _settled(
    events: Mapping[int, DeliveryEvent], fitting: Mapping[int, Row], now: int
) -> list[StatusUpdate]:
    """One update per message of ``fitting``: it was sent, unless all recipients got no mail.

    If events of several Message-IDs fit a message, the first one counts, as if each event were a
    batch of its own. The events of the others belong to messages of another program.
    """
    by_message: dict[str, list[int]] = {}
    for place in sorted(fitting):
        places = by_message.setdefault(fitting[place]["id"], [])
        if not places or events[place].provider_ids == events[places[0]].provider_ids:
            places.append(place)
    updates = []
    for message_id, places in by_message.items():
        row, these = fitting[places[0]], [events[place] for place in places]
        update = StatusUpdate(
            id=message_id,
            event="accepted",
            attempt=row["attempt"],
            now=now,
            provider_message_id=these[0].provider_ids[0],
            settled_by=these[0].id,
        )
        without = {event.recipient for event in these if event.kind in NOT_SENT}
        is_sent = len(without) < row["recipients"] or any(event.kind in PROOFS for event in these)
        updates.append(update if is_sent else _failed(update, "rejected"))
    return updates


def _corrected(row: Row, now: int) -> StatusUpdate:
    update = StatusUpdate(
        id=row["id"],
        event="proved",
        attempt=row["attempt"],
        now=now,
        provider_message_id=row["provider_message_id"],
        settled_by=row["event_id"],
    )
    return _failed(update, "disproved") if row["status"] == "sent" else update


def _failed(update: StatusUpdate, event: Event) -> StatusUpdate:
    return replace(update, event=event, reason="recipient_rejected")
