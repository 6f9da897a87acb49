"""Search: messages before and after they enter the index, and their removal from the index."""

import contextlib
import time
from dataclasses import replace
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from accounts.credentials import Credential
from errors import Unauthorized
from mail.addresses import parse_address
from mail.message import Message, Recipient
from store.database import DatabaseUnavailable, Statement
from store.message_content import MAX_PART_BYTES
from store.search import search
from store.search_index import (
    MAX_TEXT,
    SETTLED_MILLISECONDS,
    STEP_MESSAGES,
    index_messages,
    index_step,
    text_of,
)
from store.sendbox import sendbox_before, sendbox_rows
from store.tokenizer import tokens_of
from tests.unit import given
from tests.unit.given import DAY, NOW, message_id
from tests.unit.sqlite_database import (
    DyingDatabase,
    ForgetfulDatabase,
    SqliteDatabase,
    run,
)
from tests.unit.steps import sweep

MAX_FRESH = 200  # docs/api.md
LATER = NOW + SETTLED_MILLISECONDS + 10**6  # all messages of a test are old enough for the index


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    return given.address(database, balance=100_000)


def keep(
    database: SqliteDatabase,
    me: Credential,
    number: int = 0,
    message: Message | None = None,
    **fields: Any,
) -> str:
    """Store a message of ``number`` milliseconds after NOW; return its id."""
    id = message_id(NOW + number, number)
    mail = message or given.message(sender=me.address, **fields)
    given.reserved(database, me, id, mail)
    return id


def found(
    database: SqliteDatabase,
    me: Credential,
    query: str,
    *,
    before: str | None = None,
    limit: int = 100,
) -> list[str]:
    return run(search(database, me, query, before=before, limit=limit))[0]


def index(database: SqliteDatabase, now: int = LATER) -> int:
    return run(index_messages(database, now=now))


def indexed(database: SqliteDatabase) -> list[str]:
    rows = database.query("SELECT message_id FROM search ORDER BY rowid")
    return [row["message_id"] for row in rows]


@pytest.fixture(params=["fresh", "indexed"])
def settle(request: pytest.FixtureRequest, database: SqliteDatabase) -> Any:
    """A function to call before a search: it indexes the messages, or does nothing.

    The search must find the same messages in both cases.
    """
    return (lambda: index(database)) if request.param == "indexed" else (lambda: 0)


# Matches


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("quarterly", True),
        ("QUARTERLY figures", True),
        ("quart", True),
        ("uarterly", False),
        ("figures.", True),
        ("subject", False),
        ("anna", True),
        ("anna@one.example", True),
        ("Anna@ONE.example", True),
        ("bernd.copy", True),
        ("carla two.example", True),
        ("Ångström", True),
        ("angstrom", True),
        ("tomorrow", True),
        ("anna tomorrow figu", True),
        ("anna tomorr figures", False),
        ("anna yesterday", False),
        ("发票", True),
        ("号码", True),
        ("票", True),
        ("发号", False),
        ("<p>", False),
        ("sender", False),
    ],
)
def test_words_are_found_in_every_field(
    database: SqliteDatabase, me: Credential, settle: Any, query: str, finds: bool
) -> None:
    mail = Message(
        sender=parse_address(me.address),
        sender_name="Sender",
        recipients=(
            Recipient("to", parse_address("Anna@one.example"), "Ångström"),
            Recipient("cc", parse_address("bernd.copy@one.example")),
            Recipient("bcc", parse_address("carla@two.example"), "Carla"),
        ),
        subject="Quarterly figures",
        text="See you tomorrow. 发票号码",
        size=2000,
    )
    id = keep(database, me, 0, mail)
    settle()
    assert found(database, me, query) == ([id] if finds else [])


def test_the_text_of_html_is_found_and_its_tags_are_not(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    html = '<style>.red{}</style><p class="note">Hello <b>there</b> &eacute;t&eacute;</p>'
    id = keep(database, me, html=html)
    settle()
    for query in ("hello", "there", "ete"):
        assert found(database, me, query) == [id]
    for query in ("red", "note", "class", "eacute"):
        assert found(database, me, query) == []


def test_html_is_not_searched_beside_a_text(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    id = keep(database, me, text="plain", html="<p>marked up</p>")
    settle()
    assert found(database, me, "plain") == [id]
    assert found(database, me, "marked") == []


def test_html_is_found_although_other_messages_have_a_text(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    keep(database, other, 0, text="plain")
    id = keep(database, me, 1, html="<p>marked up</p>")
    settle()
    assert found(database, me, "marked") == [id]


def test_a_message_with_a_text_in_several_parts_is_found_once(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    id = keep(database, me, text="begin".ljust(MAX_PART_BYTES + 1))
    settle()
    assert found(database, me, "begin") == [id]
    index(database)
    assert indexed(database) == [id]


def test_the_beginning_of_a_long_text_is_searched(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    longest = keep(database, me, text="begin".ljust(4093) + "end")
    longer = keep(database, me, 1, text="begin".ljust(4094) + "end")
    settle()
    assert found(database, me, "begin") == [longer, longest]
    assert found(database, me, "end") == [longest]


def test_the_beginning_of_a_long_html_is_searched(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    begin, end = "begin<!--", "-->end"
    longest = keep(database, me, html=begin.ljust(16_384 - len(end), "x") + end)
    longer = keep(database, me, 1, html=begin.ljust(16_385 - len(end), "x") + end)
    settle()
    assert found(database, me, "begin") == [longer, longest]
    assert found(database, me, "end") == [longest]


@pytest.mark.parametrize(
    "query",
    [
        "!!!",
        '"',
        "'",
        '""" OR 1 --',
        "a* OR b*",
        "NEAR(a b)",
        "head:hello",
        "{head text}: hello",
        "^hello",
        "-hello",
        "hello AND",
        "(((((",
        "1_hello",
        "_",
        "search",
        "\x00",
        "hello\x00",
        "\ufffd",
        "😀",
        "\u0301\u0301",
        "%_\\",
        "]" * 200,
        "a " * 100,
        "ab, " * 50,
        "".join(chr(0x4E00 + number) for number in range(200)),
        " ".join(f"w{number}" for number in range(66)),
    ],
)
def test_a_query_is_only_its_words(
    database: SqliteDatabase, me: Credential, settle: Any, query: str
) -> None:
    keep(database, me, subject="Another", text="text")
    settle()
    assert found(database, me, query) == []


@hypothesis.given(query=st.text(max_size=200), text=st.text(min_size=1, max_size=200))
def test_index_and_messages_agree(query: str, text: str) -> None:
    """Every query finds a message before and after it enters the index, or in neither case."""
    database = SqliteDatabase()
    me = given.address(database, balance=10)
    keep(database, me, text=f"{text} {query[: len(query) // 2]}")
    before = found(database, me, query)
    index(database)
    assert found(database, me, query) == before


def test_only_messages_of_the_address_are_found(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    mine, theirs = keep(database, me, 0), keep(database, other, 1)
    settle()
    assert found(database, me, "hello") == [mine]
    assert found(database, other, "hello") == [theirs]
    # Neither an id nor a word as the index stores it finds messages of others.
    for query in (theirs, f"{other.address_id}_hello", str(other.address_id)):
        assert found(database, me, query) == []


def test_messages_of_other_sendboxes_are_not_found(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    keep(database, me, 0)
    settle()
    assert len(found(database, me, "hello")) == 1
    database.query("UPDATE addresses SET sendbox = 1")
    assert found(database, me, "hello") == []
    mine = keep(database, me, 1)
    settle()
    assert found(database, me, "hello") == [mine]


def test_each_address_has_its_own_sendbox(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    mine, theirs = keep(database, me, 0), keep(database, other, 1)
    database.query("UPDATE addresses SET sendbox = 1 WHERE id = ?", me.address_id)
    settle()
    assert found(database, me, "hello") == []
    assert found(database, other, "hello") == [theirs]
    database.query("UPDATE addresses SET sendbox = 1 - sendbox")
    assert found(database, me, "hello") == [mine]
    assert found(database, other, "hello") == []


def test_a_prefix_search_stays_within_the_address(
    database: SqliteDatabase,
) -> None:
    first = given.address(database, "a1@example.com", balance=10)
    for number in range(2, 13):
        last = given.address(database, f"a{number}@example.com", balance=10)
    assert (first.address_id, last.address_id) == (1, 12)
    keep(database, last)
    index(database)
    assert found(database, first, "2") == []
    assert found(database, first, "hello") == []


def test_an_invalid_credential_finds_nothing(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me)
    for query in ("hello", "!!!"):
        with pytest.raises(Unauthorized, match="invalid_credential"):
            found(database, replace(me, version=1), query)


# Order and pages


def test_the_newest_are_found_first(database: SqliteDatabase, me: Credential) -> None:
    ids = [keep(database, me, number) for number in range(7)]
    index(database, NOW + 4 + SETTLED_MILLISECONDS)
    assert indexed(database) == ids[:4]
    assert found(database, me, "hello") == ids[::-1]
    assert found(database, me, "hello", limit=5) == ids[:1:-1]
    assert found(database, me, "hello", before=ids[5], limit=3) == ids[4:1:-1]
    assert found(database, me, "hello", before=ids[2]) == ids[1::-1]
    assert found(database, me, "hello", before=ids[0]) == []


def test_a_page_may_begin_after_a_removed_message(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    ids = [keep(database, me, number) for number in range(3)]
    settle()
    database.query("DELETE FROM messages WHERE id = ?", ids[1])
    assert found(database, me, "hello", before=ids[1]) == [ids[0]]
    assert [row["id"] for row in rows_before(database, me, ids[1])] == [ids[0]]


def rows_before(
    database: SqliteDatabase, me: Credential, before: str | None, limit: int = 100
) -> list[dict[str, Any]]:
    return run(sendbox_before(database, me, before=before, limit=limit))[0]


_MEANWHILE = st.sampled_from(["send", "send to another", "index"])


@hypothesis.given(
    already=st.integers(0, 8),
    limit=st.integers(1, 4),
    meanwhile=st.lists(st.lists(_MEANWHILE, max_size=3), max_size=8),
)
@pytest.mark.parametrize("way", ["search", "list"])
def test_pages_show_every_message_once_and_in_order(
    way: str, already: int, limit: int, meanwhile: list[list[str]]
) -> None:
    """This holds for any number of new or newly indexed messages between two pages."""
    database = SqliteDatabase()
    me = given.address(database, balance=1000)
    other = given.address(database, "other@example.com", balance=1000)
    numbers = iter(range(10**6))
    expected = [keep(database, me, next(numbers)) for _ in range(already)][::-1]
    shown: list[str] = []
    while True:
        before = shown[-1] if shown else None
        if way == "search":
            page = found(database, me, "hello", before=before, limit=limit)
        else:
            page = [row["id"] for row in rows_before(database, me, before, limit)]
        shown += page
        if len(page) < limit:
            break
        for step in meanwhile.pop() if meanwhile else []:
            if step == "index":
                index(database, NOW + next(numbers) + SETTLED_MILLISECONDS)
            else:
                keep(database, me if step == "send" else other, next(numbers))
    assert shown == expected


def test_only_messages_of_the_address_are_read_by_id(
    database: SqliteDatabase, me: Credential
) -> None:
    other = given.address(database, "other@example.com", balance=10)
    ids = [keep(database, me, number) for number in range(3)]
    theirs = keep(database, other, 3)
    rows = run(sendbox_rows(database, me, [ids[0], theirs, "none", ids[2]]))
    assert [row["id"] for row in rows] == [ids[2], ids[0]]


# Entering the index


def test_a_message_enters_the_index_after_a_delay(database: SqliteDatabase, me: Credential) -> None:
    id = keep(database, me)
    assert index(database, NOW + SETTLED_MILLISECONDS) == 0
    assert indexed(database) == []
    assert index(database, NOW + SETTLED_MILLISECONDS + 1) == 1
    assert indexed(database) == [id]
    assert index(database) == 0


def test_messages_of_the_same_time_keep_their_order(
    database: SqliteDatabase, me: Credential
) -> None:
    ids = [message_id(NOW, number) for number in range(40)]
    for id in ids:
        given.reserved(database, me, id)
        index(database)
    assert indexed(database) == ids
    assert found(database, me, "hello") == ids[::-1]
    for place, id in enumerate(ids):
        assert found(database, me, "hello", before=id) == ids[:place][::-1]


def put(database: SqliteDatabase, count: int, **body: str) -> list[str]:
    """Insert ``count`` messages of the address 1 without reserve, which is slower."""
    ids = [message_id(NOW + number, number) for number in range(count)]
    columns = ("subject", "size", "recipients", "charge", "status", "attempt", "accepted_at")
    for id in ids:
        values = zip(columns, ("Hello", 2000, 1, 1, "sent", 1, NOW), strict=True)
        database.insert(
            "messages", id=id, address_id=1, sender=given.ME, finished_at=NOW, **dict(values)
        )
        database.insert("deliveries", message_id=id, position=0, kind="to", address=given.YOU)
        for kind, content in (body or {"text": "Hello"}).items():
            database.insert("bodies", message_id=id, kind=kind, part=0, content=content)
    return ids


def test_a_step_is_bounded(database: SqliteDatabase, me: Credential) -> None:
    ids = put(database, STEP_MESSAGES + 5)
    assert index(database) == STEP_MESSAGES
    assert indexed(database) == ids[:STEP_MESSAGES]
    assert index(database) == 5
    assert indexed(database) == ids


async def test_the_step_of_the_cron_is_repeated_until_it_finds_nothing() -> None:
    database = SqliteDatabase()
    given.address(database)
    put(database, 1)
    step = index_step(now=LATER)
    assert await step.run(database) == step.full
    assert len(database.statements) == step.statements
    assert await step.run(database) < step.full


def test_a_step_with_large_messages_fits_into_a_value(
    database: SqliteDatabase, me: Credential
) -> None:
    """The database of the tests raises if a value exceeds the limit of D1."""
    text = "".join(chr(0x4E00 + number) for number in range(MAX_TEXT))
    ids = put(database, 250, text=text)
    counts = []
    while count := index(database):
        counts.append(count)
    assert sum(counts) == 250
    assert len(counts) > 1
    assert indexed(database) == ids


@pytest.mark.parametrize("batches", range(9))
def test_indexing_may_be_interrupted_anywhere(batches: int) -> None:
    database = DyingDatabase()
    me = given.address(database, balance=10)
    ids = put(database, STEP_MESSAGES + 20)
    database.batches_left = batches
    with contextlib.suppress(DatabaseUnavailable):
        index(database)
        index(database)
        index(database)
    database.batches_left = 10**9
    while index(database):
        pass
    assert indexed(database) == ids
    assert found(database, me, "hello", limit=10**6) == ids[::-1]


class Overtaken(SqliteDatabase):
    """Runs ``between`` once, after a step has read and before it writes."""

    between: Any = None

    async def batch(
        self, statements: list[Statement], *, repeatable: bool = False
    ) -> list[list[dict[str, Any]]]:
        if self.between and "INSERT INTO search" in statements[0].sql:
            between, self.between = self.between, None
            between()
        return await super().batch(statements)


def test_two_steps_at_once_write_each_message_once() -> None:
    database = Overtaken()
    given.address(database, balance=10)
    ids = put(database, 20)
    database.between = lambda: index(database, NOW + 10 + SETTLED_MILLISECONDS)
    index(database)
    assert indexed(database) == ids


def test_a_message_removed_during_a_step_is_not_indexed() -> None:
    database = Overtaken()
    me = given.address(database, balance=10)
    ids = put(database, 3, text="Secret")
    index(database, NOW)

    def remove() -> None:
        database.query("DELETE FROM messages WHERE id = ?", ids[0])
        database.query("DELETE FROM bodies WHERE message_id = ?", ids[1])

    database.between = remove
    index(database)
    assert indexed(database) == ids[1:]
    assert found(database, me, "secret") == [ids[2]]
    assert found(database, me, "hello") == ids[:0:-1]


def test_a_message_outside_the_index_is_searched(database: SqliteDatabase, me: Credential) -> None:
    ids = put(database, MAX_FRESH + 5)
    assert found(database, me, "hello", limit=1000) == ids[: -MAX_FRESH - 1 : -1]
    index(database)
    assert found(database, me, "hello", limit=1000) == ids[::-1]


# Leaving the index


def test_a_removed_text_is_not_found(database: SqliteDatabase, me: Credential, settle: Any) -> None:
    id = keep(database, me, subject="Figures", text="Secret", html="<p>Secret")
    settle()
    database.query("DELETE FROM bodies")
    assert found(database, me, "secret") == []
    assert found(database, me, "figures") == [id]
    assert found(database, me, given.YOU) == [id]
    index(database)
    assert found(database, me, "secret") == []
    assert found(database, me, "figures") == [id]
    assert database.value("SELECT count(text) FROM search WHERE text <> ''") == 0


def test_a_removed_message_leaves_nothing_in_the_index(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    ids = [keep(database, me, number) for number in range(3)]
    settle()
    database.query("DELETE FROM messages WHERE id = ?", ids[1])
    assert found(database, me, "hello") == [ids[2], ids[0]]
    index(database)
    assert indexed(database) == [ids[0], ids[2]]
    database.query("DELETE FROM messages")
    assert found(database, me, "hello") == indexed(database) == []


def test_a_deleted_message_leaves_nothing_in_the_index(
    database: SqliteDatabase, me: Credential, settle: Any
) -> None:
    ids = [keep(database, me, number) for number in range(3)]
    settle()
    database.query("UPDATE messages SET sendbox = NULL WHERE id IN (?, ?)", *ids[1:])
    keep(database, me, 3)
    index(database)
    assert set(indexed(database)).isdisjoint(ids[1:])
    newest = keep(database, me, 4)
    database.query("UPDATE messages SET sendbox = NULL WHERE id = ?", newest)
    assert index(database) == 0  # so the step is not repeated
    assert database.value("SELECT count(*) FROM search WHERE search MATCH ?", f'"{ids[2]}"') == 0


def test_a_message_that_is_deleted_during_indexing_is_not_indexed() -> None:
    database = Overtaken()
    given.address(database, balance=10)
    ids = put(database, 2)
    set_aside = "UPDATE messages SET sendbox = NULL WHERE id = ?"
    database.between = lambda: database.query(set_aside, ids[0])
    index(database)
    assert indexed(database) == ids[1:]


def test_indexing_continues_after_the_newest_message_is_removed(
    database: SqliteDatabase, me: Credential
) -> None:
    ids = [keep(database, me, number) for number in range(3)]
    index(database)
    database.query("DELETE FROM messages WHERE id = ?", ids[2])
    ids[2] = keep(database, me, 3)
    index(database)
    assert indexed(database) == ids
    database.query("DELETE FROM messages")
    index(database)
    ids = [keep(database, me, 4)]
    index(database)
    assert indexed(database) == ids


def test_the_index_follows_the_sweep(database: SqliteDatabase, me: Credential) -> None:
    put(database, 2 * STEP_MESSAGES, text="Secret", html="Secret")
    index(database)

    def swept(days: int, metadata_days: int) -> None:
        later = NOW + 40 * DAY
        for _ in range(4):
            keep_days = {"retention_days": days, "retention_metadata_days": metadata_days}
            run(sweep(database, now=later, **keep_days))

    swept(30, 90)
    assert found(database, me, "secret") == []
    assert len(found(database, me, "hello", limit=10**6)) == 2 * STEP_MESSAGES
    swept(30, 31)
    assert found(database, me, "hello") == indexed(database) == []
    if not isinstance(database, ForgetfulDatabase):
        database.query("INSERT INTO search (search) VALUES ('integrity-check')")


def test_the_index_is_complete_after_any_operations(
    database: SqliteDatabase, me: Credential
) -> None:
    for number in range(30):
        keep(database, me, number, text=f"Number {number} 发票")
        if number % 4 == 3:
            index(database)
        if number % 5 == 4:
            database.query("DELETE FROM bodies WHERE message_id = ?", message_id(NOW + 1, 1))
            database.query("DELETE FROM messages WHERE id IN (SELECT min(id) FROM messages)")
    database.query("INSERT INTO search (search) VALUES ('integrity-check')")
    assert len(found(database, me, "number")) == 24


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>Hello <b>wor</b>ld &amp; you</p>", ["hello", "wor", "ld", "you"]),
        ("<style>p {color: red}</style>Hi<SCRIPT src=x>alert(1)</SCRIPT >", ["hi"]),
        ("a<!-- hidden <b> --> b", ["a", "b"]),
        ("1 < 2 and 3 > 2", ["1", "2", "and", "3"]),
        ("&#20013;&#25991;", ["中文", "文"]),
        ("<a title='x", []),
        ("<style>p", []),
        ("<!-- a", []),
        ("<styled>yes</styled>", ["yes"]),
        ("before &#" + "9" * 5000 + "; after", ["before", "after"]),
    ],
)
def test_the_text_of_html_is_indexed(html: str, words: list[str]) -> None:
    assert tokens_of(text_of({"kind": "html", "content": html})) == words


@pytest.mark.parametrize(
    "piece", ["<", "<a", "<!--", "<script", "<style>", "&", "</script", "-->", "<script></script>"]
)
def test_html_is_indexed_fast(piece: str) -> None:
    began = time.perf_counter()
    text_of({"kind": "html", "content": piece * (65_536 // len(piece))})
    assert time.perf_counter() - began < 1
