"""Search: the messages of one address that contain all words of a query, newest first.

Messages that are not indexed yet are scanned in the same transaction. The index and the scan split
a message into the same words, so indexing does not change the result.
"""

from accounts.credentials import Credential
from ids import AFTER_ALL_IDS
from store.addresses import require_valid
from store.database import Database, Row, Statement
from store.message_filter import ALL, MessageFilter
from store.search_index import NEWEST_INDEXED, SOURCE, indexed_word, number_at, text_of
from store.sendbox_generation import in_current_sendbox
from store.tokenizer import Term, has_terms, terms_of, tokens_of

# The maximum number of messages to scan, the newest first. More are unindexed only after a
# migration, or if the address has sent more in the two or three minutes until they are indexed.
MAX_FRESH = 200

# The maximum number of matches that a page with a filter looks at. Reading a match is
# expensive, because the index also stores its words.
MAX_MATCHES = 1000

# Greater than all numbers (rowids) in the index.
_NO_NUMBER = 2**53 - 1

# The matches before the cursor. The rowids have the order of the message ids. The inner SELECT
# finds the first row whose message is not older than the cursor ?3. The matches are before that
# row. ?4 is a lower bound of the rowid of that row. D1 binds every number as a floating-point
# number, and FTS5 uses a bound of the rowid only if the bound is an integer. Without the cast FTS5
# would read the whole table.
_MATCHES = f"""
search MATCH ?1 AND rowid < coalesce(
  (
    SELECT other.rowid FROM search AS other
    WHERE other.rowid >= CAST(?4 AS INTEGER) AND other.message_id >= ?3
    ORDER BY other.rowid LIMIT 1
  ),
  {_NO_NUMBER}
)
"""

_INDEXED = f"""
SELECT m.id
FROM search CROSS JOIN messages AS m
  ON m.id = search.message_id AND {in_current_sendbox("?2", "m.")}
WHERE {_MATCHES} ORDER BY search.rowid DESC LIMIT ?5
"""

# The messages of a filter. No index has both the words and its fields, so a page looks at a limited
# number of matches. The last row is the last match that it looks at, if more follow.
_FILTERED = f"""
WITH seen AS MATERIALIZED (
  SELECT rowid AS number, message_id FROM search
  WHERE {_MATCHES} ORDER BY rowid DESC LIMIT {MAX_MATCHES}
)
SELECT id, false AS is_last FROM (
  SELECT m.id
  FROM seen CROSS JOIN messages AS m
    ON m.id = seen.message_id AND {in_current_sendbox("?2", "m.")} AND m.id >= ?6 {{filter}}
  ORDER BY number DESC LIMIT ?5
)
UNION ALL
SELECT message_id, true FROM (SELECT message_id FROM seen ORDER BY number LIMIT 1)
WHERE (SELECT count(*) FROM seen) = {MAX_MATCHES}
"""

_FRESH = f"""
SELECT {SOURCE}
WHERE {in_current_sendbox("?1", "m.")} AND m.id > {NEWEST_INDEXED} AND m.id < ?2
  AND m.id >= ?3 {{filter}}
ORDER BY m.id DESC LIMIT {MAX_FRESH}
"""

# For a query without words. No message contains this word, so the search finds nothing.
_NO_WORD = '"_"'


async def search(
    database: Database,
    credential: Credential,
    query: str,
    *,
    before: str | None,
    limit: int,
    only: MessageFilter = ALL,
) -> tuple[list[str], str | None]:
    """The ids of at most ``limit`` messages that match ``query``, newest first.

    :param before: only messages older than this id, which need not exist.
    :param only: only these messages. Those to its recipient are found by the words of its address.
    :returns: the ids; and the id of the last message that was looked at, None if all messages
        before ``before`` were looked at, or enough of them.
    """
    terms = terms_of(f"{only.recipient or only.domain or ''} {query}")
    address_id = credential.address_id
    match = " AND ".join(_matching(address_id, term) for term in terms) or _NO_WORD
    end = min(before or AFTER_ALL_IDS, only.until)
    these = (match, address_id, end, _NO_NUMBER if end == AFTER_ALL_IDS else number_at(end))
    is_whole = only.is_empty and not only.since
    indexed = _INDEXED if is_whole else _FILTERED.format(filter=only.conditions(7, "m."))
    since = () if is_whole else (only.since, *only.parameters)
    fresh, found = await require_valid(
        database,
        credential,
        Statement(
            _FRESH.format(filter=only.conditions(4, "m.")),
            (address_id, end, only.since, *only.parameters),
        ),
        Statement(indexed, (*these, limit, *since)),
    )
    ids = [row["id"] for row in fresh if terms and has_terms(_words(row), terms)]
    ids += [row["id"] for row in found if not row.get("is_last")]
    last = next((row["id"] for row in found if row.get("is_last")), None)
    is_past = last is not None and last <= only.since
    return ids[:limit], None if len(ids) >= limit or is_past else last


def _matching(address_id: int, term: Term) -> str:
    # A word has only letters and digits, so it has no special meaning in MATCH.
    return f'"{indexed_word(address_id, term.word)}"' + ("*" if term.is_prefix else "")


def _words(row: Row) -> list[str]:
    return tokens_of(f"{row['subject']}\n{row['recipients']}\n{text_of(row)}")
