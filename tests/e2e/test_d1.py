"""Behaviour of D1 itself: the number of rows written, and the results of its FTS5."""

import json

import pytest

from tests.e2e.api import Api, mail
from tests.e2e.search import ids, page, put_settled, send_some

LONG = "x" * 1_500_000  # stored in two parts


@pytest.mark.contract(
    "send checks: A send takes two database round trips and writes at most twelve rows"
)
@pytest.mark.parametrize(
    ("content", "key", "rows"),
    [("short", None, 11), ("short", "a key", 12), (LONG, None, 12)],
)
def test_a_send_takes_two_round_trips_and_at_most_twelve_rows(
    api: Api, content: str, key: str | None, rows: int
) -> None:
    check_send(api, content, key, rows)


def test_a_long_text_with_a_key_is_one_row_more(api: Api) -> None:
    check_send(api, LONG, "another key", 13)


def check_send(api: Api, content: str, key: str | None, rows: int) -> None:
    sender = api.new_sender()
    for number in range(2):  # the first send inserts the balance row, the second updates it
        request_id = f"count-{sender.address_id}-{number}"
        headers = {**sender.headers, "x-request-id": request_id}
        if key:
            headers["Idempotency-Key"] = key + str(number)
        response = api.post("/api/send_mail", mail(content=content), headers=headers)
        assert response.status_code == 200, response.text
        (line,) = api.log_lines(request_id)
        assert line["d1_round_trips"] == 2
        assert line["d1_rows_written"] == rows


@pytest.mark.contract("GET /api/sendbox: Searches messages")
def test_search_finds_messages_before_and_after_indexing(api: Api) -> None:
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


def test_words_of_a_deleted_message_leave_the_index_at_once(api: Api) -> None:
    sender = api.new_sender()
    kept = put_settled(api, sender, text="Zanzibar")
    gone = put_settled(api, sender, text="Quixotic Zanzibar")
    api.server.run_cron()
    assert indexed(api, b"quixotic")
    assert indexed(api, gone.encode())
    assert api.admin("DELETE", f"/admin/sendbox/{gone}").status_code == 200
    assert not indexed(api, b"quixotic")
    assert not indexed(api, gone.encode())
    assert ids(page(api, sender, q="zanzibar")) == [kept]


def indexed(api: Api, word: bytes) -> bool:
    """Whether the index contains the bytes of this word."""
    blocks = api.server.sql("SELECT block FROM search_data")
    rows = api.server.sql("SELECT c0, c1, c2 FROM search_content")
    texts = [str(column).encode() for row in rows for column in row.values()]
    return any(word in data for data in [*(row["block"] for row in blocks), *texts])
