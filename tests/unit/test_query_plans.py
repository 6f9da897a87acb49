"""Only the statements in ``READS_ALL`` may read a whole table.

The cost of any other statement does not grow with the table.
"""

import re
from typing import Any, get_args

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.sending_limits import PausePolicy, RateLimit
from mail.delivery import DeliveryStatus
from mail.suppressions import Suppression
from store.account_settings import ListEntry, read_account_settings, write_account_settings
from store.addresses import (
    SORT_KEYS,
    address_page,
    create_address,
    find_address,
    note_shown,
    require_valid,
    reset_password,
)
from store.audit import audit_page
from store.balances import balance_page, remove_balance, request_access, send_balance, set_balance
from store.database import Statement, ping
from store.domains import domain_page
from store.due import due_messages
from store.emails import email_page, find_email
from store.logins import count_failure, logged_in, stored_password, stored_password_of
from store.message_filter import MessageFilter
from store.overview import cron_step, has_newest_migration, read_facts
from store.pauses import lift_pause, pause_page
from store.record import StatusUpdate, record, reroute
from store.record.deliveries import record_delivery_events, settle
from store.removal import clear_sendbox, remove_address, remove_message
from store.reserve import find_earlier
from store.schedule import cancel, reschedule
from store.search import search
from store.search_index import index_messages
from store.sendbox import (
    every_sendbox_before,
    every_sendbox_named,
    every_sendbox_page,
    message_to_retry,
    sendbox_before,
    sendbox_named,
    sendbox_page,
    sendbox_rows,
    view_any_message,
    view_message,
)
from store.suppressions import (
    add_suppression,
    import_suppressions,
    remove_suppression,
    suppression_page,
)
from store.transports import transport_states
from store.usage import usage_of_address, usage_of_all
from store.webhook_calls import count_webhook_call
from store.webhook_claims import claim_deliveries, due_webhooks, finish_deliveries
from store.webhook_log import delivery_page, replay_delivery
from store.webhook_removal import webhook_steps
from store.webhooks import (
    create_webhook,
    disabled_webhooks,
    has_webhooks,
    remove_webhook,
    rotate_secret,
    update_webhook,
    webhook_page,
)
from tests.unit import given
from tests.unit.given import DAY, NOW
from tests.unit.source import TREES, strings
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import claim, purge_sendboxes, sweep

# Each filter of lists of messages, and some that are combined.
FILTERS = (
    MessageFilter(),
    *(MessageFilter(delivery_status=status) for status in get_args(DeliveryStatus)),
    MessageFilter(status="failed"),
    MessageFilter(recipient="you@example.org"),
    MessageFilter(domain="@example.org"),
    MessageFilter(tag="kind", tag_value="order"),
    MessageFilter(request_id="r1"),
    MessageFilter(words=("you", "hello")),
    MessageFilter(status="sent", delivery_status="bounced", recipient="you@example.org"),
)


def _list(database: SqliteDatabase, credential: Credential) -> None:
    """Run the lists of administrators, with every filter and order."""
    page: dict[str, Any] = {"limit": 20, "offset": 0}
    for key in SORT_KEYS:
        run(address_page(database, query="a", sort_by=key, descending=True, **page))
    for requested in (False, True):
        run(balance_page(database, address=None, requested=requested, **page))
    for only in FILTERS:
        for address in (None, credential.address):
            run(every_sendbox_page(database, address=address, only=only, **page))
            before: dict[str, Any] = {"before": "m9", "limit": 20, "only": only}
            run(every_sendbox_before(database, address=address, **before))
    run(every_sendbox_named(database, "m1"))
    run(pause_page(database, **page))
    run(domain_page(database, ["example.com"], now=NOW, **page))


def _administer(database: SqliteDatabase, credential: Credential) -> None:
    me = Actor("admin#1", None, is_administrator=True)
    _list(database, credential)
    run(find_address(database, str(credential.address_id)))
    run(usage_of_address(database, credential, now=NOW, default_balance=0))
    run(usage_of_all(database, now=NOW))
    run(read_facts(database, now=NOW))
    run(has_newest_migration(database))
    run(transport_states(database, now=NOW))
    run(cron_step(now=NOW).run(database))
    run(note_shown(database, credential, by=me, now=NOW))
    run(reset_password(database, credential, "$hash", by=me, now=NOW))
    run(request_access(database, given.address(database, "b@example.com"), default=0, now=NOW))
    run(set_balance(database, 1, None, balance=5, enabled=True, by=me, now=NOW))
    run(remove_balance(database, credential, by=me, now=NOW))
    entries = {"verifiedAddressList": [ListEntry("a@example.org", "A@example.org")]}
    run(write_account_settings(database, entries, {"dailyEnabled": False}, by=me, now=NOW))
    run(read_account_settings(database))
    suppressed = Suppression(address="a@example.org")
    run(add_suppression(database, suppressed, by=me, now=NOW))
    run(import_suppressions(database, [suppressed], by=me, now=NOW))
    for address in (None, "a@example.org"):
        run(suppression_page(database, address=address, after=None, now=NOW, limit=10))
    run(remove_suppression(database, "a@example.org", None, by=me, now=NOW))
    run(every_sendbox_page(database, address=credential.address, limit=20, offset=0))
    mail = given.attempt(given.message(), "m6")
    given.reserve(database, [mail], credential, administrator=me)
    run(view_any_message(database, "m6"))
    run(audit_page(database, before=None, limit=20))
    given.set_balance(database, credential, 10)
    given.reserved(database, credential, "m4", given.scheduled(NOW, "m4"))
    run(remove_message(database, "m4", owner=credential, by=me, now=NOW))
    given.reserved(database, credential, "m5", given.scheduled(NOW, "m5"))
    run(clear_sendbox(database, credential, by=me, now=NOW))
    run(purge_sendboxes(database, now=NOW))
    run(remove_address(database, credential, by=me, now=NOW))


def _webhooks(database: SqliteDatabase, credential: Credential) -> None:
    """Create webhooks, deliver their events, list and remove them."""
    me = Actor("admin#1", None, is_administrator=True)
    about: dict[str, Any] = {"by": me, "now": NOW}
    url = "https://hooks.example.com"
    for owner in (credential, None):
        row = run(create_webhook(database, owner, endpoint=url, events=["email.sent"], **about))
        these = (database, owner, row["id"])
        run(update_webhook(*these, endpoint=None, events=None, status=None, by=me, now=NOW))
        run(rotate_secret(*these, **about))
        run(count_webhook_call(database, owner, most_a_day=1, now=NOW))
        run(webhook_page(database, owner, limit=20))
        run(webhook_page(database, owner, limit=20, before="w"))
        database.insert(
            "webhook_deliveries",
            **{"webhook_id": row["id"], "id": "d1", "type": "email.sent", "facts": "{}"},
            **{"next_attempt_at": NOW, "created_at": NOW},
        )
        run(due_webhooks(database, now=NOW, limit=10))
        run(claim_deliveries(database, row["id"], claimant="c", now=NOW))
        finish: dict[str, Any] = {
            "claimant": "c",
            "next_claimant": "d",
            "result": "failed",
            "now": NOW,
        }
        outcome = {"id": "d1", "status": "failed", "started_at": NOW, "milliseconds": 1}
        run(finish_deliveries(database, row["id"], [outcome], **finish))
        run(delivery_page(*these, after=None, limit=20))
        run(replay_delivery(*these, "d1", **about))
        run(remove_webhook(*these, **about))
    run(disabled_webhooks(database, after=None, limit=20))
    run(has_webhooks(database))
    for step in webhook_steps(now=NOW):
        run(step.run(database))


def _every_statement() -> tuple[SqliteDatabase, list[Statement]]:
    """A database, and every statement of the store once, with its parameters."""
    database = SqliteDatabase()
    database.script("CREATE TABLE d1_migrations (name TEXT UNIQUE)")  # wrangler makes it
    credential: Credential = given.address(database, balance=10)
    run(
        create_address(
            database,
            "new@example.com",
            blockable_name="new",
            password_hash="$hash",
            by=Actor("anybody", "192.0.2.1"),
            now=NOW,
            most_a_day=1,
        )
    )
    run(stored_password(database, "new@example.com", source=None, now=NOW))
    run(count_failure(database, "new@example.com", source=None, now=NOW))
    new = run(logged_in(database, "new@example.com", "$hash", source=None, now=NOW))
    run(stored_password_of(database, new, source=None, now=NOW))
    given.changed_password(database, new, "$other", present="$hash")
    given.rotated(database, new)
    run(require_valid(database, credential))
    run(send_balance(database, credential, default=1, now=NOW))
    mail = given.message("you@example.org", "they@example.org", attachments=(given.file(),))
    attempts = [given.attempt(mail), given.attempt(mail, "m2", status="queued", due_at=NOW)]
    more: dict[str, Any] = {"idempotency_key": "k", "request_digest": "d"}
    limit = RateLimit(quota=10, seconds=60)
    sandbox = given.message("delivered@test.invalid")
    given.reserved(database, credential, "m0", sandbox, max_sandbox_recipients=1)
    given.reserve(database, attempts, credential, rate_limit=limit, reports="acceptance", **more)
    run(find_earlier(database, credential, key="none", digest="d", now=NOW))
    about = StatusUpdate(
        id="m1", event="rejected", attempt=1, now=NOW, reason="recipient_suppressed", undo=True
    )
    run(
        record(
            database, [about], queued=[("m1", mail)], pause_policy=PausePolicy(percent=0, last=1)
        )
    )
    rerouted = StatusUpdate(
        id="m1", event="rerouted", attempt=1, now=NOW, lease_until=NOW, next_transport="second"
    )
    run(reroute(database, [rerouted], states={"first": "a wrong key"}))
    me = Actor("admin#1", None, is_administrator=True)
    run(lift_pause(database, credential, by=me, now=NOW, most_withdrawals=0))
    run(claim(database, "m1", claimant="w", now=NOW, lease_until=NOW))
    harmful = given.event("complained", "<p1>")
    policy = PausePolicy(percent=0, last=1)
    run(record_delivery_events(database, [harmful], now=NOW, pause_policy=policy))
    run(settle(database, [harmful], [about], now=NOW))
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
    for only in FILTERS:
        run(sendbox_page(database, credential, limit=20, offset=0, only=only))
        run(sendbox_before(database, credential, before="m9", limit=20, only=only))
        run(search(database, credential, "you", before=None, limit=20, only=only))
    run(sendbox_named(database, credential, "m1"))
    run(sendbox_rows(database, credential, ["m1", "m2"]))
    run(message_to_retry(database, credential, "m1"))
    run(view_message(database, credential, "m1"))
    run(find_email(database, credential, "m1"))
    run(email_page(database, credential, limit=20))
    run(email_page(database, credential, limit=20, before="m1"))
    run(ping(database))
    _webhooks(database, credential)
    _administer(database, credential)
    return database, list({statement.sql: statement for statement in database.statements}.values())


DATABASE, STATEMENTS = _every_statement()
BY_NAME = "INDEXED BY messages_by_provider_id"
# A purge removes its row when it is finished, so the table stays small. p is its alias. A transport
# has one row, if it has ever failed.
SMALL = {"sendbox_purges", "p", "transport_states"}
TABLES = set(DATABASE.dump())


# Statements that may read a whole table or index: a text of each, and the reason.
READS_ALL = {
    "SELECT EXISTS (SELECT 1 FROM addresses)": "it stops at the first row",
    "SELECT 1 FROM webhooks LIMIT 1": "the same",
    "AS has_address": "it stops at the first row, or after a limit",
    "FROM addresses AS a WHERE instr(name, ?1)": "any part of a name may match, in any order",
    "count(*) AS count FROM addresses WHERE instr(name, ?1)": "the same",
    "FROM send_balances AS b JOIN addresses": "it stops after the page",
    "count(*) AS count FROM send_balances JOIN addresses": "one row per address; clients show it",
    "INDEXED BY send_balances_requested": "the index has only the requests",
    "FROM send_pauses CROSS JOIN addresses": "the index has only the paused addresses",
    "count(*) AS count FROM send_pauses WHERE paused": "the same",
    "FROM list_entries ORDER BY list, position": "it returns all entries",
    "hook.disabled_by IS NOT NULL LIMIT": "the index has only the disabled webhooks",
    "hook.disabled_by = 'removed' LIMIT": "the same",
    "DELETE FROM webhooks WHERE disabled_by = 'removed'": "the same",
}
# Statements that may sort more rows than they return: a text of each, and the reason.
SORTS_ALL = {
    "WITH RECURSIVE earliest": "it sorts at most as many as it shows, or one of each address",
    "FROM addresses AS a WHERE instr(name, ?1)": "any part of a name may match, in any order",
    "FROM list_entries ORDER BY list, position": "it returns all entries",
    "FROM webhook_deliveries WHERE webhook_id = ?1 AND id < ?3": "it sorts the rows of the page",
    "FROM events WHERE message_id >= ?1": "it groups the attempts of a day, and transports are few",
    "SELECT domain, min(day) AS first": "it groups the days by domain, and domains are few",
}


def tables_with_step(statement: Statement, word: str) -> set[str]:
    """The tables for which the plan has a step ``word``, by their names in the statement."""
    aliases = re.findall(r"\b(?:FROM|JOIN) (\w+) AS (\w+)", statement.sql)
    names = TABLES | {alias for table, alias in aliases if table in TABLES}
    found = {
        match[1]
        for step in DATABASE.plan(statement)
        # Separate tests check the plans of the search index.
        if (match := re.match(rf"{word} (\w+)(?! VIRTUAL TABLE)\b", step)) is not None
    }
    return found & names


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda it: " ".join(it.sql.split())[:60])
def test_no_statement_needs_an_automatic_index(statement: Statement) -> None:
    # An automatic index reads all rows.
    built = [step for step in DATABASE.plan(statement) if "AUTOMATIC" in step]
    assert [step for step in built if step.split()[1] in TABLES] == []


@pytest.mark.parametrize("words", [*READS_ALL, *SORTS_ALL])
def test_every_exempt_statement_exists(words: str) -> None:
    statements_with(words)


def is_exempt(reasons: dict[str, str], statement: Statement) -> bool:
    """Whether the statement contains one of the texts that are the keys of ``reasons``."""
    return any(words in " ".join(statement.sql.split()) for words in reasons)


def is_filtered(statement: Statement) -> bool:
    """Whether the statement has a filter of messages."""
    return (
        "AND delivery_status" in statement.sql
        or "->> 'status'" in statement.sql
        or any(
            words in statement.sql
            for words in ("EXISTS (\n      SELECT 1 FROM", "->> 'request_id'")
        )
    )


def statements_with(words: str) -> list[Statement]:
    """The statements that contain these words."""
    found = [s for s in STATEMENTS if words in " ".join(s.sql.split())]
    assert found != []
    return found


def test_every_statement_of_the_store_is_checked() -> None:
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
    if not is_exempt(READS_ALL, statement):
        assert tables_with_step(statement, "SCAN") - SMALL == set()


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda it: " ".join(it.sql.split())[:60])
def test_rows_are_not_sorted(statement: Statement) -> None:
    # Statements about a set of messages sort the rows of the set, and usage sorts the days.
    # A search with a status sorts the limited number of matches that it looks at.
    few = ("json_each(?1", "FROM json_each(?2))) AS page", "GROUP BY day", "WITH seen AS", BY_NAME)
    sorts_few = any(words in statement.sql for words in few)
    if not sorts_few and not is_exempt(SORTS_ALL, statement):
        plan = DATABASE.plan(statement)
        # A page sorts its own rows after finding them.
        steps = plan[: plan.index("SCAN page")] if "SCAN page" in plan else plan
        assert [step for step in steps if "TEMP B-TREE" in step] == []


def test_the_newest_page_is_found_without_sorting_all_messages() -> None:
    (page,) = [
        s
        for s in STATEMENTS
        if "LIMIT ?4 OFFSET ?5" in s.sql and "UNION" not in s.sql
        if not is_filtered(s)
    ]
    plan = DATABASE.plan(page)
    of_time = "messages_by_address (address_id=? AND sendbox=? AND id>? AND id<?)"
    assert any(of_time in step for step in plan)


def test_pages_by_cursor_begin_at_the_cursor() -> None:
    for page in (
        *statements_with("WHERE id = ?1) AND id < ?2 ORDER BY"),
        *statements_with("AND id < ?3 ORDER BY id DESC LIMIT ?4"),
        *statements_with("AND id > ?2 ORDER BY"),
    ):
        if is_filtered(page):
            continue
        plan = " ".join(DATABASE.plan(page))
        key = r"messages_by_address \(address_id=\? AND sendbox=\?( AND id[<>]\?)+\)"
        assert re.search(key, plan)


def test_expired_leases_are_found_among_the_leased_alone() -> None:
    (expired,) = statements_with("lease_until NOT BETWEEN ?1 + 1 AND ?2")
    assert any("messages_leased (lease_until>?)" in step for step in DATABASE.plan(expired))


def test_due_messages_are_found_among_the_waiting_alone() -> None:
    (due,) = statements_with("WITH RECURSIVE earliest")
    plan = DATABASE.plan(due)
    assert any("messages_due (next_attempt_at<?)" in step for step in plan)
    # With many due messages: find the next address, whether it has due messages, and its share.
    assert any("COVERING INDEX messages_waiting (address_id>?)" in step for step in plan)
    of_address = (
        "COVERING INDEX messages_waiting (address_id=? AND sendbox=? AND next_attempt_at<?)"
    )
    assert sum(of_address in step for step in plan) == 2


def test_the_removal_of_old_keys_continues_in_the_order_of_the_primary_key() -> None:
    walks = statements_with("name = 'idempotency_keys'")
    assert len(walks) == 3
    for statement in walks:
        plan = DATABASE.plan(statement)
        assert any("SEARCH messages USING PRIMARY KEY (id>? AND id<?)" in step for step in plan)
        assert all("messages_by_idempotency_key" not in step for step in plan)


def test_a_request_finds_its_key_and_its_retry_by_their_indexes() -> None:
    for verdict in statements_with(") AS retried,"):
        plan = " ".join(DATABASE.plan(verdict))
        assert "messages_by_idempotency_key (address_id=? AND idempotency_key=?)" in plan
        assert "messages_by_retry_of (retry_of=?)" in plan


def test_removals_find_the_oldest_rows_first() -> None:
    (bodies,) = statements_with("DELETE FROM bodies WHERE message_id IN ( SELECT DISTINCT")
    assert any("bodies USING PRIMARY KEY (message_id<?)" in s for s in DATABASE.plan(bodies))
    (deleted,) = statements_with("sendbox IS NULL AND id < ?1")
    assert any("messages_deleted (id<?)" in step for step in DATABASE.plan(deleted))
    (messages,) = statements_with(
        "DELETE FROM messages WHERE id IN ( SELECT id FROM messages WHERE id <"
    )
    assert any("messages USING PRIMARY KEY (id<?)" in s for s in DATABASE.plan(messages))


def test_the_history_of_a_message_is_found_by_its_id() -> None:
    for statement in statements_with(
        "WHERE message_id = ?1 AND address_id = coalesce(?2, address_id)"
    ):
        plan = " ".join(DATABASE.plan(statement))
        assert "USING PRIMARY KEY (message_id=?)" in plan
        assert re.search(r"SEARCH messages USING .*\bid=\?", plan)


def test_the_index_of_words_is_read_by_words_or_by_one_rowid() -> None:
    for statement in statements_with("FROM search"):
        words = " ".join(statement.sql.split()).replace("(SELECT sendbox FROM addresses", "")
        questions = re.findall(r"FROM search (.*?)(?:(?<!\?2)\)|$)", words)
        assert all("MATCH" in text or text.endswith("LIMIT 1") for text in questions)


def test_a_search_begins_at_its_words_and_ends_at_its_cursor() -> None:
    (indexed,) = [s for s in statements_with("search MATCH ?1") if "WITH seen" not in s.sql]
    plan = DATABASE.plan(indexed)
    # M: rows are found by MATCH. <: from the cursor's rowid down. The second step finds that rowid.
    assert re.fullmatch(r"SCAN search VIRTUAL TABLE INDEX \d+:M\d*<", plan[0])
    assert any(re.search(r"SCAN other VIRTUAL TABLE INDEX \d+:>$", step) for step in plan)
    assert any("messages_by_address (address_id=? AND sendbox=? AND id=?)" in step for step in plan)


def test_messages_outside_the_index_are_found_by_their_ids() -> None:
    for fresh in statements_with("ORDER BY m.id DESC LIMIT 200"):
        of_status = "AND delivery_status=? " if "<> 'delivered'" in fresh.sql else ""
        plan = " ".join(DATABASE.plan(fresh))
        assert f"(address_id=? AND sendbox=? {of_status}AND id>? AND id<?)" in plan
    (upcoming,) = statements_with("AS newest_number")
    assert "m USING PRIMARY KEY (id>? AND id<?)" in " ".join(DATABASE.plan(upcoming))


def test_a_page_before_a_cursor_begins_at_the_cursor() -> None:
    for page in (
        *statements_with("sendbox FROM addresses WHERE id = ?1) AND id < ?2 ORDER BY id DESC"),
        *statements_with("id < ?3 AND delivery_status"),
    ):
        of_status = r"AND delivery_status=\? " if "<> 'delivered'" in page.sql else ""
        key = rf"\(address_id=\? AND sendbox=\? {of_status}(AND id>\? )?AND id<\?\)"
        assert re.search(key, " ".join(DATABASE.plan(page)))


def test_waiting_and_leased_messages_are_found_by_partial_indexes() -> None:
    (waiting,) = statements_with("next_attempt_at IS NOT NULL AND NOT coalesce")
    assert any("messages_waiting (address_id=?)" in step for step in DATABASE.plan(waiting))
    (in_flight,) = statements_with("SET sendbox = sendbox + 1 WHERE lease_until")
    assert any("messages_leased (lease_until>?)" in step for step in DATABASE.plan(in_flight))


def test_a_cleared_sendbox_is_emptied_by_its_own_messages_alone() -> None:
    cancelled, finished, removed = (
        DATABASE.plan(one) for one in statements_with("FROM sendbox_purges")
    )
    waiting = "SEARCH messages USING COVERING INDEX messages_waiting (address_id=? AND sendbox<?)"
    assert cancelled.count(waiting) == 2
    assert removed.count(waiting) == 1
    for plan in (finished, removed):
        assert any("messages_by_address (address_id=? AND sendbox<?)" in step for step in plan)


def test_messages_of_an_address_and_of_administrators_are_merged_without_sorting() -> None:
    (page,) = statements_with(
        "UNION ALL SELECT m.id FROM messages AS m WHERE address_id = 0 AND sendbox = 0 AND lower("
        "sender) = ?3 AND id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT ?4 OFFSET"
    )
    plan = DATABASE.plan(page)
    assert [step for step in plan if "MERGE (UNION ALL)" in step] != []
    assert sum("messages_by_address" in step for step in plan) == 2


def test_delivery_events_find_their_message_by_its_id_at_the_provider() -> None:
    for statement in statements_with("CROSS JOIN messages AS m ON m.provider_message_id IN"):
        plan = DATABASE.plan(statement)
        by_id = re.compile(r"SEARCH m USING (?:COVERING )?INDEX messages_by_provider_id \(")
        assert any(map(by_id.match, plan)), plan


def test_unmatched_events_find_their_candidates_by_partial_indexes() -> None:
    (unmatched,) = statements_with("WITH unmatched AS")
    plan = DATABASE.plan(unmatched)
    unknown = "messages_unknown (address_id=? AND finished_at>?)"
    assert any(unknown in step for step in plan), plan
    assert any("messages_leased (lease_until>?)" in step for step in plan), plan


@pytest.mark.parametrize("kind", ["delayed", "bounced", "failed", "rejected", "complained"])
def test_messages_with_a_delivery_problem_are_found_by_it(kind: str) -> None:
    filtered = statements_with(f"delivery_status = '{kind}'")
    plans = [" ".join(DATABASE.plan(statement)) for statement in filtered]
    own = "messages_undelivered (address_id=? AND sendbox=? AND delivery_status=?"
    of_all = "messages_undelivered_of_all (delivery_status=? AND id>? AND id<?)"
    # Pages by offset and by cursor, and the counts. A search finds messages by their ids.
    lists = [plan for plan in plans if "SCAN seen" not in plan]
    assert all(own in plan or of_all in plan for plan in lists)
    assert sum(of_all in plan for plan in plans) >= 3
    lists = [plan.partition("SCAN page")[0] for plan in plans if "VIRTUAL TABLE" not in plan]
    assert all("TEMP B-TREE" not in plan for plan in lists)


@pytest.mark.parametrize("condition", ["IS NULL", "= 'delivered'"])
def test_a_page_of_a_status_without_index_looks_at_a_limited_number_of_messages(
    condition: str,
) -> None:
    filtered = statements_with(f"delivery_status {condition} AND")
    lists = [s for s in filtered if "MATCH" not in s.sql and "LIMIT 200" not in s.sql]
    for statement in lists:
        plan = DATABASE.plan(statement)
        steps = [step for step in plan if re.match(r"SEARCH (m|messages) ", step)]
        assert any(re.search(r"\bid>\?", step) for step in steps), plan
    assert len(lists) >= 5


def test_a_search_with_a_status_begins_at_its_words_and_finds_messages_by_id() -> None:
    for statement in statements_with("WITH seen AS"):
        plan = DATABASE.plan(statement)
        assert any(re.fullmatch(r"SCAN search VIRTUAL TABLE INDEX \d+:M\d*<", s) for s in plan)
        assert any(re.match(r"SEARCH m USING .*\bid=\?\)", step) for step in plan), plan


def test_suppressions_are_found_by_recipient_and_scope() -> None:
    for verdict in statements_with(") AS retried,"):
        plan = " ".join(DATABASE.plan(verdict))
        found = "SEARCH suppressions USING PRIMARY KEY (address=? AND scope=?)"
        assert plan.count(found) == 2, plan


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("(address, scope) > (?1, ?2)", "(address,scope)>(?,?)"),
        ("address = ?1 AND (?2", "address=?"),
    ],
)
def test_pages_of_suppressions_begin_at_their_cursor(words: str, key: str) -> None:
    (page,) = statements_with(words)
    assert DATABASE.plan(page) == [f"SEARCH suppressions USING PRIMARY KEY ({key})"]


def test_ended_suppressions_are_found_by_their_end() -> None:
    (ended,) = statements_with("DELETE FROM suppressions WHERE (address, scope) IN")
    plan = DATABASE.plan(ended)
    assert any("suppressions_by_end (expires_at<?)" in step for step in plan), plan


@pytest.mark.parametrize(
    "condition",
    [
        *("->> 'status'", "->> 'recipient'", "->> 'domain'", "->> 'tag'", "->> 'request_id'"),
        "'$.words'",
    ],
)
def test_a_page_of_a_filter_without_index_looks_at_a_limited_number_of_messages(
    condition: str,
) -> None:
    lists = [s for s in statements_with(condition) if re.search(r"FROM messages\b", s.sql)]
    lists = [s for s in lists if "MATCH" not in s.sql]
    lists = [s for s in lists if "LIMIT 200" not in s.sql and "WITH " not in s.sql]
    for statement in lists:
        assert "OFFSET 2499" in statement.sql
        plan = " ".join(DATABASE.plan(statement))
        assert re.search(r"SEARCH m(essages)? USING [^()]+\([^()]*id>\? AND id<\?\)", plan), plan
        assert "SCAN m" not in plan
    assert len(lists) >= 9  # pages by offset and cursor, and counts: own, of all, from an address


def test_a_known_id_is_found_by_an_index() -> None:
    for named in statements_with(BY_NAME):
        plan = " ".join(DATABASE.plan(named))
        assert "messages_by_provider_id (provider_message_id=?)" in plan
        assert re.search(r"SEARCH m USING [^()]*\([^()]*id=\?\)", plan), plan
