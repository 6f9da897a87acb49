"""Each message in the lists has one delivery status, and an explanation if it failed."""

from typing import Any

import pytest

from tests.e2e.api import Api, Sender

WHAT_BECOMES = {
    "delivered@test.invalid": ("sent", "delivered"),
    "bounced@test.invalid": ("sent", "bounced"),
    "complained@test.invalid": ("sent", "complained"),
    "suppressed@test.invalid": ("failed", None),
    "ratelimited@test.invalid": ("queued", None),
    "somebody@example.net": ("sent", "sent"),
}


def outcomes(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["status"], row["delivery_status"]) for row in reversed(rows)]


@pytest.mark.contract("GET /api/sendbox: Each row has the delivery status of its message")
def test_every_list_has_the_delivery_status(api: Api) -> None:
    sender = api.new_sender()
    for to_mail in WHAT_BECOMES:
        api.send(sender, to_mail=to_mail)
    expected = list(WHAT_BECOMES.values())
    for query in ("?limit=10", "?limit=10&cursor=", "?limit=10&q=subject"):
        rows = api.get(f"/api/sendbox{query}", headers=sender.headers).json()["results"]
        if rows:
            assert outcomes(rows) == expected
    rows = api.admin("GET", f"/admin/sendbox?address={sender.address}").json()["results"]
    assert outcomes(rows) == expected
    whole = [api.message(sender, row["id"]) for row in rows]
    assert outcomes(whole) == expected


@pytest.mark.parametrize(
    ("deliveries", "outcome"),
    [
        (["delivered", "delivered", "delivered"], "delivered"),
        (["delivered", None, "delivered"], "sent"),
        (["delivered", "bounced", None], "bounced"),
        (["complained", "bounced", "delivered"], "complained"),
        ([None, None, "failed"], "failed"),
        ([None, None, None], "sent"),
    ],
)
def test_the_worst_recipient_decides(api: Api, deliveries: list[str | None], outcome: str) -> None:
    sender = api.new_sender()
    to = ["a@example.net", "b@example.net", "c@example.net"]
    sent = api.send(sender, to_mail=None, to=to).json()
    for position, status in enumerate(deliveries):
        sql = "UPDATE deliveries SET status = ? WHERE message_id = ? AND position = ?"
        api.server.sql(sql, [status, sent["id"], position])
    listed = api.get("/api/sendbox", headers=sender.headers).json()["results"]
    assert outcomes(listed) == [("sent", outcome)]
    assert api.message(sender, sent["id"])["delivery_status"] == outcome


@pytest.mark.contract("GET /api/sendbox/{id}: A failure is explained in the client's language")
def test_a_failure_is_explained(api: Api) -> None:
    sender = api.new_sender()
    failed = api.send(sender, to_mail="suppressed@test.invalid").json()
    sentences = {
        "en": "The recipient is on the mail provider's suppression list",
        "zh": "收件人在邮件服务商的抑制名单上",
    }
    for language, sentence in sentences.items():
        headers = {**sender.headers, "x-lang": language}
        message = api.get(f"/api/sendbox/{failed['id']}", headers=headers).json()
        assert (message["reason"], message["explanation"]) == ("recipient_suppressed", sentence)
        assert message["recipients"][0]["explanation"] == sentence
        accepted, rejected = message["history"]
        assert "explanation" not in accepted
        assert rejected["explanation"] == sentence


def test_a_new_code_of_the_provider_is_explained_too(api: Api, sender: Sender) -> None:
    failed = api.send(sender, to_mail="suppressed@test.invalid").json()
    api.server.sql("UPDATE messages SET provider_code = 'E_NEW' WHERE id = ?", [failed["id"]])
    message = api.message(sender, failed["id"])
    assert message["explanation"] == "The mail provider rejected the message (E_NEW)"


def test_a_message_that_did_not_fail_has_no_explanation(api: Api, sender: Sender) -> None:
    sent = api.send(sender).json()
    message = api.message(sender, sent["id"])
    assert (message["reason"], message["explanation"]) == (None, None)
    assert message["recipients"][0]["explanation"] is None


@pytest.mark.contract("GET /admin/sendbox/{id}: Returns any message as its owner sees it")
def test_an_administrator_gets_any_message(api: Api, sender: Sender) -> None:
    failed = api.send(sender, to_mail="suppressed@test.invalid").json()
    whole = api.admin("GET", f"/admin/sendbox/{failed['id']}")
    assert whole.json() == api.message(sender, failed["id"])
    mail = {"from_mail": "me@example.com", "to_mail": "you@example.net"}
    own = api.admin("POST", "/admin/send_mail", json={**mail, "subject": "A", "content": "B"})
    shown = api.admin("GET", f"/admin/sendbox/{own.json()['id']}").json()
    assert (shown["address"], shown["text"]) == ("me@example.com", "B")
    assert api.admin("GET", "/admin/sendbox/nothing").status_code == 404
    assert api.get(f"/admin/sendbox/{failed['id']}").status_code == 401
