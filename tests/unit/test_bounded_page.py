"""A page ends with the row with which its long columns exceed a mebibyte."""

import pytest

from store.bounded_page import bounded_page, page_of
from tests.unit.sqlite_database import SqliteDatabase

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("first", "found", "has_more"),
    [(MEBIBYTE - 1, [1, 2, 3], False), (MEBIBYTE, [1, 2], True), (MEBIBYTE + 1, [1], True)],
)
def test_a_page_ends_with_the_row_that_exceeds_its_size(
    database: SqliteDatabase, first: int, found: list[int], has_more: bool
) -> None:
    """``first`` is the size of the first row. The other rows have one byte."""
    rows = f"VALUES (1, zeroblob({first - 2}), NULL, 'é'), (2, 'a', NULL, ''), (3, 'a', NULL, '')"
    sql = bounded_page(rows, columns=("column2", "column3", "column4"), order="column1")
    page = page_of(database.query(sql), 3)
    assert ([row["column1"] for row in page[0]], page[1]) == (found, has_more)
