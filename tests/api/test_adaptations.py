"""The sentences of a relay on its changes: accepted, kept and shown, but not part of the mail."""

from typing import Any

import pytest

from tests.client import TestClient
from tests.e2e.api import Api, Sender, mail

SENTENCES = ["Delivered-To left out", "Reply-To left out: root@web1 is not an address", "名 😀"]


def shown(api: Api, sender: Sender, message_id: str) -> tuple[list[str], list[Any]]:
    """The adaptations of a message, and those of each event in its history."""
    message = api.message(sender, message_id)
    return message["adaptations"], [event.get("adaptations") for event in message["history"]]


@pytest.mark.parametrize("path", ["/api/send_mail", "/external/api/send_mail"])
def test_the_sendbox_and_its_history_show_the_adaptations(api: Api, path: str) -> None:
    sender = api.new_sender()
    body = mail(adaptations=SENTENCES, token=sender.jwt)
    response = api.post(path, body, headers=sender.headers)
    assert response.status_code == 200, response.text
    assert shown(api, sender, response.json()["id"]) == (SENTENCES, [SENTENCES, None])
    seen = api.admin("GET", f"/admin/sendbox/{response.json()['id']}").json()
    assert seen["adaptations"] == seen["history"][0]["adaptations"] == SENTENCES


@pytest.mark.parametrize("nothing", [None, []])
def test_a_mail_without_adaptations_stores_nothing(api: Api, nothing: Any) -> None:
    sender = api.new_sender()
    response = api.post(
        "/api/send_mail", {**mail(), "adaptations": nothing}, headers=sender.headers
    )
    assert shown(api, sender, response.json()["id"]) == ([], [None, None])
    (row,) = api.messages_of(sender)
    assert row["details"] is None


def test_adaptations_are_not_part_of_the_mail_and_cost_nothing(
    server: TestClient, api: Api
) -> None:
    sender = api.new_sender()
    lines = []
    for fields in ({}, {"adaptations": SENTENCES}):
        response = api.send(sender, **fields)
        lines += api.log_lines(response.headers["X-Request-Id"])
    for cost in ("d1_round_trips", "d1_rows_written"):
        assert lines[0][cost] == lines[1][cost]
    plain, adapted = (form | {"messageId": ""} for form in api.sent_by(sender))
    assert plain == adapted


def test_a_repetition_with_other_adaptations_is_a_repetition(api: Api) -> None:
    sender = api.new_sender()
    ids = [
        api.send_with_key(sender, "one key", **fields).json()["id"]
        for fields in ({"adaptations": SENTENCES}, {}, {"adaptations": ["Received left out"]})
    ]
    assert len(set(ids)) == 1
    assert shown(api, sender, ids[0])[0] == SENTENCES
    assert api.send_with_key(sender, "one key", subject="Another").status_code == 409


def test_adaptations_survive_a_deferral_and_a_second_sending(server: TestClient, api: Api) -> None:
    sender = api.new_sender()
    subject = "[E_RATE_LIMIT_EXCEEDED 1] [E_DELIVERY_FAILED]"
    first = api.send(sender, adaptations=SENTENCES, subject=subject).json()
    assert first["status"] == "queued"
    server.settle()
    path = f"/api/sendbox/{first['id']}/retry"
    again = api.post(path, headers=sender.headers).json()["id"]
    assert shown(api, sender, first["id"]) == (SENTENCES, [SENTENCES, None, None])
    assert shown(api, sender, again)[0] == SENTENCES


@pytest.mark.parametrize(
    ("adaptations", "code", "field"),
    [
        (["a"] * 51, "adaptations_too_many", "adaptations"),
        (["a", ""], "adaptation_invalid", "adaptations[1]"),
        (["a" * 201], "adaptation_invalid", "adaptations[0]"),
        (["two\nlines"], "adaptation_invalid", "adaptations[0]"),
        ("a sentence", "invalid_input", "adaptations"),
        ([1], "invalid_input", "adaptations[0]"),
    ],
)
def test_adaptations_have_limits(
    api: Api, sender: Sender, adaptations: Any, code: str, field: str
) -> None:
    response = api.send(sender, adaptations=adaptations)
    problem = response.json()
    assert (problem["code"], problem["errors"][0]["field"]) == (code, field)


def test_the_longest_adaptations_are_accepted(api: Api, sender: Sender) -> None:
    longest = [f"{number:02}" + "名" * 198 for number in range(50)]
    message_id = api.send(sender, adaptations=longest).json()["id"]
    assert shown(api, sender, message_id)[0] == longest


def test_other_clients_have_no_adaptations(api: Api, sender: Sender) -> None:
    email = {"from": sender.address, "to": "a@example.net", "subject": "a", "text": "a"}
    response = api.post("/emails", {**email, "adaptations": ["a"]}, headers=sender.headers)
    assert (response.status_code, response.json()["code"]) == (422, "unknown_field")
