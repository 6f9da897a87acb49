"""Pages that end early if their rows are too large for the Worker's memory.

The SQL of the page limits the rows, so the database does not return the others.
"""

from store.database import Row

# A page ends with the row with which its long columns exceed this size. As JSON in a response, the
# columns take at most twice as many bytes.
MAX_PAGE_BYTES = 1024 * 1024


def bounded_page(rows: str, *, columns: tuple[str, ...], order: str) -> str:
    """SQL of a page: ``rows``, up to the row with which ``MAX_PAGE_BYTES`` is exceeded.

    ``page_of`` reads the result.

    :param rows: SQL of the rows. Its LIMIT is one row more than the limit of the page.
    :param columns: the columns that can be long.
    :param order: the ORDER BY of ``rows``.
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
    """The first ``limit`` of ``rows``, a result of ``bounded_page``, and whether more follow."""
    kept = rows[:limit]
    has_more = bool(rows) and rows[0]["found"] > len(kept)
    for row in kept:
        del row["found"], row["bytes_before"]
    return kept, has_more
