"""Wrong clocks, and the ends of days, months and years.

The clock of a deployment jumps forth and back, or differs from the clock of another one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from accounts.passwords import client_digest
from tests.api.calls import send_call
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, unique_name

HOUR, DAY = 3_600_000, 86_400_000
VARIABLES = {
    **DEPLOYMENT,
    "ENABLE_ADDRESS_PASSWORD": "true",
    "ENABLE_USER_DELETE_EMAIL": "true",
    "SEND_RATE_LIMIT": "3/minute",
    "MAX_SANDBOX_RECIPIENTS_PER_DAY": "2",
}
BUSY_ONCE = "[E_RATE_LIMIT_EXCEEDED 1]"

every_jump = pytest.mark.parametrize("jump", [HOUR, DAY], ids=["hour", "day"])


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient(VARIABLES) as running:
        yield Api(running)


def set_clock(api: Api, text: str) -> None:
    """Set the clock of the deployment to a time in UTC."""
    at = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    api.server.clock_error += at - api.server.now()


# Jumps


@every_jump
def test_a_credential_from_the_future_is_accepted(api: Api, jump: int) -> None:
    api.server.clock_error = jump
    sender = api.new_sender(balance=5)
    api.server.clock_error = 0
    assert api.send(sender).status_code == 200
    assert api.post("/api/rotate_credential", headers=sender.headers).status_code == 200


@every_jump
def test_a_rate_limit_from_the_future_rejects_nothing(api: Api, jump: int) -> None:
    sender = api.new_sender(balance=10)
    api.server.clock_error = jump
    assert [api.send(sender).status_code for _ in range(4)] == [200, 200, 200, 429]
    api.server.clock_error = 0
    assert [api.send(sender).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_rate_limit_is_in_force_if_clocks_differ_by_seconds(api: Api) -> None:
    sender = api.new_sender(balance=10)
    api.server.clock_error = 5000
    assert [api.send(sender).status_code for _ in range(3)] == [200, 200, 200]
    api.server.clock_error = 0
    rejected = api.send(sender)
    assert rejected.status_code == 429
    assert 60 < int(rejected.headers["Retry-After"]) <= 65


@every_jump
def test_failed_logins_from_the_future_block_no_login(api: Api, jump: int) -> None:
    made = api.post("/api/new_address", {"name": unique_name()}).json()

    def log_in(password: str) -> int:
        body = {"email": made["address"], "password": client_digest(password)}
        return api.post("/api/address_login", body).status_code

    api.server.clock_error = jump
    assert [log_in("wrong") for _ in range(11)] == [401] * 10 + [429]
    api.server.clock_error = 0
    assert log_in(made["password"]) == 200
    assert [log_in("wrong") for _ in range(11)] == [401] * 10 + [429]


@every_jump
def test_the_cron_of_a_fast_clock_resets_no_daily_limit(api: Api, jump: int) -> None:
    set_clock(api, "2027-03-10 23:30")
    sender = api.new_sender(balance=5)
    codes = [api.send(sender, to_mail="delivered@test.invalid").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    api.server.clock_error += jump
    api.server.run_cron()
    api.server.clock_error -= jump
    assert api.send(sender, to_mail="delivered@test.invalid").status_code == 429


@every_jump
def test_a_message_in_flight_is_sent_once_while_the_clock_jumps(api: Api, jump: int) -> None:
    sender = api.new_sender(balance=5)
    started = api.server.start(*send_call(sender, "key", subject="[wait 5000]"))
    api.server.advance(1)
    for error in (jump, -jump, 0):
        api.server.clock_error = error
        api.server.run_cron()
    assert started.response().status_code == 200
    (row,) = api.messages_of(sender)
    assert (row["status"], api.balance(sender), len(api.sent_by(sender))) == ("sent", 4, 1)


@every_jump
def test_a_repeated_request_is_replayed_after_the_clock_jumped_back(api: Api, jump: int) -> None:
    sender = api.new_sender(balance=5)
    first = api.send_with_key(sender, "key")
    api.server.clock_error = -jump
    again = api.send_with_key(sender, "key")
    assert (again.status_code, again.json()) == (200, first.json())
    assert (api.balance(sender), len(api.sent_by(sender))) == (4, 1)


@every_jump
def test_a_queued_message_of_a_fast_clock_is_sent_at_its_time(api: Api, jump: int) -> None:
    sender = api.new_sender(balance=5)
    api.server.clock_error = jump
    assert api.send(sender, subject=BUSY_ONCE).status_code == 202
    api.server.clock_error = 0
    api.server.advance(120)
    api.server.run_cron()
    assert api.messages_of(sender)[0]["status"] == "queued"  # late, but not lost
    api.server.advance(jump / 1000)
    api.server.run_cron()
    api.server.settle()
    assert api.messages_of(sender)[0]["status"] == "sent"
    assert (api.balance(sender), len(api.sent_by(sender))) == (4, 1)


@every_jump
def test_a_scheduled_message_is_sent_once_if_the_clock_jumps_to_its_time_and_back(
    api: Api, jump: int
) -> None:
    sender = api.new_sender(balance=5)
    at = datetime.fromtimestamp((api.server.now() + jump - 60_000) / 1000, UTC)
    assert api.send(sender, scheduled_at=at.isoformat()).status_code == 202
    for error in (jump, 0, jump):
        api.server.clock_error = error
        api.server.run_cron(times=2)
        api.server.advance(5)
    assert api.messages_of(sender)[0]["status"] == "sent"
    assert (api.balance(sender), len(api.sent_by(sender))) == (4, 1)


@every_jump
def test_a_message_of_a_killed_worker_with_a_fast_clock_becomes_unknown(
    api: Api, jump: int
) -> None:
    sender = api.new_sender(balance=5)
    api.server.clock_error = jump
    api.server.start(*send_call(sender, subject="[wait 5000]"))
    api.server.advance(1)
    api.server.kill()
    api.server.clock_error = 0
    api.server.run_cron()
    (row,) = api.messages_of(sender)
    assert (row["status"], api.balance(sender)) == ("unknown", 4)


@every_jump
def test_an_outcome_is_recorded_although_another_clock_is_slow(api: Api, jump: int) -> None:
    sender = api.new_sender(balance=5)
    started = api.server.start(*send_call(sender, subject="[wait 5000]"))
    api.server.advance(1)
    with TestClient(VARIABLES, beside=api.server) as slow:
        slow.clock_error = -jump
        slow.run_cron()
    assert started.response().status_code == 200
    (row,) = api.messages_of(sender)
    assert (row["status"], api.balance(sender), len(api.sent_by(sender))) == ("sent", 4, 1)


def test_a_fast_clock_removes_no_message_before_its_time(api: Api) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender).json()["id"]
    api.server.clock_error = DAY
    api.server.run_cron()
    api.server.clock_error = 0
    assert api.message(sender, message_id)["text"] == "A text"


# Ends of days, months and years

ENDS = [
    ("2027-01-31", "2027-02-01"),
    ("2027-12-31", "2028-01-01"),
    ("2028-02-28", "2028-02-29"),
    ("2028-02-29", "2028-03-01"),
    ("2100-02-28", "2100-03-01"),  # no leap year
]


@pytest.mark.parametrize(("last", "following"), ENDS)
def test_a_message_counts_on_the_day_of_its_acceptance(api: Api, last: str, following: str) -> None:
    set_clock(api, f"{last} 23:59:50")
    sender = api.new_sender(balance=10)
    failing = send_call(sender, subject="[wait 20000] [E_DELIVERY_FAILED]", to=["b@example.net"])
    started = api.server.start(*failing)
    assert api.send(sender, subject=BUSY_ONCE).status_code == 202
    api.server.advance(1)
    assert counted(api) == {last: 3}
    assert started.response().status_code == 502
    assert counted(api) == {last: 1}
    assert api.send(sender).status_code == 200
    api.server.advance(60)
    api.server.settle()
    assert counted(api) == {last: 1, following: 1}
    days = api.get("/api/usage", headers=sender.headers).json()["days"]
    assert [(day["day"], day["accepted"], day["sent"], day["failed"]) for day in days] == [
        (last, 2, 1, 1),
        (following, 1, 1, 0),
    ]
    assert (api.balance(sender), len(api.sent_by(sender))) == (8, 2)


@pytest.mark.parametrize(("last", "following"), ENDS)
def test_quotas_begin_anew(api: Api, last: str, following: str) -> None:
    set_clock(api, f"{last} 23:59:00")
    limits = {"dailyEnabled": True, "dailyLimit": 2, "monthlyEnabled": True, "monthlyLimit": 3}
    body = {
        "blockList": [],
        "sendBlockList": [],
        "verifiedAddressList": [],
        "noLimitSendAddressList": [],
        "sendMailLimitConfig": limits,
    }
    assert api.admin("POST", "/admin/account_settings", json=body).status_code == 200
    sender = api.new_sender(balance=10)
    assert codes(api, 3) == ["ok", "ok", "daily_quota_reached"]
    api.server.advance(60)
    is_same_month = last[:7] == following[:7]
    second = "monthly_quota_reached" if is_same_month else "ok"
    assert codes(api, 3) == ["ok", second, second if is_same_month else "daily_quota_reached"]
    assert sender


def codes(api: Api, messages: int) -> list[str]:
    """The outcomes of sends from new addresses: the error code, or ``ok``."""
    found = []
    for _ in range(messages):
        body = api.send(api.new_sender(balance=10)).json()
        found.append(body.get("code", body["status"]))
    return found


def counted(api: Api) -> dict[str, int]:
    """The recipients that the quotas count, by day."""
    return {
        row["day"]: row["recipients"] for row in api.server.sql("SELECT * FROM daily_recipients")
    }


@pytest.mark.parametrize("accepted", ["2028-02-01 12:00", "2027-12-15 00:00", "2027-02-28 23:59"])
def test_texts_and_messages_are_kept_for_whole_days(api: Api, accepted: str) -> None:
    set_clock(api, accepted)
    sender = api.new_sender(balance=5)
    message_id = api.send(sender).json()["id"]
    for days, has_text, has_row in ((30, True, True), (1, False, True), (59, False, True)):
        api.server.clock_error += days * DAY - 60_000 * (days == 30)
        api.server.run_cron()
        rows = api.messages_of(sender)
        assert bool(rows) is has_row
        assert (api.message(sender, message_id)["text"] is not None) is has_text
    api.server.clock_error += 60_000
    api.server.run_cron()
    assert api.messages_of(sender) == []
