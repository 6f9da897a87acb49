"""No act of one address, in any amount, delays the mail of another address."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.test_cron_limits import insert
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender

DAY = 86_400_000
VARIABLES = {**DEPLOYMENT, "ENABLE_USER_DELETE_EMAIL": "true", "PAUSE_FAILED_PERCENT": "0"}

PLANS = pytest.mark.parametrize("subrequests", [50, 10_000], ids=["free", "paid"])


@pytest.fixture
def api(subrequests: int) -> Iterator[Api]:
    with TestClient({**VARIABLES, "SUBREQUESTS": subrequests}) as server:
        yield Api(server)


def schedule(api: Api, sender: Sender, seconds: int, **fields: Any) -> str:
    at = datetime.fromtimestamp(api.server.now() / 1000 + seconds, UTC).isoformat()
    response = api.send(sender, scheduled_at=at, **fields)
    assert response.status_code == 202, response.text
    message_id: str = response.json()["id"]
    return message_id


def insert_waiting(api: Api, sender: Sender, count: int, *, at: int) -> None:
    columns = {"status": "'scheduled'", "next_attempt_at": f"{at} + i % 1000"}
    columns["sendbox"] = f"(SELECT sendbox FROM addresses WHERE id = {sender.address_id})"
    # Two days ago: tests add mails of this day and, around midnight, of the day before.
    insert(api, sender, api.server.now() - 2 * DAY, count, **columns)


def waiting(api: Api, sender: Sender) -> int:
    rows = api.server.sql(
        "SELECT count(*) AS n FROM messages WHERE address_id = ? AND next_attempt_at IS NOT NULL",
        [sender.address_id],
    )
    return int(rows[0]["n"])


def minute(api: Api, victim: Sender) -> None:
    """Let a mail of ``victim`` become due, and check that it is sent within the next minute."""
    api.server.sql(  # scheduled an hour ahead, so that its acceptance does not enqueue it
        "UPDATE messages SET next_attempt_at = ? WHERE id = ?",
        [api.server.now() - 1, schedule(api, victim, 3600)],
    )
    before = len(api.server.provider.mails_of(victim.address))
    api.server.run_cron()
    api.server.advance(59)
    assert len(api.server.provider.mails_of(victim.address)) == before + 1


@PLANS
@pytest.mark.parametrize(("old", "count"), [(2000, 1700), (6000, 1700), (0, 1)])
def test_a_cleared_sendbox_delays_no_other(api: Api, old: int, count: int) -> None:
    flooder, victim = api.new_sender(balance=0), api.new_sender(balance=50)
    insert(api, flooder, api.server.now() - 2 * DAY, old)
    insert_waiting(api, flooder, count, at=api.server.now() - 5000)
    response = api.call("DELETE", "/api/clear_sent_items", headers=flooder.headers)
    assert response.status_code == 200, response.text
    minute(api, victim)
    # All waiting messages are cancelled before any message is removed.
    for _ in range(10):
        if waiting(api, flooder):
            rows = api.server.sql(
                "SELECT count(*) AS n FROM messages WHERE address_id = ? AND status = 'sent'",
                [flooder.address_id],
            )
            assert rows[0]["n"] == old
        minute(api, victim)
    assert waiting(api, flooder) == 0
    assert api.server.provider.mails_of(flooder.address) == []


@PLANS
def test_without_a_queue_the_addresses_take_turns_as_well(subrequests: int) -> None:
    variables = {**VARIABLES, "SUBREQUESTS": subrequests}
    with TestClient(variables, queue=False) as server:
        api = Api(server)
        flooder, victim = api.new_sender(), api.new_sender(balance=50)
        insert_waiting(api, flooder, 1700, at=server.now() - 5000)
        for _ in range(3):
            minute(api, victim)
        assert api.server.provider.mails_of(flooder.address) != []


def acts(api: Api, flooder: Sender, count: int) -> Iterator[str]:
    """Do all that the owner of ``count`` waiting messages can do. Yield the name of each act."""
    due = api.server.now() - 5000
    insert_waiting(api, flooder, count, at=due)
    yield "is due"
    for _ in range(5):
        schedule(api, flooder, 30)
    yield "schedules"
    rows = api.server.sql(
        "SELECT id FROM messages WHERE address_id = ? AND next_attempt_at IS NOT NULL LIMIT 60",
        [flooder.address_id],
    )
    ids = [row["id"] for row in rows]
    at = datetime.fromtimestamp(api.server.now() / 1000 + 1, UTC).isoformat()
    for id_ in ids[:20]:
        body = {"scheduled_at": at}
        moved = api.call("PATCH", f"/emails/{id_}", json=body, headers=flooder.headers)
        assert moved.status_code == 200, moved.text
    yield "reschedules"
    for id_ in ids[20:40]:
        api.post(f"/emails/{id_}/cancel", headers=flooder.headers)
    yield "cancels"
    for id_ in ids[40:]:
        deleted = api.call("DELETE", f"/api/sendbox/{id_}", headers=flooder.headers)
        assert deleted.status_code == 200, deleted.text
    yield "deletes"
    api.server.sql(
        "UPDATE messages SET status = 'failed', next_attempt_at = NULL, finished_at = 1"
        " WHERE id IN (SELECT id FROM messages WHERE address_id = ? AND status = 'scheduled'"
        " LIMIT 5)",
        [flooder.address_id],
    )
    failed = api.server.sql(
        "SELECT id FROM messages WHERE address_id = ? AND status = 'failed'", [flooder.address_id]
    )
    for row in failed:
        api.post(f"/api/sendbox/{row['id']}/retry", headers=flooder.headers)
    yield "retries"
    emails = [
        {"from": flooder.address, "to": "you@example.net", "subject": "many", "text": "Hello"}
    ] * 100
    for _ in range(3):
        api.post("/emails/batch", emails, headers=flooder.headers)
    yield "sends batches"
    response = api.post("/api/rotate_credential", headers=flooder.headers)
    credential = Sender(flooder.address, flooder.address_id, response.json()["jwt"])
    yield "rotates its credential"
    for _ in range(2):
        insert_waiting(api, credential, count // 2, at=due)
        response = api.call("DELETE", "/api/clear_sent_items", headers=credential.headers)
        assert response.status_code == 200, response.text
        yield "clears its sendbox"
    insert_waiting(api, credential, count // 2, at=due)
    response = api.call("DELETE", "/api/delete_address", headers=credential.headers)
    assert response.status_code == 200, response.text
    yield "is deleted"
    yield "is purged"


def check_that_no_other_is_delayed(api: Api, count: int) -> None:
    flooder, victim = api.new_sender(balance=10**6), api.new_sender(balance=50)
    done = []
    for act in acts(api, flooder, count):
        minute(api, victim)
        done.append(act)
    assert len(done) == 12
    assert "cron_failed" not in {line["event"] for line in api.server.log_lines()}


@PLANS
def test_an_address_with_many_messages_delays_no_other(api: Api) -> None:
    check_that_no_other_is_delayed(api, 2000)


@pytest.mark.slow
@pytest.mark.timeout(900)
@PLANS
def test_an_address_with_100000_messages_delays_no_other(api: Api) -> None:
    check_that_no_other_is_delayed(api, 100_000)


@PLANS
def test_a_paused_address_delays_no_other(api: Api) -> None:
    flooder, victim = api.new_sender(), api.new_sender(balance=50)
    insert_waiting(api, flooder, 1700, at=api.server.now() - 5000)
    api.server.sql(
        "INSERT INTO send_pauses (address_id, paused, since) VALUES (?, 1, 1)",
        [flooder.address_id],
    )
    minute(api, victim)
    assert waiting(api, flooder) == 1700


@PLANS
def test_a_large_cleared_sendbox_does_not_delay_a_small_one(api: Api) -> None:
    flooder, victim = api.new_sender(), api.new_sender()
    for sender, count in ((flooder, 5000), (victim, 700)):
        insert(api, sender, api.server.now() - 2 * DAY, 3 * count)
        insert_waiting(api, sender, count, at=api.server.now() + DAY)
        api.call("DELETE", "/api/clear_sent_items", headers=sender.headers)
    while waiting(api, flooder) and waiting(api, victim):
        api.server.run_cron()
        api.server.advance(60)
    assert waiting(api, victim) == 0


# The queue

# The number of messages that a consumer sends per second.
RATE = 50


class OneConsumer(TestClient):
    """A deployment with one consumer of limited speed. It takes messages in their order."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        super().__init__(variables)
        self._arrived: deque[str] = deque()
        self._is_consuming = False

    async def _consume(self, message_ids: list[str]) -> None:
        self._arrived.extend(message_ids)
        if not self._is_consuming:
            self._is_consuming = True
            self._start(self._consume_all())

    async def _consume_all(self) -> None:
        while self._arrived:
            batch = [self._arrived.popleft() for _ in range(min(4, len(self._arrived)))]
            self._start(super()._consume(batch))
            await asyncio.sleep(len(batch) / RATE)
        self._is_consuming = False


@pytest.fixture
def with_one_consumer() -> Iterator[Api]:
    with OneConsumer({**VARIABLES, "BATCH_INLINE": "1", "SUBREQUESTS": 10_000}) as server:
        yield Api(server)


def check_that_mail_is_sent_soon(api: Api, victim: Sender) -> None:
    """Check that a scheduled mail, and a batch, are sent within a quarter of a minute."""
    before = len(api.server.provider.mails_of(victim.address))
    schedule(api, victim, 1)
    mail = {"from": victim.address, "to": "you@example.net", "subject": "few", "text": "Hello"}
    response = api.post("/emails/batch", [mail] * 10, headers=victim.headers)
    assert response.status_code == 200, response.text
    api.server.advance(15)
    assert len(api.server.provider.mails_of(victim.address)) == before + 11


def test_many_batches_of_one_address_do_not_fill_the_queue(with_one_consumer: Api) -> None:
    api = with_one_consumer
    flooder, victim = api.new_sender(balance=10**6), api.new_sender(balance=50)
    mail = {"from": flooder.address, "to": "you@example.net", "subject": "many", "text": "Hello"}
    for _ in range(15):
        response = api.post("/emails/batch", [mail] * 100, headers=flooder.headers)
        assert response.status_code == 200, response.text
    check_that_mail_is_sent_soon(api, victim)
    for _ in range(2):  # the cron enqueues the rest
        api.server.run_cron()
        api.server.advance(60)
    assert waiting(api, flooder) == 0


def test_a_run_of_the_cron_does_not_fill_the_queue(with_one_consumer: Api) -> None:
    api = with_one_consumer
    flooder, victim = api.new_sender(balance=10**6), api.new_sender(balance=50)
    insert_waiting(api, flooder, 2000, at=api.server.now() - 5000)
    api.server.run_cron()
    check_that_mail_is_sent_soon(api, victim)


def test_many_retries_of_one_address_do_not_fill_the_queue() -> None:
    with OneConsumer({**VARIABLES, "SUBREQUESTS": 10_000}) as server:
        api = Api(server)
        flooder, victim = api.new_sender(balance=10**6), api.new_sender(balance=50)
        mail = {"from": flooder.address, "to": "you@example.net", "text": "Hello"}
        busy = {**mail, "subject": "[E_RATE_LIMIT_EXCEEDED]"}
        for _ in range(60):
            response = api.post("/emails/batch", [busy] * 25, headers=flooder.headers)
            assert response.status_code == 200, response.text
        assert waiting(api, flooder) == 1500
        api.server.advance(36)  # the longest delay of a first retry
        check_that_mail_is_sent_soon(api, victim)


def test_a_rescheduled_message_of_many_is_left_to_the_cron(with_one_consumer: Api) -> None:
    api = with_one_consumer
    sender = api.new_sender()
    message_id = schedule(api, sender, 3600)
    insert_waiting(api, sender, 500, at=api.server.now() + 90_000)
    at = datetime.fromtimestamp(api.server.now() / 1000 + 5, UTC).isoformat()
    response = api.call(
        "PATCH", f"/emails/{message_id}", json={"scheduled_at": at}, headers=sender.headers
    )
    assert response.status_code == 200, response.text
    api.server.advance(20)
    assert api.server.provider.mails_of(sender.address) == []
    api.server.run_cron()
    api.server.advance(5)
    assert len(api.server.provider.mails_of(sender.address)) == 1
