"""The sendbox by cursor and by search, before and after messages enter the search index."""

import json
import time
from typing import Any

import pytest

from store.search_index import SETTLED_MILLISECONDS
from tests.e2e.api import Api, Sender, check_problem
from tests.unit.given import message_id


def page(api: Api, sender: Sender, **query: Any) -> dict[str, Any]:
    answer = api.get("/api/sendbox", params=query, headers=sender.headers)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def ids(shown: dict[str, Any]) -> list[str]:
    return [row["id"] for row in shown["results"]]


def send_some(api: Api, sender: Sender, count: int, **fields: Any) -> list[str]:
    """Send so many; their ids, newest first."""
    return [api.send(sender, **fields).json()["id"] for _ in range(count)][::-1]


def put_settled(api: Api, sender: Sender, **body: str) -> str:
    """A message that was sent so long ago that it may enter the index from now on."""
    accepted = time.time_ns() // 1_000_000 - SETTLED_MILLISECONDS - 1
    id = message_id(accepted, int(str(sender.address_id) + "0"))
    api.server.sql(
        "INSERT INTO messages (id, address_id, sender, subject, size, recipients, charge, status,"
        " attempt, accepted_at, finished_at) VALUES (?, ?, ?, 'Figures', 9, 1, 1, 'sent', 1, ?, ?)",
        [id, sender.address_id, sender.address, accepted, accepted],
    )
    api.server.sql(
        "INSERT INTO deliveries (message_id, position, kind, address) VALUES (?, 0, 'to', ?)",
        [id, "anna@example.net"],
    )
    for kind, content in body.items():
        api.server.sql("INSERT INTO bodies VALUES (?, ?, 0, ?)", [id, kind, content])
    return id


@pytest.mark.contract("GET /api/sendbox: Pages by cursor")
def test_pages_by_cursor(api: Api) -> None:
    sender = api.new_sender(balance=10)
    sent = send_some(api, sender, 5)
    first = page(api, sender, cursor="", limit=2)
    assert first.keys() == {"results", "next_cursor"}
    assert ids(first) == sent[:2]
    api.send(sender)  # comes in between and moves nothing
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


@pytest.mark.contract("GET /api/sendbox: Searches messages")
def test_search_before_and_after_the_index(api: Api) -> None:
    sender, other = api.new_sender(balance=10), api.new_sender(balance=10)
    old = put_settled(api, sender, html="<p>Die R&uuml;ckzahlung: 发票号码</p>")
    new = send_some(api, sender, 2, subject="Rückzahlung 发票")
    for _ in range(2):
        for q in ("rückzahlung", "RUCKZAHL", "发票", "票"):
            first = page(api, sender, q=q, cursor="", limit=2)
            assert ids(first) == new
            assert ids(page(api, sender, q=q, cursor=first["next_cursor"])) == [old]
            assert page(api, other, q=q) == {"results": [], "count": 0}
        assert ids(page(api, sender, q="anna@example.net figures")) == [old]
        assert json.loads(page(api, sender, q="anna")["results"][0]["raw"])["is_html"] is True
        api.server.run_cron()
    sql = "SELECT message_id FROM search WHERE message_id IN (?, ?)"
    assert api.server.sql(sql, [old, new[0]]) == [{"message_id": old}]


def test_what_is_removed_is_not_found(api: Api) -> None:
    sender = api.new_sender()
    id = put_settled(api, sender, text="secret")
    api.server.run_cron()
    assert ids(page(api, sender, q="secret")) == [id]
    api.server.sql("DELETE FROM bodies WHERE message_id = ?", [id])
    assert ids(page(api, sender, q="secret")) == []
    assert ids(page(api, sender, q="figures")) == [id]
    api.server.sql("DELETE FROM messages WHERE id = ?", [id])
    assert ids(page(api, sender, q="figures")) == []
    assert api.server.sql("SELECT 1 FROM search WHERE message_id = ?", [id]) == []


@pytest.mark.parametrize(
    "q",
    [
        *('"', "' OR 1=1 --", "a* NEAR(b)", "{head}:x", "%00\x00", "\ufffd", "😀", "^", "*"),
        *("的" * 200, "zz " * 66, "zq-" * 66, "]" * 200),
    ],
    ids=ascii,
)
def test_any_query_is_answered(api: Api, q: str) -> None:
    sender = api.new_sender(balance=10)
    send_some(api, sender, 1)
    for way in ({}, {"cursor": ""}):
        assert page(api, sender, q=q, **way)["results"] == []


def test_too_long_a_query(api: Api) -> None:
    sender = api.new_sender()
    answer = api.get("/api/sendbox", params={"q": "x" * 201}, headers=sender.headers)
    sentence = "The search q is longer than 200 characters"
    problem = check_problem(answer, 400, "invalid_q", sentence)
    assert problem["errors"] == [{"field": "q", "message": sentence}]


@pytest.mark.parametrize(
    "cursor", ["x", "0", "null", "~", " ", "01A1A147-CE01-7000-8000-000000000001", "é" * 36]
)
@pytest.mark.parametrize("q", ["", "text"])
def test_bad_cursor(api: Api, cursor: str, q: str) -> None:
    sender = api.new_sender()
    query = {"cursor": cursor, "q": q}
    answer = api.get("/api/sendbox", params=query, headers=sender.headers)
    problem = check_problem(answer, 400, "invalid_cursor", "Invalid cursor")
    assert problem["errors"] == [{"field": "cursor", "message": "Invalid cursor"}]


def test_cursor_and_offset(api: Api) -> None:
    sender = api.new_sender()
    assert ids(page(api, sender, cursor="", offset=0)) == []
    answer = api.get("/api/sendbox?cursor=&offset=1", headers=sender.headers)
    sentence = "The parameter offset does not go with a cursor"
    check_problem(answer, 400, "offset_with_cursor", sentence)


def test_a_cursor_of_somebody_else_is_only_a_place(api: Api) -> None:
    sender, other = api.new_sender(), api.new_sender()
    mine, theirs = (send_some(api, who, 1)[0] for who in (sender, other))
    assert mine < theirs
    assert ids(page(api, sender, cursor=theirs)) == [mine]
    assert ids(page(api, sender, cursor=theirs, q="text")) == [mine]
