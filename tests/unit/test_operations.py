"""docs/operations.md names existing tables and log events, and its SQL works."""

import ast
import re

import pytest

from tests.unit import given
from tests.unit.given import NOW
from tests.unit.source import ROOT, TREES
from tests.unit.sqlite_database import SqliteDatabase, run
from tests.unit.steps import sweep

TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
AFTER_RESTORE = (ROOT / "tools" / "after_restore.sql").read_text("utf-8")

# Tables of D1 and SQLite, not of the service.
_OF_D1_AND_SQLITE = re.compile(r"sqlite_|d1_|_cf_|search_")
SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


@pytest.fixture
def database() -> SqliteDatabase:
    return SqliteDatabase()


def events() -> set[str]:
    """The names of all log events."""
    return {
        node.args[0].value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "log"
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def section(title: str) -> str:
    """The text from a heading to the next heading."""
    return re.split(r"^#+ ", TEXT.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_log_event_is_explained() -> None:
    table = re.findall(r"^\|([^|]*)\|", section("What to watch"), re.M)
    explained = set(re.findall(r"`(\w+)`", "".join(table)))
    assert {"request", "attempts", "WARNING"} <= events()
    assert events() - explained == set()
    assert explained - events() == set()


def test_a_copy_has_every_table_or_a_reason(database: SqliteDatabase) -> None:
    rows = database.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {row["name"] for row in rows if not _OF_D1_AND_SQLITE.match(row["name"])}
    copy = section("A copy of one's own")
    (exported,) = re.findall(r"--table ([\w\s\\]+?)\n```", copy)
    copied = set(exported.replace("\\", " ").split())
    left_out = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^- .*(?:\n  .*)*", copy, re.M))))
    assert copied & left_out == set()
    assert copied | left_out == tables


def test_waiting_messages_of_a_restored_database_become_unknown(database: SqliteDatabase) -> None:
    sender = given.address(database, balance=9)
    given.reserved(database, sender, message=given.scheduled(NOW + 1, "m1"))
    queued = given.attempt(given.message(), "m2", status="queued", due_at=NOW)
    given.reserved(database, sender, message=queued)
    database.script(AFTER_RESTORE)
    run(sweep(database, now=NOW, retention_days=30, retention_metadata_days=90))
    messages = database.query("SELECT status FROM messages")
    assert [row["status"] for row in messages] == ["unknown", "unknown"]
    assert len(database.query("SELECT 1 FROM events WHERE kind = 'unknown'")) == 2
    assert database.value("SELECT unknown FROM usage_days") == 2
    assert database.value("SELECT balance FROM send_balances") == 7  # unknown stays charged


def test_a_restored_database_does_not_reuse_ids(database: SqliteDatabase) -> None:
    before = given.address(database).address_id
    database.script(AFTER_RESTORE)
    assert given.address(database, "other@example.com").address_id > before + 999_999


def test_a_restored_database_without_addresses_does_not_reuse_ids(database: SqliteDatabase) -> None:
    database.script(AFTER_RESTORE)
    assert given.address(database).address_id > 999_999


def test_one_person_is_removed_from_the_audit_log(database: SqliteDatabase) -> None:
    schema = database.query(SCHEMA)
    bob, details = "bob@example.org", '{"from": "bob@example.org"}'
    rows = [(bob, "x", None), ("admin#1", bob, None), ("admin#1", "m1", details), ("a", "b", None)]
    for number, (actor, thing, more) in enumerate(rows):
        row = {"actor": actor, "object": thing, "details": more}
        database.insert("audit", id=str(number), occurred_at=NOW, action="x", **row)
    (script,) = re.findall(r"^```sql\n(.*?)^```$", TEXT, re.M | re.S)
    database.script(script)
    assert [row["id"] for row in database.query("SELECT id FROM audit")] == ["3"]
    assert database.query(SCHEMA) == schema
