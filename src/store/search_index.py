"""The search index: the words of each message, written by the sweep.

A message enters the index some time after it was kept, many in one transaction, so that a send
has nothing to do with it. The database removes from it what it removes otherwise (the triggers of
``migrations/0004_search.sql``).
"""

import msgspec

from store.database import Database, Row, Statement
from store.ids import first_id, time_of
from store.words import words_of

# Messages that one step brings into the index, and how often a sweep makes a step that is full.
STEP_MESSAGES = 200
MAX_STEPS = 3
_MAX_STEP_BYTES = 1_800_000  # of the one value that a step binds

# Of a text, the characters in which words are looked for. Of html most are none of the text.
MAX_TEXT = 4096
_MAX_HTML = 16_384

# A message is written within half a minute of its id, or not at all. The index goes on from the
# newest id that it has, so one that came later than a newer one would never enter it.
SETTLED_MILLISECONDS = 120_000

# What words are taken from, a row a message.
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
WHERE m.id > {NEWEST_INDEXED} AND m.id < ?1 ORDER BY m.id LIMIT ?2
"""

# A second run finds the messages of the first one in the index. What was removed since the
# messages were read stays out of it.
_INSERT = f"""
INSERT INTO search (rowid, message_id, head, text)
SELECT
  value ->> 0, value ->> 1, value ->> 2,
  CASE WHEN EXISTS (SELECT 1 FROM bodies WHERE message_id = value ->> 1) THEN value ->> 3 END
FROM json_each(?1)
WHERE value ->> 1 > {NEWEST_INDEXED}
  AND EXISTS (SELECT 1 FROM messages WHERE id = value ->> 1)
"""


async def index_messages(database: Database, *, now: int) -> int:
    """Bring messages into the index, the oldest first, and return how many.

    A step may die or be made twice: where to go on is read from the index itself.

    :param now: Unix milliseconds.
    :raises DatabaseUnavailable: it goes on in the next minute.
    """
    total = 0
    end = first_id(max(0, now - SETTLED_MILLISECONDS))
    for _ in range(MAX_STEPS):
        (rows,) = await database.batch([Statement(_NEXT, (end, STEP_MESSAGES))], repeatable=True)
        if not rows:
            break
        documents = _documents(rows)
        values = "[" + ",".join(documents) + "]"
        await database.batch([Statement(_INSERT, (values,))], repeatable=True)
        total += len(documents)
        if len(documents) == len(rows) < STEP_MESSAGES:
            break
    return total


def indexed_word(address_id: int, word: str) -> str:
    """As what the index holds a word that stands in a message of this address."""
    return f"{address_id}_{word}"


def number_at(message_id: str) -> int:
    """The lowest number (rowid) that a message of this id has in the index."""
    # Numbers close to each other make a small index; one for 16 ms is enough to go by.
    return time_of(message_id) >> 4


def text_of(row: Row) -> str:
    """The text of a row of ``SOURCE``; nothing where it is not kept any more."""
    content = row["content"] or ""
    if row["kind"] != "html":
        return content
    # Imported here: its patterns cost start-up time, and most requests need none of them.
    from mail.markup import pieces, unescaped

    texts, _, _ = pieces(content)
    return unescaped(" ".join(texts))[:MAX_TEXT]


def _documents(rows: list[Row]) -> list[str]:
    """The first of the messages, as many as fit into one value, each as a JSON array."""
    documents: list[str] = []
    size = 0
    number = rows[0]["newest_number"] or 0
    for row in rows:
        number = max(number_at(row["id"]), number + 1)
        head, text = (
            " ".join(indexed_word(row["address_id"], word) for word in words_of(part))
            for part in (f"{row['subject']}\n{row['recipients']}", text_of(row))
        )
        document = msgspec.json.encode((number, row["id"], head, text))
        size += len(document) + 1
        if size > _MAX_STEP_BYTES:
            break
        documents.append(document.decode())
    return documents
