"""What the store needs of a database: batches of statements, each batch one transaction."""

from typing import Any, NamedTuple, Protocol

Row = dict[str, Any]


class Statement(NamedTuple):
    """One SQL statement and the values bound to its ``?1``, ``?2``, ..."""

    sql: str
    parameters: tuple[object, ...] = ()


class DatabaseUnavailable(Exception):
    """The batch got no answer: it may have been carried out, or not."""


class StatementRefused(Exception):
    """The database refused a statement of the batch, so nothing of it was carried out.

    That is a fault of this code, or a migration that is not applied.
    """


class Database(Protocol):
    """A way to the database, for one request or one wake-up."""

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        """Run ``statements`` in one transaction and one round trip; the rows of each.

        :param repeatable: running them twice changes nothing more, so a lost answer is asked
            for again.
        :raises DatabaseUnavailable: when no answer came.
        :raises StatementRefused: when a statement is wrong.
        """
        ...


async def ping(database: Database) -> None:
    """Ask the database for a sign of life.

    :raises DatabaseUnavailable: when it does not answer.
    :raises StatementRefused: when it has no tables yet.
    """
    await database.batch([Statement("SELECT EXISTS (SELECT 1 FROM addresses)")])
