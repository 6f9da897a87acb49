"""The search index: the words of each message, written by the cron job.

Messages are indexed some minutes after they were stored, many in one transaction, so sending does
not wait for the index. Database triggers remove deleted messages and texts from the index at once.
With FTS5's option ``secure-delete`` no trace of their words remains in the index. Measured with
40,000 messages of 200 words, the removal of one message takes 2 ms.

Each word is indexed with the id of its address, so a search reads the words of one address only.
Measured on the local D1 with 100,000 messages of 2.7 KB: without an index, the search for a rare
word takes 1,600 ms and reads 400,000 rows. With this index, it takes 1 to 50 ms and reads 60 rows.
The index needs 5.8 KB per message, because it also stores the words to be able to remove them.
FTS5's trigram index would need 10 KB per message.
"""

import msgspec

from ids import first_id, time_of
from store.database import Database, Row, Statement
from store.step import Step
from store.tokenizer import tokens_of

# The maximum number of messages per step.
STEP_MESSAGES = 200
_MAX_STEP_BYTES = 1_800_000  # of the value that a step binds

# The maximum number of characters of a text to index. HTML is mostly markup, so more of it is read.
MAX_TEXT = 4096
_MAX_HTML = 16_384

# Messages are indexed when their ids are at least this old. Indexing continues after the newest
# indexed id, so it would miss a message that is stored after a newer one was indexed. A message is
# stored within half a minute after its id was made, or not at all.
SETTLED_MILLISECONDS = 120_000

# The texts to index, one row per message.
SOURCE = f"""
  m.id, m.address_id, m.subject,
  (
    SELECT group_concat(address || ' ' || coalesce(name, ''), ' ')
    FROM deliveries WHERE message_id = m.id
  ) AS recipients,
  b.kind, substr(b.content, 1, iif(b.kind = 'html', {_MAX_HTML}, {MAX_TEXT})) AS content
FROM messages AS m
LEFT JOIN bodies AS b ON b.message_id = m.id AND b.part = 0
  AND b.kind = (SELECT max(kind) FROM bodies WHERE message_id = m.id)
"""

NEWEST_INDEXED = "coalesce((SELECT message_id FROM search ORDER BY rowid DESC LIMIT 1), '')"

_NEXT = f"""
SELECT (SELECT rowid FROM search ORDER BY rowid DESC LIMIT 1) AS newest_number, {SOURCE}
WHERE m.id > {NEWEST_INDEXED} AND m.id < ?1 AND m.sendbox IS NOT NULL ORDER BY m.id LIMIT ?2
"""

# A second run inserts nothing, because the index already has the messages. Messages that were
# deleted and texts that were removed after they were read are not indexed.
_INSERT = f"""
INSERT INTO search (rowid, message_id, head, text)
SELECT
  value ->> 0, value ->> 1, value ->> 2,
  CASE WHEN EXISTS (SELECT 1 FROM bodies WHERE message_id = value ->> 1) THEN value ->> 3 END
FROM json_each(?1)
WHERE value ->> 1 > {NEWEST_INDEXED}
  AND EXISTS (SELECT 1 FROM messages WHERE id = value ->> 1 AND sendbox IS NOT NULL)
"""


async def index_messages(database: Database, *, now: int) -> int:
    """Index the next messages, the oldest first, and return the number.

    A run may fail or be repeated: each run starts after the newest message in the index.

    :raises DatabaseUnavailable: the next cron run continues.
    """
    end = first_id(max(0, now - SETTLED_MILLISECONDS))
    (rows,) = await database.batch([Statement(_NEXT, (end, STEP_MESSAGES))], repeatable=True)
    if not rows:
        return 0
    documents = _documents(rows)
    values = "[" + ",".join(documents) + "]"
    await database.batch([Statement(_INSERT, (values,))], repeatable=True)
    return len(documents)


def index_step(*, now: int) -> Step:
    """The step of the cron that indexes messages."""

    async def run(database: Database) -> int:
        return await index_messages(database, now=now)

    # A step may index fewer than STEP_MESSAGES although more follow. So only a step that
    # finds no message is the last one.
    return Step("indexed", 2, 1, run)


def indexed_word(address_id: int, word: str) -> str:
    """The form of a word in the index, for messages of this address."""
    return f"{address_id}_{word}"


def number_at(message_id: str) -> int:
    """The lowest number (rowid) that a message with this id can have in the index."""
    # Dense numbers keep the index small. One number per 16 ms is precise enough.
    return time_of(message_id) >> 4


def text_of(row: Row) -> str:
    """The text to index from a row of ``SOURCE``; empty if the body was removed."""
    content = row["content"] or ""
    if row["kind"] != "html":
        return content
    # Imported here: the patterns are slow to compile, and most requests don't need them.
    from mail.markup import pieces, unescaped

    texts, _, _ = pieces(content)
    return unescaped(" ".join(texts))[:MAX_TEXT]


def _documents(rows: list[Row]) -> list[str]:
    """The values to insert for the first messages, as many as fit into one value.

    Each is a JSON array of the number, the message id, and the words of ``head`` and ``text``.
    """
    documents: list[str] = []
    size = 0
    number = rows[0]["newest_number"] or 0
    for row in rows:
        number = max(number_at(row["id"]), number + 1)
        head, text = (
            " ".join(indexed_word(row["address_id"], word) for word in tokens_of(part))
            for part in (f"{row['subject']}\n{row['recipients']}", text_of(row))
        )
        document = msgspec.json.encode((number, row["id"], head, text))
        size += len(document) + 1
        if size > _MAX_STEP_BYTES:
            break
        documents.append(document.decode())
    return documents
