"""What a migration makes of the rows of the version before it."""

import sqlite3
import time
from pathlib import Path

from tests.unit.sqlite_database import runnable_here

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def test_messages_from_before_transports_stay() -> None:
    database = sqlite3.connect(":memory:")
    *before, newest = (
        runnable_here(path.read_text("utf-8")) for path in sorted(MIGRATIONS.glob("*.sql"))[:5]
    )
    for script in before:
        database.executescript(script)
    database.execute(
        "INSERT INTO messages (id, address_id, sender, subject, size, recipients, charge, status,"
        " accepted_at, finished_at) VALUES ('m1', 1, 'a@a.example', 'x', 1, 1, 1, 'sent', 1, 2)"
    )
    database.execute(
        "INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)"
        " VALUES ('m1', 0, 'sent', 1, 2)"
    )
    triggers = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    expected = database.execute(triggers).fetchall()
    database.executescript(newest)
    assert database.execute(triggers).fetchall() == expected
    assert database.execute("SELECT transport, ask_until FROM messages").fetchall() == [
        (None, None)
    ]
    events = "SELECT kind, transport, next_transport FROM events"
    assert database.execute(events).fetchall() == [("sent", None, None)]


def test_suppressions_without_an_end_get_one() -> None:
    database = sqlite3.connect(":memory:")
    first, second = (
        runnable_here(path.read_text("utf-8")) for path in sorted(MIGRATIONS.glob("*.sql"))[:2]
    )
    database.executescript(first)
    rows = [("a@a.example", "provider"), ("b@a.example", "manual"), ("c@a.example", "asked for it")]
    database.executemany("INSERT INTO suppressions VALUES (?, ?, 5)", rows)
    before = int(time.time()) * 1000
    database.executescript(second)
    (a, *own) = database.execute("SELECT * FROM suppressions ORDER BY address").fetchall()
    *columns, expires_at = a
    assert columns == ["a@a.example", "", "provider", None, 5]
    assert before <= expires_at - 24 * 3_600_000 <= time.time() * 1000
    assert own == [
        ("b@a.example", "", "manual", None, 5, None),
        ("c@a.example", "", "manual", "asked for it", 5, None),
    ]
