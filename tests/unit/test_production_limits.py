"""Limits of production that local tools do not enforce: the Worker checks them itself."""

import pytest

from runtime.limits import (
    MAX_PARAMETERS,
    MAX_PBKDF2_ITERATIONS,
    MAX_SQL_BYTES,
    MAX_VALUE_BYTES,
    ProductionLimitError,
    check_batch,
    check_pbkdf2,
)

SQL = "SELECT ?1"


def check_statement(sql: str, parameters: tuple[object, ...]) -> None:
    check_batch([(sql, parameters)])


def rejected(sql: str, parameters: tuple[object, ...] = ()) -> str:
    with pytest.raises(ProductionLimitError) as caught:
        check_statement(sql, parameters)
    return str(caught.value)


def test_the_limits_are_those_of_d1_and_workers() -> None:
    assert (MAX_VALUE_BYTES, MAX_PARAMETERS, MAX_SQL_BYTES) == (2_000_000, 100, 100_000)
    assert MAX_PBKDF2_ITERATIONS == 100_000


@pytest.mark.parametrize("character", ["a", "é", "名", "😀"])
def test_a_value_has_at_most_2000000_bytes(character: str) -> None:
    size = len(character.encode())
    full = character * (2_000_000 // size) + "a" * (2_000_000 % size)
    check_statement(SQL, (full,))
    assert rejected(SQL, (full + "a",)) == "a value is larger than 2000000 bytes"


def test_every_value_is_measured() -> None:
    long = "a" * 2_000_001
    assert "value" in rejected(SQL, (1, None, "a", long))
    assert "value" in rejected(SQL, (long, 1, None))


def test_numbers_and_nothing_are_values() -> None:
    check_statement(SQL, (1, 1.5, None, ""))


def test_a_statement_binds_at_most_100_parameters() -> None:
    check_statement(SQL, (1,) * 100)
    assert rejected(SQL, (1,) * 101) == "a statement binds more than 100 parameters"


def test_a_statement_has_at_most_100000_bytes() -> None:
    check_statement("é" * 50_000, ())
    check_statement(SQL.ljust(100_000), ())
    assert rejected(SQL.ljust(100_001)) == "a statement is longer than 100000 bytes"
    assert "longer" in rejected("é" * 50_001)


@pytest.mark.parametrize(
    "sql", ["SELECT 1 WHERE a LIKE ?1", "SELECT 1 WHERE a like ?1", "SELECT 1 WHERE a GLOB '*'"]
)
def test_like_and_glob_are_rejected(sql: str) -> None:
    assert "LIKE or GLOB" in rejected(sql)


def test_words_that_contain_like_are_accepted() -> None:
    check_statement("SELECT likely, globe, dislike FROM likes", ())


def test_pbkdf2_has_at_most_100000_iterations() -> None:
    check_pbkdf2(100_000)
    with pytest.raises(ProductionLimitError, match="more than 100000 iterations"):
        check_pbkdf2(100_001)
