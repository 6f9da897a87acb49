"""No statement of the store reads a whole table, so that no cost grows with it."""

import re
from typing import Any

import pytest

from accounts.credentials import Credential
from rates import RateLimit
from store.addresses import check_holds, create_address
from store.balances import send_balance
from store.claim import claim
from store.confirm import Confirmation, confirm
from store.database import Statement, ping
from store.delivery_news import record_delivery_news
from store.emails import email_page, find_email
from store.reserve import find_earlier, reserve
from store.schedule import cancel, reschedule
from store.search import search
from store.search_index import index_messages
from store.sendbox import find_message, sendbox_before, sendbox_page, sendbox_rows
from store.sweep import due_messages, sweep
from tests.unit import given
from tests.unit.given import DAY, NOW
from tests.unit.source import TREES, strings
from tests.unit.sqlite_database import SqliteDatabase, run


def _every_statement() -> tuple[SqliteDatabase, list[Statement]]:
    """Each statement of the store once, with the parameters that it ran with."""
    database = SqliteDatabase()
    credential: Credential = given.address(database, balance=10)
    run(
        create_address(
            database,
            "new@example.com",
            blockable_name="new",
            password_hash=None,
            source=None,
            now=NOW,
        )
    )
    run(check_holds(database, credential))
    run(send_balance(database, credential, default=1, now=NOW))
    mail = given.message("you@example.org", "they@example.org", attachments=(given.file(),))
    entries = [given.entry(mail), given.entry(mail, "m2", status="queued", due_at=NOW)]
    more: dict[str, Any] = {"idempotency_key": "k", "request_digest": "d"}
    limit = RateLimit(quota=10, seconds=60)
    order = given.reservation(credential, rate_limit=limit, batch=True, **more)
    run(reserve(database, entries, order))
    run(find_earlier(database, credential, key="none", digest="d", now=NOW))
    about = Confirmation(id="m1", news="refused", attempt=1, now=NOW, frees_key=True)
    run(confirm(database, [about], queued=[("m1", mail)]))
    run(claim(database, "m1", claimant="w", now=NOW, lease_until=NOW))
    run(record_delivery_news(database, [("m1", ("delivered",))], now=NOW))
    given.reserved(database, credential, "m3", given.scheduled(NOW, "m3"))
    run(reschedule(database, credential, "m3", due_at=NOW + 1, now=NOW))
    run(cancel(database, credential, "m3", now=NOW))
    run(sweep(database, now=NOW, retention_days=1, retention_metadata_days=1))
    run(due_messages(database, now=NOW))
    given.reserved(database, credential, given.message_id(NOW))
    run(index_messages(database, now=NOW + DAY))
    run(search(database, credential, "hello you", before=None, limit=20))
    run(sendbox_page(database, credential, limit=20, offset=0))
    run(sendbox_before(database, credential, before="m9", limit=20))
    run(sendbox_rows(database, credential, ["m1", "m2"]))
    run(find_message(database, credential, "m1"))
    run(find_email(database, credential, "m1"))
    run(email_page(database, credential, limit=20))
    run(email_page(database, credential, limit=20, before="m1"))
    run(ping(database))
    return database, list({statement.sql: statement for statement in database.statements}.values())


DATABASE, STATEMENTS = _every_statement()
TABLES = set(DATABASE.dump())


# Who asks only whether there is any row stops at the first.
STOPS_AT_ONCE = "SELECT EXISTS (SELECT 1 FROM addresses)"


def steps_on(statement: Statement, word: str) -> set[str]:
    """The tables of ours of which the plan says ``word``, by the name that the statement uses."""
    aliases = re.findall(r"\b(?:FROM|JOIN) (\w+) AS (\w+)", statement.sql)
    names = TABLES | {alias for table, alias in aliases if table in TABLES}
    found = {
        match[1]
        for step in DATABASE.plan(statement)
        # Of the index of words there are questions of its own.
        if (match := re.match(rf"{word} (\w+)(?! VIRTUAL TABLE)\b", step)) is not None
    }
    return found & names


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda it: " ".join(it.sql.split())[:60])
def test_no_index_is_made_for_one_statement(statement: Statement) -> None:
    # It would be made of all rows.
    built = [step for step in DATABASE.plan(statement) if "AUTOMATIC" in step]
    assert [step for step in built if step.split()[1] in TABLES] == []


def the(words: str) -> list[Statement]:
    """The statements that hold these words."""
    found = [s for s in STATEMENTS if words in " ".join(s.sql.split())]
    assert found != []
    return found


def test_the_statements_of_the_whole_store_are_looked_at() -> None:
    written = {
        text
        for file, tree in TREES.items()
        if file.startswith("store/")
        for text in strings(tree)
        if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE)\b", text)
    }
    ran = [" ".join(statement.sql.split()) for statement in STATEMENTS]
    pieces = {" ".join(re.split(r"[{}]", text)[0].split()) for text in written}
    assert {piece for piece in pieces if not any(piece in sql for sql in ran)} == set()


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda it: " ".join(it.sql.split())[:60])
def test_rows_are_found_by_an_index(statement: Statement) -> None:
    if statement.sql != STOPS_AT_ONCE:
        assert steps_on(statement, "SCAN") == set()


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda it: " ".join(it.sql.split())[:60])
def test_rows_are_not_sorted(statement: Statement) -> None:
    # A page sorts its own rows alone, and what is about a set of messages the rows of these.
    if "AS page" not in statement.sql and "json_each(?1" not in statement.sql:
        assert [step for step in DATABASE.plan(statement) if "TEMP B-TREE" in step] == []


def test_the_newest_page_is_found_without_sorting_all_messages() -> None:
    (page,) = [statement for statement in STATEMENTS if "OFFSET" in statement.sql]
    plan = DATABASE.plan(page)
    assert any("messages_by_address" in step for step in plan)


def test_pages_by_cursor_begin_where_the_cursor_stands() -> None:
    for page in (*the("AND id < ?2 ORDER BY"), *the("AND id > ?2 ORDER BY")):
        plan = " ".join(DATABASE.plan(page))
        assert re.search(r"messages_by_address \(address_id=\? AND id[<>]\?\)", plan)


def test_expired_leases_are_found_among_the_leased_alone() -> None:
    expired = the("lease_until <= ?1")
    assert len(expired) == 3
    for statement in expired:
        assert any("messages_leased (lease_until<?)" in step for step in DATABASE.plan(statement))


def test_due_messages_are_found_among_the_waiting_alone() -> None:
    (due,) = the("SELECT id, next_attempt_at FROM messages WHERE next_attempt_at <= ?2")
    assert any("messages_due (next_attempt_at<?)" in step for step in DATABASE.plan(due))


def test_the_walk_over_old_keys_goes_by_the_primary_key_from_where_it_stopped() -> None:
    walks = the("name = 'idempotency_keys'")
    assert len(walks) == 3
    for statement in walks:
        plan = DATABASE.plan(statement)
        assert any("SEARCH messages USING PRIMARY KEY (id>? AND id<?)" in step for step in plan)
        assert all("messages_by_idempotency_key" not in step for step in plan)


def test_a_request_finds_its_key_and_its_repetition_by_their_indexes() -> None:
    for verdict in the(") AS retried,"):
        plan = " ".join(DATABASE.plan(verdict))
        assert "messages_by_idempotency_key (address_id=? AND idempotency_key=?)" in plan
        assert "messages_by_retry_of (retry_of=?)" in plan


def test_what_is_removed_is_found_from_the_oldest_on() -> None:
    (bodies,) = the("DELETE FROM bodies")
    assert any("bodies USING PRIMARY KEY (message_id<?)" in s for s in DATABASE.plan(bodies))
    (messages,) = the("DELETE FROM messages")
    assert any("messages USING PRIMARY KEY (id<?)" in s for s in DATABASE.plan(messages))


def test_the_history_of_a_message_is_found_by_its_id() -> None:
    for statement in the("WHERE message_id = ?1 AND address_id = ?2"):
        plan = " ".join(DATABASE.plan(statement))
        assert "USING PRIMARY KEY (message_id=?)" in plan
        assert re.search(r"SEARCH messages USING .*\bid=\?", plan)


def test_the_index_of_words_is_asked_for_words_or_for_one_row() -> None:
    for statement in the("FROM search"):
        questions = re.findall(r"FROM search (.*?)(?:\)|$)", " ".join(statement.sql.split()))
        assert all("MATCH" in text or text.endswith("LIMIT 1") for text in questions)


def test_a_search_begins_at_its_words_and_ends_at_its_cursor() -> None:
    (indexed,) = the("search MATCH ?1")
    plan = DATABASE.plan(indexed)
    # M: by MATCH; <: from that rowid down. The row of the cursor is found by its rowid as well.
    assert re.fullmatch(r"SCAN s VIRTUAL TABLE INDEX \d+:M\d*<", plan[0])
    assert any(re.search(r"SCAN search VIRTUAL TABLE INDEX \d+:>$", step) for step in plan)
    assert any("messages_by_address (address_id=? AND id=?)" in step for step in plan)


def test_what_the_index_lacks_is_found_by_its_ids() -> None:
    (fresh,) = the("ORDER BY m.id DESC LIMIT 200")
    plan = " ".join(DATABASE.plan(fresh))
    assert "messages_by_address (address_id=? AND id>? AND id<?)" in plan
    (upcoming,) = the("AS newest_number")
    assert "m USING PRIMARY KEY (id>? AND id<?)" in " ".join(DATABASE.plan(upcoming))


def test_a_page_before_a_cursor_begins_there() -> None:
    for page in the("AND id < ?2 ORDER BY id DESC LIMIT ?3"):
        assert any("messages_by_address (address_id=? AND id<?)" in s for s in DATABASE.plan(page))
