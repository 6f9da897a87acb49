"""The store's ``Database`` on the standard library's SQLite, with the real migrations.

D1 is SQLite, so the store's SQL runs here unchanged. A batch is one transaction.
"""

import functools
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from runtime.limits import MAX_VALUE_BYTES, check_batch
from store.database import DatabaseUnavailable, Row, Statement, StatementRejected

T = TypeVar("T")

# The limits of D1.
_LIMITS = {
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES,  # also applies to values within a statement
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
}

_MIGRATIONS = Path(__file__).parents[2] / "migrations"

# D1 supports the option secure-delete of FTS5. An older SQLite rejects the statement that sets it.
HAS_SECURE_DELETE = sqlite3.sqlite_version_info >= (3, 42)
_SECURE_DELETE = "INSERT INTO search (search, rank) VALUES ('secure-delete', 1);"


@functools.cache
def _empty() -> sqlite3.Connection:
    """An empty database to copy, because a copy is faster than the migrations."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for path in sorted(_MIGRATIONS.glob("*.sql")):
        connection.executescript(runnable_here(path.read_text("utf-8")))
    return connection


def runnable_here(migration: str) -> str:
    """``migration``, without the statement for secure-delete if this SQLite does not support it."""
    return migration if HAS_SECURE_DELETE else migration.replace(_SECURE_DELETE, "")


def _bound(parameter: Any) -> Any:
    """The parameter as D1 binds it: JavaScript has no integers, so each number becomes a REAL."""
    return float(parameter) if type(parameter) is int else parameter


class SqliteDatabase:
    """A new database in memory. ``statements`` has every statement that a batch has run."""

    def __init__(self) -> None:
        # `tests.client.port` uses it in another thread, while the first one waits.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys = ON")  # as in D1
        for limit, most in _LIMITS.items():
            self._connection.setlimit(limit, most)
        _empty().backup(self._connection)
        self.statements: list[Statement] = []
        self.round_trips = 0
        self.rows_written = 0

    def script(self, sql: str) -> None:
        """Run a file of statements, as ``wrangler d1 execute --file`` does."""
        self._connection.executescript(sql)

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        check_batch(statements)
        self.statements += statements
        self.round_trips += 1
        before = self.changes()
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                results = [self.query(sql, *map(_bound, given)) for sql, given in statements]
        except sqlite3.Error as error:
            raise StatementRejected(str(error)) from error
        self.rows_written += self.changes() - before
        return results

    def copy(self) -> "SqliteDatabase":
        """Another database with the same rows."""
        other = SqliteDatabase()
        self._connection.backup(other._connection)
        return other

    def query(self, sql: str, *parameters: Any) -> list[Row]:
        return [dict(row) for row in self._connection.execute(sql, parameters)]

    def value(self, sql: str, *parameters: Any) -> Any:
        """The value of the only column of the only row."""
        (row,) = self.query(sql, *parameters)
        (value,) = row.values()
        return value

    def insert(self, table: str, **columns: Any) -> None:
        places = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        self.query(sql, *columns.values())

    def dump(self) -> dict[str, list[Row]]:
        """Every row of every table, except SQLite's own table of used ids."""
        tables = self.query(
            "SELECT name FROM sqlite_schema"
            " WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
        )
        return {table["name"]: self.query(f"SELECT * FROM {table['name']}") for table in tables}

    @property
    def size(self) -> int:
        """The size of the database in bytes."""
        pages, size = self.value("PRAGMA page_count"), self.value("PRAGMA page_size")
        return int(pages * size)

    def changes(self) -> int:
        """The number of rows written so far."""
        return self._connection.total_changes

    @contextmanager
    def watched(self, step: Callable[[], object]) -> Iterator[None]:
        """Call ``step`` at each step of SQLite's virtual machine."""
        self._connection.set_progress_handler(lambda: bool(step()), 1)
        yield
        self._connection.set_progress_handler(None, 1)

    def plan(self, statement: Statement) -> list[str]:
        """The query plan: ``SEARCH`` uses an index, ``SCAN`` reads everything."""
        sql = f"EXPLAIN QUERY PLAN {statement.sql}"
        return [row["detail"] for row in self.query(sql, *statement.parameters)]


# The batches that create an address or count a failed login. A second run would change more.
_NOT_REPEATABLE = ("INSERT INTO addresses", "INSERT INTO login_failures")


class ForgetfulDatabase(SqliteDatabase):
    """Loses the first response of every batch, so that each batch runs twice.

    Batches that are not repeatable by their nature run once.
    """

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        if any(word in one.sql for one in statements for word in _NOT_REPEATABLE):
            return await super().batch(statements)
        await super().batch(statements)
        if not repeatable:
            raise DatabaseUnavailable
        return await super().batch(statements)


class DyingDatabase(SqliteDatabase):
    """Runs the next ``batches_left`` batches. Later batches raise, as if the worker had died."""

    batches_left = 10**9

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        if not self.batches_left:
            raise DatabaseUnavailable
        self.batches_left -= 1
        return await super().batch(statements)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of ``coroutine``. It never waits, so it finishes in its first step."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the coroutine waits for something")
