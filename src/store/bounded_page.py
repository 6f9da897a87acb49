"""Pages that end early when the data of their rows is too large for the Worker's memory.

The rows are bounded where they are read: the database would otherwise return all of them.
"""

from store.database import Row

# Of the columns that can be long. As JSON in a response they take at most twice as much.
MAX_PAGE_BYTES = 1024 * 1024


def bounded_page(rows: str, *, columns: tuple[str, ...], order: str) -> str:
    """SQL of the first of ``rows``: all before ``MAX_PAGE_BYTES`` is exceeded, and one more.

    ``rows`` has a limit of one row more than the page. ``page_of`` reads the result.

    :param columns: those that can be long.
    :param order: as in ``rows``.
    """
    size = " + ".join(f"coalesce(length(CAST({column} AS BLOB)), 0)" for column in columns)
    before = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    return f"""
    SELECT * FROM (
      SELECT
        *, count(*) OVER () AS found,
        coalesce(sum({size}) OVER (ORDER BY {order} {before}), 0) AS bytes_before
      FROM ({rows}) AS page
    )
    WHERE bytes_before <= {MAX_PAGE_BYTES} ORDER BY {order}
    """


def page_of(rows: list[Row], limit: int) -> tuple[list[Row], bool]:
    """The page of at most ``limit`` rows from the result, and whether more follow."""
    kept = rows[:limit]
    has_more = bool(rows) and rows[0]["found"] > len(kept)
    for row in kept:
        del row["found"], row["bytes_before"]
    return kept, has_more
