"""Suppressions as CSV: each line is one row, and an invalid one affects no other."""

import pytest

from clock import iso_time
from mail.suppression_csv import read_rows, write_rows
from mail.suppressions import Suppression
from tests.unit.given import NOW

A = Suppression(address="a@a.example")
END = NOW + 86_400_000


def read(text: str, first_line: int = 1) -> dict[int, Suppression | str]:
    """The rows by their line; the codes of the errors of an invalid row."""
    rows = read_rows(text, first_line=first_line, now=NOW)
    return {
        line: " ".join(error.code for error in row) if isinstance(row, tuple) else row
        for line, row in rows
    }


@pytest.mark.parametrize(
    "line",
    [
        "a@a.example",
        "A@A.example,manual,,",
        " a@a.example , MANUAL , , ",
        '"a@a.example","manual"',
        "a@a.example,",
        "a@a.example" + " " * 989,
    ],
)
def test_only_the_address_is_required(line: str) -> None:
    assert read(line) == {1: A}


def test_a_row_has_four_columns() -> None:
    end = iso_time(END)
    expected = Suppression(
        address="a@a.example", scope="one.example", reason="hard_bounce", expires_at=END
    )
    assert read(f"a@a.example,hard_bounce,One.Example,{end}") == {1: expected}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("nobody", "address_syntax"),
        (",manual", "address_syntax"),
        ("b@b.example,bounced", "invalid_reason"),
        ("b@b.example,,not a domain", "invalid_scope"),
        ("b@b.example,,,tomorrow", "expires_at_invalid"),
        ("b@b.example,,,9999-12-31T23:59:59-12:00", "expires_at_invalid"),
        ("b@b.example,,,2001-01-01T00:00:00Z", "expires_at_in_past"),
        ("b@b.example,,,,", "suppression_columns"),
        ('"b@b.example', "suppression_quotes"),
        ('"b@b.example"x', "suppression_quotes"),
        ("b@b.example\0,manual", "address_domain"),
        ("b@b.example" + " " * 989 + ",", "suppression_line_too_long"),
        ("b@b.example" + " " * 200_000 + ",", "suppression_line_too_long"),
    ],
)
def test_an_invalid_row_is_named_and_affects_no_other(line: str, code: str) -> None:
    assert read(f"a@a.example\n{line}\na@a.example") == {1: A, 2: code, 3: A}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_in_the_file(end: str) -> None:
    text = f"\ufeffAddress,reason,scope,expires_at{end}{end}a@a.example{end}x{end}"
    assert read(text) == {3: A, 4: "address_syntax"}
    assert read(f"a@a.example{end}x", first_line=9) == {9: A, 10: "address_syntax"}


@pytest.mark.parametrize("before", ["", "\n \n", "sep=,\r\n", "\ufeffSEP=,\r\n\r\n"])
@pytest.mark.parametrize("names", ["address", "Address,reason,scope,expires_at", '"address"'])
def test_the_names_of_the_columns_are_no_row(before: str, names: str) -> None:
    lines = f"{before}{names}\na@a.example"
    last = lines.count("\n") + 7
    assert read(lines, first_line=7) == {last: A}


def test_a_date_ends_a_suppression_when_the_day_begins() -> None:
    expected = Suppression(address="a@a.example", expires_at=1_798_761_600_000)
    assert read("a@a.example,,,2027-01-01") == {1: expected}
    assert read("a@a.example,,,2001-01-01") == {1: "expires_at_in_past"}


@pytest.mark.parametrize("local", ["=1+1", "+1", "-1", "'", "'=1", "''=1", "'a", "a"])
def test_what_is_exported_can_be_imported(local: str) -> None:
    address = f"{local}@a.example"
    text = write_rows([(address, "manual", "", "")])
    assert text.endswith("\r\n")
    assert text[0] not in "=+-@"
    assert read(text) == {1: Suppression(address=address)}
