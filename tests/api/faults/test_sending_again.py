"""``POST /api/sendbox/{id}/retry`` sends a message again as a new message."""

from datetime import UTC, datetime

import pytest

from tests.client.provider import ScriptedBinding
from tests.e2e.api import Api, check_problem, mail


@pytest.mark.contract(
    "POST /api/sendbox/{id}/retry: Sends a failed or unknown message once more, as a new message"
)
def test_a_failed_message_is_sent_again_as_a_new_one(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    old = api.send(sender, subject="[E_DELIVERY_FAILED 1] again", content="<p>ü</p>", is_html=True)
    old_id = old.json()["id"]
    response = api.post(f"/api/sendbox/{old_id}/retry", headers=sender.headers)
    assert response.status_code == 200, response.text
    new_id = response.json()["id"]
    assert new_id != old_id
    assert api.message(sender, new_id)["retry_of"] == old_id
    shown = api.message(sender, old_id)
    assert (shown["status"], shown["retried_as"]) == ("failed", new_id)
    (mail,) = provider.mails_of(sender.address)
    assert (mail["html"], mail["to"][0]["email"]) == ("<p>ü</p>", "recipient@example.net")
    assert api.balance(sender) == 4


@pytest.mark.contract(
    "POST /api/sendbox/{id}/retry: Sends a failed or unknown message once more, as a new message"
)
def test_an_unknown_message_is_sent_again_only_once(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    problem = api.send(sender, subject="[take] [E_INTERNAL_SERVER_ERROR 1] twice").json()
    assert problem["message_status"] == "unknown"
    path = f"/api/sendbox/{problem['id']}/retry"
    assert api.post(path, headers=sender.headers).status_code == 200
    response = api.post(path, headers=sender.headers)
    check_problem(response, 409, "already_retried", "This message has already been sent again")
    assert len(provider.mails_of(sender.address)) == 2  # the retry sends a second mail
    assert api.balance(sender) == 3


def test_a_retry_may_have_an_idempotency_key(api: Api, provider: ScriptedBinding) -> None:
    sender = api.new_sender(balance=5)
    old_id = api.send(sender, subject="[E_DELIVERY_FAILED 1] key").json()["id"]
    headers = {**sender.headers, "Idempotency-Key": "again"}
    first, second = (api.post(f"/api/sendbox/{old_id}/retry", headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert len(provider.mails_of(sender.address)) == 1


def test_a_sent_or_queued_message_is_not_sent_again(api: Api) -> None:
    sender = api.new_sender(balance=5)
    for subject in ("fine", "[E_RATE_LIMIT_EXCEEDED]"):
        message_id = api.send(sender, subject=subject).json()["id"]
        response = api.post(f"/api/sendbox/{message_id}/retry", headers=sender.headers)
        sentence = "Only a message that failed or has an unknown outcome can be sent again"
        check_problem(response, 409, "not_retryable", sentence)


def test_a_message_without_content_is_not_sent_again(api: Api) -> None:
    sender = api.new_sender(balance=5)
    message_id = api.send(sender, subject="[E_DELIVERY_FAILED]").json()["id"]
    api.server.sql("DELETE FROM bodies WHERE message_id = ?", [message_id])
    response = api.post(f"/api/sendbox/{message_id}/retry", headers=sender.headers)
    sentence = "The content of this message has been removed"
    check_problem(response, 409, "content_removed", sentence)


def test_a_retry_is_charged_and_may_be_rejected(api: Api) -> None:
    sender = api.new_sender(balance=1)
    message_id = api.send(sender, subject="[E_DELIVERY_FAILED 1] refused").json()["id"]
    sql = "UPDATE send_balances SET balance = 0 WHERE address_id = ?"
    api.server.sql(sql, [sender.address_id])
    response = api.post(f"/api/sendbox/{message_id}/retry", headers=sender.headers)
    check_problem(response, 400, "no_balance", "Failed to send mail No balance")
    sql = "UPDATE send_balances SET balance = 1 WHERE address_id = ?"
    api.server.sql(sql, [sender.address_id])
    assert api.post(f"/api/sendbox/{message_id}/retry", headers=sender.headers).status_code == 200


def test_a_message_of_another_address_is_not_found(api: Api) -> None:
    sender, other = api.new_sender(), api.new_sender()
    message_id = api.send(sender, subject="[E_DELIVERY_FAILED]").json()["id"]
    for wanted in (message_id, "nonsense", "' OR 1=1 --"):
        for method, path in (("GET", wanted), ("POST", f"{wanted}/retry")):
            response = api.call(method, f"/api/sendbox/{path}", headers=other.headers)
            check_problem(response, 404, "message_not_found", "There is no such message")


def test_a_retry_is_replayed_even_without_the_old_message(
    api: Api, provider: ScriptedBinding
) -> None:
    sender = api.new_sender(balance=5)
    old_id = api.send(sender, subject="[E_DELIVERY_FAILED 1] gone").json()["id"]
    path = f"/api/sendbox/{old_id}/retry"
    headers = {**sender.headers, "Idempotency-Key": "R"}
    first = api.post(path, headers=headers)
    assert first.status_code == 200
    for change in (
        "DELETE FROM bodies WHERE message_id = ?",
        "UPDATE messages SET status = 'sent' WHERE id = ?",
        "DELETE FROM messages WHERE id = ?",
    ):
        api.server.sql(change, [old_id])
        again = api.post(path, headers=headers)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
    # A request without the key, or with the key of another request, is no replay.
    response = api.post(path, headers=sender.headers)
    check_problem(response, 404, "message_not_found", "There is no such message")
    other = api.post(f"/api/sendbox/{first.json()['id']}/retry", headers=headers)
    sentence = "This Idempotency-Key was used for another request"
    check_problem(other, 409, "idempotency_key_reused", sentence)
    assert len(provider.mails_of(sender.address)) == 1


def test_a_retry_of_a_scheduled_message_is_sent_at_once(api: Api) -> None:
    """The schedule of the old message has passed and does not apply to the retry."""
    sender = api.new_sender(balance=5)
    at = datetime.fromtimestamp(api.server.now() / 1000 + 3, UTC).isoformat()
    body = mail(to_mail="suppressed@test.invalid", scheduled_at=at)
    old_id = api.post("/api/send_mail", body, headers=sender.headers).json()["id"]
    api.server.advance(5)
    api.server.run_cron()
    api.server.advance(120)
    assert api.message(sender, old_id)["status"] == "failed"
    again = api.post(f"/api/sendbox/{old_id}/retry", headers=sender.headers)
    assert (again.status_code, again.json()["code"]) == (502, "E_RECIPIENT_SUPPRESSED")
    assert api.message(sender, again.json()["id"])["scheduled_at"] is None
