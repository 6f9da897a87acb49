"""The sendbox: the messages of an address, newest first."""

import json
from datetime import UTC, datetime

import pytest

from tests.e2e.api import Api, check_problem


@pytest.mark.contract("GET /api/sendbox: Lists messages newest first, in pages, with a count")
def test_pages_are_newest_first(api: Api) -> None:
    sender = api.new_sender()
    ids = [api.send(sender, subject=f"number {n}").json()["id"] for n in range(5)]
    assert ids == sorted(ids)
    page = api.get("/api/sendbox?limit=2&offset=1", headers=sender.headers).json()
    assert page["count"] == 5
    assert [row["id"] for row in page["results"]] == [ids[3], ids[2]]
    assert api.get("/api/sendbox", headers=sender.headers).json()["count"] == 5


@pytest.mark.contract(
    "GET /api/sendbox: Returns the documented members; `raw` does not contain the token"
)
def test_a_row_has_the_fields_of_the_request(api: Api) -> None:
    sender = api.new_sender()
    api.send(sender, content="<b>ü</b>", is_html=True)
    response = api.get("/api/sendbox?limit=100&offset=0", headers=sender.headers)
    (row,) = response.json()["results"]
    assert row.keys() == {
        *("id", "address", "raw", "created_at", "status"),
        *("delivery_status", "delivery_count", "recipient_count", "scheduled_at"),
    }
    assert (row["address"], row["status"]) == (sender.address, "sent")
    made = datetime.strptime(row["created_at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs(api.server.now() / 1000 - made.timestamp()) < 60
    assert json.loads(row["raw"]) == {
        "from_name": "A Sender",
        "to_name": "A Recipient",
        "to_mail": "recipient@example.net",
        "subject": "A subject",
        "content": "<b>ü</b>",
        "is_html": True,
        "status": "sent",
    }
    assert "ü" in response.content.decode()


@pytest.mark.contract("GET /api/sendbox: Shows only the caller's messages")
@pytest.mark.contract("GET /api/sendbox/{id}: Shows only the caller's messages")
def test_other_addresses_do_not_see_a_message(api: Api) -> None:
    sender, other = api.new_sender(), api.new_sender()
    api.send(sender)
    page = api.get("/api/sendbox", headers=other.headers).json()
    assert page == {"results": [], "count": 0}


def test_long_content_is_shortened(api: Api) -> None:
    sender = api.new_sender()
    for _ in range(3):
        api.send(sender, content="ü" * 1_000_000)
    response = api.get("/api/sendbox", headers=sender.headers)
    for row in response.json()["results"]:
        assert json.loads(row["raw"])["content"] == "ü" * 16_384


@pytest.mark.contract("GET /api/sendbox: Rejects an invalid limit or offset")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "-1", "101", "x", "1.5", "", "1e1", "²", "9" * 30)),
        *(("offset", value) for value in ("-1", "x", "1.5", "", "9" * 30, "1;DROP TABLE messages")),
    ],
)
def test_invalid_limit_and_offset_are_rejected(api: Api, name: str, value: str) -> None:
    sender = api.new_sender()
    response = api.get("/api/sendbox", params={name: value}, headers=sender.headers)
    check_problem(response, 400, f"invalid_{name}", f"Invalid {name}")
