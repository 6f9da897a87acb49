"""Each message in the lists has one delivery status, and an explanation if it failed."""

from typing import Any

import pytest

from mail.delivery import DeliveryKind
from tests.api.delivery import event, sent_message
from tests.e2e.api import Api, Sender, unique_name

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
    api.server.advance(5)
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
    ("kinds", "outcome", "count"),
    [
        (["delivered", "delivered", "delivered"], "delivered", 3),
        (["delivered", None, "delivered"], "delivered", 2),
        (["delayed", None, "delivered"], "delivered", 1),
        (["delivered", "bounced", None], "bounced", 1),
        (["complained", "bounced", "complained"], "complained", 2),
        ([None, None, "failed"], "failed", 1),
        ([None, None, None], "sent", 3),
    ],
)
def test_the_highest_status_of_the_recipients_decides(
    api: Api, kinds: list[DeliveryKind | None], outcome: str, count: int
) -> None:
    sender = api.new_sender()
    to = [f"{unique_name()}@example.net" for _ in kinds]
    row = sent_message(api, sender, to_mail=None, to=to)
    api.server.deliver_events(
        event(kind, row, recipient)
        for kind, recipient in zip(kinds, to, strict=True)
        if kind is not None
    )
    (listed,) = api.get("/api/sendbox", headers=sender.headers).json()["results"]
    for shown in (listed, api.message(sender, row["id"])):
        assert outcomes([shown]) == [("sent", outcome)]
        assert (shown["delivery_count"], shown["recipient_count"]) == (count, 3)
    statuses = [one["delivery_status"] for one in api.message(sender, row["id"])["recipients"]]
    assert statuses == [kind or "sent" for kind in kinds]


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
