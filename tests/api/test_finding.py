"""Finding messages: the filters of the lists of an owner and of administrators."""

from typing import Any

import pytest

from clock import iso_time
from tests.e2e.api import Api, Sender
from tests.e2e.search import ids, page

# The parameters of both lists.
FILTERS: tuple[dict[str, str], ...] = (
    {"recipient": "bob@example.net"},
    {"recipient": "BOB@Example.net"},
    {"recipient": "@example.net"},
    {"tag": "kind"},
    {"tag": "kind:order"},
    {"status": "sent", "recipient": "bob@example.net"},
    {"q": "invoice"},
    {"q": "invoice", "recipient": "bob@example.net"},
)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender(balance=10)


@pytest.fixture
def wanted(api: Api, sender: Sender) -> str:
    """The id of a message that all filters find; another message is found by none of them."""
    sent = api.send(
        sender,
        to_mail="bob@example.net",
        subject="Your invoice",
        tags=[{"name": "kind", "value": "order"}],
    )
    api.send(sender, to_mail="carol@example.org", subject="Hello", content="Nothing")
    message_id: str = sent.json()["id"]
    return message_id


def every(api: Api, **query: Any) -> Any:
    response = api.admin("GET", "/admin/sendbox", params=query)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("query", FILTERS, ids=str)
@pytest.mark.parametrize("way", [{}, {"cursor": ""}], ids=["offset", "cursor"])
def test_both_lists_have_the_same_filters(
    api: Api, sender: Sender, wanted: str, query: dict[str, str], way: dict[str, str]
) -> None:
    assert ids(page(api, sender, **query, **way)) == [wanted]
    assert ids(every(api, address=sender.address, **query, **way)) == [wanted]
    other = api.new_sender()
    assert ids(page(api, other, **query, **way)) == []


def test_a_message_is_found_by_every_id_that_it_has(api: Api, sender: Sender, wanted: str) -> None:
    message = api.message(sender, wanted)
    for known in (wanted, message["message_id"], message["request_id"]):
        for way in ({}, {"cursor": ""}):
            assert ids(page(api, sender, id=known, **way)) == [wanted]
            assert ids(every(api, id=known, **way)) == [wanted]
    assert ids(page(api, api.new_sender(), id=wanted)) == []


def test_days_are_whole(api: Api, sender: Sender, wanted: str) -> None:
    today = api.message(sender, wanted)["history"][0]["at"][:10]
    for query in ({"since": today}, {"until": today}, {"since": today, "until": today}):
        assert wanted in ids(page(api, sender, cursor="", **query))
    assert ids(page(api, sender, cursor="", since="2999-01-01")) == []
    assert ids(page(api, sender, cursor="", until="2001-01-01T00:00:00+02:00")) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "delivered"}, "invalid_status"),
        ({"recipient": "bob"}, "invalid_recipient_filter"),
        ({"recipient": "@" + 320 * "a"}, "invalid_recipient_filter"),
        ({"tag": "x" * 514}, "invalid_tag"),
        ({"id": "x" * 321}, "invalid_id"),
        ({"since": "yesterday"}, "invalid_since"),
        ({"until": "9999-12-31"}, "invalid_until"),
        ({"q": "x" * 201}, "invalid_q"),
    ],
    ids=lambda it: str(it)[:30],
)
def test_an_invalid_filter_is_rejected(
    api: Api, sender: Sender, query: dict[str, str], code: str
) -> None:
    own = api.get("/api/sendbox", params=query, headers=sender.headers)
    for response in (own, api.admin("GET", "/admin/sendbox", params=query)):
        assert (response.status_code, response.json()["code"]) == (400, code)


def test_the_list_of_all_is_paged_by_cursor(api: Api, sender: Sender) -> None:
    sent = [api.send(sender).json()["id"] for _ in range(3)][::-1]
    first = every(api, address=sender.address, cursor="", limit=2)
    assert ids(first) == sent[:2]
    last = every(api, address=sender.address, cursor=first["next_cursor"], limit=2)
    assert (ids(last), last["next_cursor"]) == (sent[2:], None)


def test_a_scheduled_message_has_its_time_in_the_list(api: Api, sender: Sender) -> None:
    at = api.server.now() + 3_600_000
    api.send(sender, scheduled_at=iso_time(at))
    (row,) = page(api, sender)["results"]
    assert row["scheduled_at"] == iso_time(at)
