"""The sendbox: pages by cursor, and search."""

import pytest

from tests.e2e.api import Api, check_problem
from tests.e2e.search import ids, page, send_some


@pytest.mark.contract("GET /api/sendbox: Pages by cursor")
def test_a_cursor_leads_to_the_next_page(api: Api) -> None:
    sender = api.new_sender(balance=10)
    sent = send_some(api, sender, 5)
    first = page(api, sender, cursor="", limit=2)
    assert first.keys() == {"results", "next_cursor"}
    assert ids(first) == sent[:2]
    api.send(sender)  # does not change the next page
    second = page(api, sender, cursor=first["next_cursor"], limit=2)
    third = page(api, sender, cursor=second["next_cursor"], limit=2)
    assert (ids(second), ids(third)) == (sent[2:4], sent[4:])
    assert third["next_cursor"] is None
    assert first["results"][0] == page(api, sender, offset=1)["results"][0]


def test_a_full_last_page_has_no_next_cursor(api: Api) -> None:
    sender = api.new_sender(balance=10)
    send_some(api, sender, 2)
    assert page(api, sender, cursor="", limit=2)["next_cursor"] is None
    assert page(api, sender, cursor="", limit=2, q="text")["next_cursor"] is None


def test_search_by_offset_counts(api: Api) -> None:
    sender = api.new_sender(balance=10)
    some = send_some(api, sender, 3, subject="Invoice")
    send_some(api, sender, 2)
    assert ids(page(api, sender, q="invoice", limit=2)) == some[:2]
    last = page(api, sender, q="INVOICE a", limit=2, offset=2)
    assert (ids(last), last["count"]) == (some[2:], 3)
    assert page(api, sender, q="")["count"] == page(api, sender, q="  ")["count"] == 5


@pytest.mark.parametrize(
    "q",
    [
        *('"', "' OR 1=1 --", "a* NEAR(b)", "{head}:x", "%00\x00", "\ufffd", "😀", "^", "*"),
        *("的" * 200, "zz " * 66, "zq-" * 66, "]" * 200),
    ],
    ids=ascii,
)
def test_every_query_is_accepted(api: Api, q: str) -> None:
    sender = api.new_sender(balance=10)
    send_some(api, sender, 1)
    for way in ({}, {"cursor": ""}):
        assert page(api, sender, q=q, **way)["results"] == []


def test_a_query_that_is_too_long_is_rejected(api: Api) -> None:
    sender = api.new_sender()
    response = api.get("/api/sendbox", params={"q": "x" * 201}, headers=sender.headers)
    sentence = "The search q is longer than 200 characters"
    problem = check_problem(response, 400, "invalid_q", sentence)
    assert problem["errors"] == [{"field": "q", "message": sentence}]


@pytest.mark.parametrize(
    "cursor", ["x", "0", "null", "~", " ", "01A1A147-CE01-7000-8000-000000000001", "é" * 36]
)
@pytest.mark.parametrize("q", ["", "text"])
def test_an_invalid_cursor_is_rejected(api: Api, cursor: str, q: str) -> None:
    sender = api.new_sender()
    query = {"cursor": cursor, "q": q}
    response = api.get("/api/sendbox", params=query, headers=sender.headers)
    problem = check_problem(response, 400, "invalid_cursor", "Invalid cursor")
    assert problem["errors"] == [{"field": "cursor", "message": "Invalid cursor"}]


def test_cursor_and_offset_are_exclusive(api: Api) -> None:
    sender = api.new_sender()
    assert ids(page(api, sender, cursor="", offset=0)) == []
    response = api.get("/api/sendbox?cursor=&offset=1", headers=sender.headers)
    sentence = "The parameter offset can't be combined with a cursor"
    check_problem(response, 400, "offset_with_cursor", sentence)


def test_a_cursor_of_another_address_shows_no_foreign_messages(api: Api) -> None:
    sender, other = api.new_sender(), api.new_sender()
    mine, theirs = (send_some(api, who, 1)[0] for who in (sender, other))
    assert mine < theirs
    assert ids(page(api, sender, cursor=theirs)) == [mine]
    assert ids(page(api, sender, cursor=theirs, q="text")) == [mine]
