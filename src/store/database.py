"""What the store needs of a database: batches of statements, each batch one transaction."""

from typing import Any, NamedTuple, Protocol

Row = dict[str, Any]


class Statement(NamedTuple):
    """One SQL statement and the values bound to its ``?1``, ``?2``, ..."""

    sql: str
    parameters: tuple[object, ...] = ()


class DatabaseUnavailable(Exception):
    """The batch got no answer: it may have been carried out, or not."""


class Database(Protocol):
    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[Row]]:
        """Run ``statements`` in one transaction and one round trip; the rows of each.

        :param repeatable: running them twice changes nothing more, so a lost answer is asked
            for again.
        :raises DatabaseUnavailable: when no answer came.
        """
        ...


async def ping(database: Database) -> None:
    """:raises DatabaseUnavailable: when the database does not answer, or has no tables yet."""
    await database.batch([Statement("SELECT EXISTS (SELECT 1 FROM addresses)")])
