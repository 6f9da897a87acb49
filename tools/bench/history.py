"""A database with the rows that many sends and sweeps leave behind.

The messages are spread evenly over the last 80 days, within the retention of 90 days. One in ten
belongs to the address that the benchmark sends from. There are bodies for the last 30 days and
idempotency keys for the last day; older ones would have been deleted by the sweep.

The search index contains all messages of the sending address, even those without a body. Each of
them has as many different words as a longer mail, so that the index has a realistic size.
"""

import contextlib
import itertools
import random
import sqlite3
import time
from pathlib import Path

from store.search_index import SETTLED_MILLISECONDS, indexed_word
from tools.bench import mails
from tools.bench.report import progress
from tools.local_database import database_file

OWN_ADDRESS_ID = 1

DAY = 86_400_000  # milliseconds
_DAYS = 80
_BODY_DAYS = 30
_ADDRESSES = 2_000
# For each of these numbers n, one in n messages belongs to the sending address, has an idempotency
# key, or failed.
_OWN_SHARE = 10
_KEY_SHARE = 3
_FAILED_SHARE = 50

# If a body were longer than a quarter of a page, SQLite would store each on a page of its own, and
# the file would be four times as large.
BODY = "'" + "Your order has left our house and will be with you soon. " * 14 + "'"

# The words of the search index, frequent words first. Some are pairs of ideographs, because the
# index splits Chinese text into such pairs.
_random = random.Random(1)
VOCABULARY = [
    "".join(_random.choices("etaoinshrdlucmfwypvbgk", k=_random.randint(2, 12)))
    if place % 7
    else chr(0x4E00 + place) + chr(0x5000 + place)
    for place in range(10_000)
]
_FREQUENCIES = list(itertools.accumulate(1 / (place + 10) for place in range(len(VOCABULARY))))
_WORDS = 250  # per mail; more than a hundred of them are different

# A UUID of version 7 (RFC 9562, section 5.7) for the time `at`, as the worker creates them.
_NEW_ID = """
substr(printf('%012x', at), 1, 8) || '-' || substr(printf('%012x', at), 9)
  || printf('-7%03x-%04x-%012x', abs(random()) % 4096, 32768 + abs(random()) % 16384,
    abs(random()) % 281474976710656)
"""


def write_history(state: Path, messages: int) -> None:
    """Fill the empty database in the folder `state`. No server may use the folder meanwhile."""
    began = time.monotonic()
    now = time.time_ns() // 1_000_000
    file = database_file(state)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        # A half-written history can be thrown away, so it needs no journal and no fsync.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        connection.execute("BEGIN")
        for sql in (*_addresses(now), *sent_messages(now - _DAYS * DAY, now, messages)):
            connection.execute(sql)
        connection.execute(_bodies(now))
        connection.execute(_keys(now))
        connection.execute(_swept_keys(now))
        connection.create_function("some_words", 0, _some_words)
        connection.execute(_index(now))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    seconds = time.monotonic() - began
    mebibytes = file.stat().st_size / 2**20
    progress(f"Wrote {messages:,} messages ({mebibytes:.0f} MiB) in {seconds:.0f} s")


def sent_messages(begin: int, end: int, count: int) -> list[str]:
    """SQL that inserts `count` messages without bodies, accepted between two times in Unix ms."""
    within = f"id >= {id_of(begin)} AND id < {id_of(end)}"
    return [
        f"""
        WITH RECURSIVE
        n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}),
        sends AS (
          SELECT
            i, {begin} + i * ({end} - {begin}) / {count} AS at,
            CASE WHEN i % {_OWN_SHARE} THEN 2 + i * 7919 % ({_ADDRESSES} - 1)
              ELSE {OWN_ADDRESS_ID} END AS sender_id
          FROM n
        )
        INSERT INTO messages (
          id, address_id, sender, sender_name, subject, size, recipients, charge,
          status, attempt, provider_message_id, accepted_at, finished_at, request_id, reported_as
        )
        SELECT
          {_NEW_ID}, addresses.id, name, 'Bench', 'Your order no. ' || i, 2500, 1, 1,
          CASE WHEN i % {_FAILED_SHARE} THEN 'sent' ELSE 'failed' END, 1,
          printf('<%016x@example.com>', random()), at, at + 150, lower(hex(randomblob(16))),
          CASE WHEN i % {_FAILED_SHARE} THEN 'sent' ELSE 'failed' END
        FROM sends JOIN addresses ON addresses.id = sender_id
        """,
        f"""
        INSERT INTO deliveries (message_id, position, kind, address, name)
        SELECT id, 0, 'to', printf('someone%d@example.net', abs(random()) % 100000), 'Someone'
        FROM messages WHERE {within} ORDER BY id
        """,
        f"""
        INSERT INTO events (message_id, sequence, kind, attempt, occurred_at)
        SELECT id, 0, status, 1, finished_at FROM messages WHERE {within} ORDER BY id
        """,
        f"""
        INSERT INTO daily_recipients (day, recipients)
        SELECT strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch') AS day, count(*)
        FROM messages WHERE {within} GROUP BY 1
        ON CONFLICT (day) DO UPDATE SET recipients = recipients + excluded.recipients
        """,
    ]


def id_of(milliseconds: int) -> str:
    """An SQL literal that sorts between the ids from before this time and the later ids."""
    digits = f"{milliseconds:012x}"
    return f"'{digits[:8]}-{digits[8:]}-7'"


def _addresses(now: int) -> list[str]:
    return [
        f"""
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {_ADDRESSES})
        INSERT INTO addresses (id, name, created_at, updated_at)
        SELECT
          i, iif(i = {OWN_ADDRESS_ID}, '{mails.SENDER}', 'user' || i || '@example.com'),
          {now}, {now}
        FROM n
        """,
        f"""
        INSERT INTO send_balances (address_id, balance, created_at)
        SELECT id, 1000000000, {now} FROM addresses
        """,
    ]


def _bodies(now: int) -> str:
    return f"""
    INSERT INTO bodies (message_id, kind, part, content)
    SELECT id, 'text', 0, {BODY} FROM messages
    WHERE id >= {id_of(now - _BODY_DAYS * DAY)} ORDER BY id
    """


def _keys(now: int) -> str:
    return f"""
    UPDATE messages SET idempotency_key = id, request_digest = lower(hex(randomblob(32)))
    WHERE id >= {id_of(now - DAY)} AND accepted_at % {_KEY_SHARE} = 0
    """


def _swept_keys(now: int) -> str:
    return f"""
    INSERT INTO sweeps (name, position)
    SELECT 'idempotency_keys', max(id) FROM messages WHERE id < {id_of(now - DAY)}
    """


def _index(now: int) -> str:
    head = [indexed_word(OWN_ADDRESS_ID, word) for word in ("your", "order", "no", "example")]
    return f"""
    INSERT INTO search (rowid, message_id, head, text)
    SELECT accepted_at >> 4, id, '{" ".join(head)}', some_words() FROM messages
    WHERE address_id = {OWN_ADDRESS_ID} AND id < {id_of(now - SETTLED_MILLISECONDS)} ORDER BY id
    """


def _some_words() -> str:
    words = set(_random.choices(VOCABULARY, cum_weights=_FREQUENCIES, k=_WORDS))
    return " ".join(indexed_word(OWN_ADDRESS_ID, word) for word in words)
