"""The database interface of the store: batches of statements. A batch is one transaction."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

Row = dict[str, Any]


class Statement(NamedTuple):
    """One SQL statement and the values bound to its ``?1``, ``?2``, ..."""

    sql: str
    parameters: tuple[object, ...] = ()


class DatabaseUnavailable(Exception):
    """The batch got no response: it is unknown whether it was executed."""


class StatementRejected(Exception):
    """The database rejected a statement and rolled the batch back.

    The cause is a bug in this code, or a migration that is not applied.
    """


class Database(Protocol):
    """The database during one invocation; it counts round trips and rows written.

    ``size`` is its size in bytes after the last batch; None if it is not known.
    """

    round_trips: int
    rows_written: int

    @property
    def size(self) -> int | None: ...

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        """Run ``statements`` in one transaction and one round trip; return the rows of each.

        :param repeatable: True if a second run changes nothing more. The batch is then repeated if
            its response is lost.
        :raises DatabaseUnavailable: there was no response.
        :raises StatementRejected: the database rejected a statement.
        """
        ...


async def page(database: Database, rows: Statement, count: Statement) -> tuple[list[Row], int]:
    """Run both statements; return the rows of the page and the number of all rows.

    :param count: returns one row with the column ``count``.
    """
    found, (counted,) = await database.batch([rows, count], repeatable=True)
    return found, counted["count"]


def quoted(words: Iterable[str]) -> str:
    """``words`` as a list of SQL strings for ``IN (...)``. It escapes nothing: pass constants."""
    return ", ".join(f"'{word}'" for word in sorted(words))


async def ping(database: Database) -> None:
    """Check that the database responds.

    :raises DatabaseUnavailable: there was no response.
    :raises StatementRejected: the tables do not exist.
    """
    await database.batch([Statement("SELECT EXISTS (SELECT 1 FROM addresses)")])
