"""The bodies of one message in a view are whole, or cut to their beginnings."""

import msgspec
import pytest
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st

from accounts.credentials import Credential
from store.database import Row, Statement
from store.message_content import MAX_PART_BYTES, body_of
from store.shown_bodies import SHOWN_BODIES, is_truncated
from tests.unit import given
from tests.unit.sqlite_database import SqliteDatabase, run

# The limits in docs/api.md.
MAX_BYTES = 1024 * 1024
CUT_CHARACTERS = 100_000

ROUNDING = 6 * 4 * 8  # bytes for the quotes of each piece of each part


def stored(database: SqliteDatabase, me: Credential, **bodies: str) -> list[Row]:
    database.query("DELETE FROM messages")
    given.reserved(database, me, "m1", given.message(**bodies))
    return shown(database, me.address_id)


def shown(database: SqliteDatabase, address_id: int | None, id: str = "m1") -> list[Row]:
    (rows,) = run(database.batch([Statement(SHOWN_BODIES, (id, address_id))], repeatable=True))
    return rows


def size(text: str) -> int:
    """The bytes of a text as JSON within JSON."""
    return len(msgspec.json.encode(msgspec.json.encode(text).decode()))


def until(bytes: int, piece: str) -> str:
    """``piece``, repeated as often as ``bytes`` allow for it as JSON within JSON."""
    each = (size(piece * 1000) - size("")) // 1000
    return piece * (bytes // each)


@pytest.mark.parametrize(
    "piece", ["a", "é", "😀", '"', "\\", "\n", "\x01", "\x7f", "\0", "'a</\u2028"]
)
def test_bodies_are_whole_until_their_bytes_in_the_response_exceed_the_limit(
    database: SqliteDatabase, me: Credential, piece: str
) -> None:
    whole = until(MAX_BYTES - ROUNDING, piece)
    rows = stored(database, me, text=whole)
    assert (body_of(rows, "text"), is_truncated(rows)) == (whole, False)
    assert is_truncated(stored(database, me, text=until(MAX_BYTES, piece) + 10 * piece))


@pytest.mark.parametrize("before", [0, 1])
def test_every_byte_of_a_part_is_measured(
    database: SqliteDatabase, me: Credential, before: int
) -> None:
    """What grows is at the end of the part, or at its beginning."""
    grows, stays = '"' * (MAX_PART_BYTES // 5), "a" * (MAX_PART_BYTES - MAX_PART_BYTES // 5)
    assert size(grows + stays) > MAX_BYTES
    assert is_truncated(stored(database, me, text=stays + grows if before else grows + stays))


@pytest.mark.parametrize("piece", ["a", '"', "\x01"])
def test_the_text_and_the_html_count_together(
    database: SqliteDatabase, me: Credential, piece: str
) -> None:
    half = until(MAX_BYTES // 2 - ROUNDING, piece)
    rows = stored(database, me, text=half, html=half)
    assert (body_of(rows, "text"), body_of(rows, "html")) == (half, half)
    more = half + 2 * ROUNDING * piece
    rows = stored(database, me, text=half, html=more)
    assert is_truncated(rows)
    assert body_of(rows, "text") == half[:CUT_CHARACTERS]
    assert body_of(rows, "html") == more[:CUT_CHARACTERS]


@pytest.mark.parametrize("piece", ["😀", '"é', "\x01a"])
def test_only_the_beginnings_of_other_bodies_are_read(
    database: SqliteDatabase, me: Credential, piece: str
) -> None:
    text = piece * (3_800_000 // len(piece.encode()))
    rows = stored(database, me, text=text, html="<p>")
    assert rows == [
        {"kind": "html", "truncated": 1, "content": "<p>"},
        {"kind": "text", "truncated": 1, "content": text[:CUT_CHARACTERS]},
    ]


def test_a_piece_with_a_nul_counts_at_its_most(database: SqliteDatabase, me: Credential) -> None:
    few = "a" * 140_000 + "\0"
    assert not is_truncated(stored(database, me, text=few))
    rows = stored(database, me, text="\0" + "a" * (MAX_PART_BYTES - 1))
    assert is_truncated(rows)


def test_the_quotes_of_each_piece_count(database: SqliteDatabase, me: Credential) -> None:
    whole = "a" * (MAX_BYTES - 6 * 4 * 2)  # two parts of four pieces
    assert not is_truncated(stored(database, me, text=whole))
    assert is_truncated(stored(database, me, text=whole + "a"))


def test_a_whole_part_is_measured(database: SqliteDatabase, me: Credential) -> None:
    controls = "\x01" * (MAX_PART_BYTES // 5)
    text = "a" * (MAX_PART_BYTES - len(controls)) + controls
    assert is_truncated(stored(database, me, text=text))
    # As JSON within JSON, a larger piece would not fit into a value of D1.
    assert is_truncated(stored(database, me, text="\x01" * MAX_PART_BYTES))


@settings(max_examples=30, deadline=None)
@given_any(
    piece=st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text),
    length=st.integers(0, 1_900_000),
)
def test_any_body_is_whole_or_marked(piece: str, length: int) -> None:
    database = SqliteDatabase()
    me = given.address(database, balance=10)
    text = piece * (length // len(piece.encode()) + 1)
    rows = stored(database, me, text=text)
    if size(text) > MAX_BYTES:
        assert is_truncated(rows)
    if size(text) <= MAX_BYTES - ROUNDING:
        assert not is_truncated(rows)
    content = body_of(rows, "text")
    assert content == (text[:CUT_CHARACTERS] if is_truncated(rows) else text)


def test_bodies_of_others_are_shown_only_to_administrators(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    rows = stored(database, me, text="Hi")
    given.reserved(database, other, "m3", given.message(sender=other.address))
    assert shown(database, me.address_id) == rows
    assert shown(database, other.address_id) == []
    assert shown(database, None) == rows
    assert shown(database, None, "m2") == []
