"""What a job does at the last moment, in its last minute and after its last attempt."""

from dataclasses import replace

import pytest

from sending.delivery_events import retry_seconds
from sending.dispatcher import Dispatcher
from tests.unit.given import NOW
from tests.unit.test_jobs import MINUTE, Site


@pytest.mark.parametrize(("milliseconds", "is_sent"), [(-1, True), (0, False)])
async def test_no_attempt_begins_at_the_end_of_the_time(
    milliseconds: int, *, is_sent: bool
) -> None:
    """The time is checked again after the wait for memory, which can take long."""
    site = Site()
    (id_,) = site.put(at=NOW - 1)
    until = NOW + 1000
    times = iter([until - 1])
    services = replace(site.services, clock=lambda: next(times, until + milliseconds))
    left = await Dispatcher(services).attempt_due([id_], until=until)
    assert (left, len(site.provider.subjects)) == (([], 1) if is_sent else ([id_], 0))


WEBHOOKS, SWEEP = "UPDATE webhook_deliveries SET body = NULL", "DELETE FROM login_failures"


@pytest.mark.parametrize("subrequests", [50, 10_000])
@pytest.mark.parametrize("has_webhooks", [False, True])
async def test_the_steps_of_webhooks_have_every_fifth_minute(
    subrequests: int, *, has_webhooks: bool
) -> None:
    """On a plan with few subrequests they replace the sweep. On others both run each minute."""
    site = Site(subrequests=subrequests)
    if has_webhooks:
        webhook = {"id": "w1", "address_id": 1, "endpoint": "https://a.example/"}
        site.database.insert("webhooks", **webhook, events="[]", created_at=0)
    found: dict[str, list[int]] = {"webhooks": [], "sweep": []}
    start = NOW - NOW % (5 * MINUTE)
    for minute in range(10):
        in_minute = 0 if minute < 5 else MINUTE - 1
        site.clock.now = start + minute * MINUTE + in_minute
        sql = "\n".join(await site.statements_of_cron())
        for name, text in (("webhooks", WEBHOOKS), ("sweep", SWEEP)):
            if " ".join(text.split()) in " ".join(sql.split()):
                found[name].append(minute)
    every = [*range(10)]
    theirs = [2, 7] if subrequests == 50 else every
    assert found["webhooks"] == (theirs if has_webhooks else [])
    is_whole = subrequests > 50 or not has_webhooks
    assert found["sweep"] == [minute for minute in every if is_whole or minute not in theirs]


def test_the_retries_of_delivery_events_take_a_day() -> None:
    delays = [retry_seconds(attempts) for attempts in range(1, 101)]
    assert delays[:9] == [10, 30, 60, 120, 300, 600, 1200, 1200, 1200]
    assert 31 <= sum(delays) / 3600 <= 32  # wrangler.toml allows 100 retries
