"""Daily limits for acts that cost no balance, and for their rows in the audit log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from accounts.passwords import client_digest
from clock import utc_day
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem, unique_name

SANDBOX = "delivered@test.invalid"
LIMITS = {
    "MAX_SANDBOX_RECIPIENTS_PER_DAY": "5",
    "MAX_CREDENTIAL_CHANGES_PER_DAY": "2",
    "MAX_WITHDRAWALS_PER_DAY": "3",
    "ENABLE_ADDRESS_PASSWORD": "true",
    "ENABLE_USER_DELETE_EMAIL": "true",
    "PAUSE_FAILED_PERCENT": "0",
}
OVER_SANDBOX = (
    "This address has reached its daily limit of sandbox recipients, please try again after "
    "midnight UTC"
)
OVER_BYTES = (
    "The messages of this address to sandbox recipients are too large together, please try again "
    "after midnight UTC"
)
OVER_WITHDRAWALS = (
    "Too many messages of this address failed or were cancelled today, please try again after "
    "midnight UTC or contact the administrator"
)
NOT_PAUSED = "Sending from this address is not paused"
OVER_CHANGES = "An address can do this at most 3 times a day, please try again after midnight UTC"


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, **LIMITS}) as running:
        yield Api(running)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender(balance=100)


def check_until_midnight(api: Api, response: requests.Response, code: str, detail: str) -> None:
    """Check that ``response`` is a 429 until midnight UTC."""
    check_problem(response, 429, code, detail)
    seconds = 86_400 - api.server.now() // 1000 % 86_400
    assert abs(int(response.headers["Retry-After"]) - seconds) <= 1


def tomorrow(api: Api) -> None:
    api.server.advance(86_400)


def batch(api: Api, sender: Sender, sizes: list[int], **headers: str) -> requests.Response:
    """Send a batch. ``sizes`` are the numbers of sandbox recipients of its messages."""
    mails = [
        {
            "from": sender.address,
            "to": [f"delivered+{number}@test.invalid" for number in range(size)],
            "subject": "Test",
            "text": "Test",
        }
        for size in sizes
    ]
    return api.post("/emails/batch", mails, headers={**sender.headers, **headers})


def test_sandbox_recipients_are_limited(api: Api, sender: Sender) -> None:
    assert batch(api, sender, [2, 2]).status_code == 200
    response = batch(api, sender, [2])
    assert (response.status_code, response.json()["code"]) == (429, "too_many_sandbox_recipients")
    assert api.send(sender, to_mail=SANDBOX).status_code == 200
    response = api.send(sender, to_mail=SANDBOX)
    check_until_midnight(api, response, "too_many_sandbox_recipients", OVER_SANDBOX)
    assert api.send(sender).status_code == 200  # other mail is not limited
    assert api.send(api.new_sender(), to_mail=SANDBOX).status_code == 200
    tomorrow(api)
    assert api.send(sender, to_mail=SANDBOX).status_code == 200


def test_the_size_of_sandbox_messages_is_limited() -> None:
    """Otherwise an address without a balance could fill the database."""
    with TestClient({**DEPLOYMENT, "MAX_SANDBOX_BYTES_PER_DAY": "15000"}) as running:
        api = Api(running)
        sender = api.new_sender(balance=1)
        large = {"to_mail": SANDBOX, "content": "x" * 3_000}
        assert [api.send(sender, **large).status_code for _ in range(3)] == [200, 200, 429]
        check_until_midnight(api, api.send(sender, **large), "too_many_sandbox_bytes", OVER_BYTES)
        assert api.send(sender, to_mail=SANDBOX).status_code == 200
        assert api.send(sender, content="x" * 30_000).status_code == 200
        tomorrow(api)
        assert api.send(sender, **large).status_code == 200


def test_other_mail_is_sent_if_more_is_used_than_a_lower_limit_allows() -> None:
    """An administrator may lower a limit during a day."""
    limits = {"MAX_SANDBOX_BYTES_PER_DAY": "15000", "MAX_SANDBOX_RECIPIENTS_PER_DAY": "5"}
    with TestClient({**DEPLOYMENT, **limits}) as running:
        api = Api(running)
        sender, other = api.new_sender(), api.new_sender()
        for act in ("sandbox_bytes", "sandbox_recipients"):
            api.server.sql(
                "INSERT INTO daily_counts (day, subject, act, count) VALUES (?, ?, ?, 20000)",
                [utc_day(api.server.now()), str(sender.address_id), act],
            )
        assert api.send(sender).status_code == 200
        assert api.send(sender, to_mail=SANDBOX).status_code == 429
        assert api.send(other, to_mail=SANDBOX).status_code == 200


def test_a_permissive_batch_stays_within_the_size() -> None:
    with TestClient({**DEPLOYMENT, "MAX_SANDBOX_BYTES_PER_DAY": "15000"}) as running:
        api = Api(running)
        response = batch(api, api.new_sender(), [1] * 40, **{"x-batch-validation": "permissive"})
        (stored,) = api.server.sql("SELECT sum(size) AS size, max(size) AS one FROM messages")
        assert len(response.json()["data"]) + len(response.json()["errors"]) == 40
        assert 15_000 - stored["one"] < stored["size"] <= 15_000


def test_the_content_of_a_waiting_sandbox_message_is_kept_for_a_day(
    api: Api, sender: Sender
) -> None:
    attachment = {"filename": "a.txt", "content": "YWJj"}
    fields: dict[str, Any] = {"scheduled_at": at(api, days=20), "attachments": [attachment]}
    id = api.send(sender, to_mail=SANDBOX, **fields).json()["id"]
    assert api.server.sql("SELECT * FROM attachment_parts") == []
    assert len(api.server.sql("SELECT * FROM bodies")) == 1
    api.server.advance(86_460)
    api.server.run_cron()
    assert api.server.sql("SELECT * FROM bodies") == []
    api.server.advance(20 * 86_400)
    api.server.run_cron()
    api.server.settle()
    assert api.message(sender, id)["status"] == "sent"


def test_a_rejected_request_writes_nothing(api: Api) -> None:
    """Otherwise an address without a balance could fill the database by rejected requests."""
    sender = api.new_sender(balance=0)
    assert batch(api, sender, [5]).status_code == 200
    api.server.settle()
    written = api.server.database.rows_written
    for _ in range(3):
        assert batch(api, sender, [50] * 100).status_code == 429
    assert api.server.database.rows_written == written


def test_a_permissive_batch_accepts_the_messages_within_the_limit(api: Api, sender: Sender) -> None:
    permissive = {"x-batch-validation": "permissive"}
    response = batch(api, sender, [3, 3, 2, 1], **permissive)
    assert [error["index"] for error in response.json()["errors"]] == [1, 3]
    assert len(response.json()["data"]) == 2


def test_many_at_once_stay_within_the_limit(api: Api, sender: Sender) -> None:
    body = {"to_mail": SANDBOX, "subject": "Test", "content": "Test"}
    call = ("POST", "/api/send_mail", {"json": body, "headers": sender.headers})
    responses = api.server.request_all([call] * 12)
    assert sorted(response.status_code for response in responses) == [200] * 5 + [429] * 7


def test_administrators_and_normal_mail_are_not_counted(api: Api, sender: Sender) -> None:
    body = {"from_mail": sender.address, "to_mail": SANDBOX, "subject": "Test", "content": "Test"}
    for _ in range(7):
        assert api.admin("POST", "/admin/send_mail", json=body).status_code == 200
        assert api.send(sender).status_code == 200
    assert api.server.sql("SELECT * FROM daily_counts") == []


def test_texts_of_test_messages_are_kept_for_a_day(api: Api, sender: Sender) -> None:
    sandbox, real = (api.send(sender, to_mail=to).json()["id"] for to in (SANDBOX, "a@b.example"))
    api.server.run_cron()
    assert "text" in api.message(sender, sandbox)["raw"]
    tomorrow(api)
    api.server.run_cron()
    left = api.server.sql("SELECT message_id FROM bodies")
    assert [row["message_id"] for row in left] == [real]


def test_rotations_are_limited(api: Api, sender: Sender) -> None:
    for _ in range(2):
        jwt = api.post("/api/rotate_credential", headers=sender.headers).json()["jwt"]
        sender = Sender(sender.address, sender.address_id, jwt)
    response = api.post("/api/rotate_credential", headers=sender.headers)
    detail = (
        "The credential and the password can each be changed 2 times a day, please try again "
        "after midnight UTC"
    )
    check_until_midnight(api, response, "too_many_credential_changes", detail)
    assert api.send(sender).status_code == 200
    tomorrow(api)
    assert api.post("/api/rotate_credential", headers=sender.headers).status_code == 200


def test_password_changes_are_limited(api: Api) -> None:
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    headers = {"Authorization": f"Bearer {made['jwt']}"}
    statuses = []
    for old, new in ((made["password"], "1"), ("1", "2"), ("2", "3")):
        body = {"current_password": client_digest(old), "new_password": client_digest(new)}
        response = api.post("/api/address_change_password", body, headers=headers)
        statuses.append(response.status_code)
    assert statuses == [200, 200, 429]


def at(api: Api, **delta: float) -> str:
    now = datetime.fromtimestamp(api.server.now() / 1000, UTC)
    return (now + timedelta(**delta)).isoformat()


def test_scheduling_and_cancelling_is_limited(api: Api, sender: Sender) -> None:
    for _ in range(3):
        scheduled = api.send(sender, scheduled_at=at(api, hours=1))
        assert scheduled.status_code == 202, scheduled.text
        path = f"/emails/{scheduled.json()['id']}/cancel"
        assert api.post(path, headers=sender.headers).status_code == 200
    response = api.send(sender)
    check_until_midnight(api, response, "too_many_withdrawals", OVER_WITHDRAWALS)
    assert api.balance(sender) == 100
    tomorrow(api)
    assert api.send(sender).status_code == 200


def test_messages_of_an_earlier_day_count_when_they_are_cancelled(api: Api, sender: Sender) -> None:
    scheduled = [api.send(sender, scheduled_at=at(api, hours=40)).json()["id"] for _ in range(4)]
    tomorrow(api)
    for number, id in enumerate(scheduled):
        sent = api.send(sender, to_mail=SANDBOX if number == 3 else "a@example.net")
        assert sent.status_code == 200, sent.text
        assert api.post(f"/emails/{id}/cancel", headers=sender.headers).status_code == 200
    assert api.send(sender).status_code == 200  # 4 were cancelled, and 3 were sent
    more = [api.send(sender, scheduled_at=at(api, hours=1)).json()["id"] for _ in range(3)]
    for id in more:
        assert api.post(f"/emails/{id}/cancel", headers=sender.headers).status_code == 200
    response = api.send(sender)
    check_until_midnight(api, response, "too_many_withdrawals", OVER_WITHDRAWALS)
    assert api.admin("DELETE", f"/admin/pauses/{sender.address_id}").status_code == 200
    assert api.send(sender).status_code == 200


def use_up_withdrawals(api: Api, sender: Sender) -> None:
    for _ in range(3):
        assert api.send(sender, subject="[E_VALIDATION_ERROR]").status_code == 502
    assert api.send(sender).json()["code"] == "too_many_withdrawals"


def test_an_administrator_restores_the_limit_of_withdrawals(api: Api, sender: Sender) -> None:
    """A thief can use up the limit, and a rotation does not restore it."""
    path = f"/admin/pauses/{sender.address_id}"
    for _ in range(2):
        use_up_withdrawals(api, sender)
        assert api.admin("DELETE", path).status_code == 200
        check_problem(api.admin("DELETE", path), 404, "not_paused", NOT_PAUSED)
        assert api.send(sender).status_code == 200
        assert api.send(sender, subject="[E_VALIDATION_ERROR]").status_code == 502
    rows = api.server.sql("SELECT object FROM audit WHERE action = 'pause.lifted'")
    assert [row["object"] for row in rows] == [sender.address] * 2


def test_an_address_that_sends_more_may_withdraw_more(api: Api, sender: Sender) -> None:
    for _ in range(2):
        assert api.send(sender).status_code == 200
    for _ in range(5):
        scheduled = api.send(sender, scheduled_at=at(api, hours=1)).json()
        api.post(f"/emails/{scheduled['id']}/cancel", headers=sender.headers)
    assert api.send(sender).json()["code"] == "too_many_withdrawals"


def test_failing_mail_is_limited(api: Api, sender: Sender) -> None:
    for _ in range(3):
        assert api.send(sender, subject="[E_VALIDATION_ERROR]").status_code == 502
    response = api.send(sender)
    check_until_midnight(api, response, "too_many_withdrawals", OVER_WITHDRAWALS)
    assert api.send(sender, to_mail=SANDBOX).status_code == 200


def reschedule(api: Api, sender: Sender, id: str, hours: int) -> requests.Response:
    body = {"scheduled_at": at(api, hours=hours)}
    return api.call("PATCH", f"/emails/{id}", json=body, headers=sender.headers)


def test_rescheduling_is_limited(api: Api, sender: Sender) -> None:
    id = api.send(sender, scheduled_at=at(api, hours=1)).json()["id"]
    for hours in (30, 31, 32):
        assert reschedule(api, sender, id, hours).status_code == 200
    response = reschedule(api, sender, id, 33)
    assert (response.status_code, response.json()["message"]) == (429, OVER_CHANGES)
    assert len(api.message(sender, id)["history"]) == 1 + 3
    tomorrow(api)
    assert reschedule(api, sender, id, 34).status_code == 200


def test_an_administrator_restores_the_limit_of_reschedules(api: Api, sender: Sender) -> None:
    id = api.send(sender, scheduled_at=at(api, hours=1)).json()["id"]
    statuses = [reschedule(api, sender, id, hours).status_code for hours in (2, 3, 4, 5)]
    assert statuses == [200, 200, 200, 429]
    assert api.admin("DELETE", f"/admin/pauses/{sender.address_id}").status_code == 200
    assert reschedule(api, sender, id, 6).status_code == 200
    other = api.new_sender()
    assert api.admin("DELETE", f"/admin/pauses/{other.address_id}").status_code == 404


def test_clearing_a_sendbox_without_messages_writes_nothing(api: Api, sender: Sender) -> None:
    """So clearing needs no limit: each clearing that writes rows follows a new message."""

    def clear() -> int:
        return api.call("DELETE", "/api/clear_sent_items", headers=sender.headers).status_code

    assert api.send(sender).status_code == 200
    assert clear() == 200
    written = api.server.database.rows_written
    assert [clear() for _ in range(5)] == [200] * 5
    assert api.server.database.rows_written == written


def logins_in_audit(api: Api) -> list[Any]:
    rows = api.server.sql("SELECT details FROM audit WHERE action = 'credential.given' ORDER BY id")
    return [row["details"] for row in rows]


def test_logins_leave_few_rows_in_the_audit_log(api: Api) -> None:
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    body = {"email": made["address"], "password": client_digest(made["password"])}
    for _ in range(70):
        assert api.post("/api/address_login", body).status_code == 200
    numbered = ['{"logins_today":32}', '{"logins_today":64}']
    assert logins_in_audit(api) == [None] * 20 + numbered
    (count,) = api.server.sql("SELECT act, count FROM daily_counts")
    assert count == {"act": "logins", "count": 70}
    tomorrow(api)
    assert api.post("/api/address_login", body).status_code == 200
    assert logins_in_audit(api) == [None] * 20 + numbered + [None]
