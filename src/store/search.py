"""Search: the messages of one address that contain all words of a query, newest first.

Messages that are not indexed yet are scanned in the same transaction. The index and the scan split
a message into the same words, so indexing does not change the result.
"""

from accounts.credentials import Credential
from ids import AFTER_ALL_IDS
from mail.delivery import DeliveryStatus
from store.addresses import require_valid
from store.database import Database, Row, Statement
from store.delivery_filter import has_delivery_status
from store.search_index import NEWEST_INDEXED, SOURCE, indexed_word, number_at, text_of
from store.sendbox_generation import in_current_sendbox
from store.tokenizer import Term, has_terms, terms_of, tokens_of

# The maximum number of messages to scan, the newest first. More are unindexed only after a
# migration, or if the address has sent more in the two or three minutes until they are indexed.
MAX_FRESH = 200

# Greater than all numbers (rowids) in the index.
_NO_NUMBER = 2**53 - 1

# The rowids have the order of the message ids. The inner SELECT finds the first row whose message
# is not older than the cursor ?3. The page has only rows before that row. ?4 is a lower bound of
# the rowid of that row. D1 binds every number as a floating-point number, and FTS5 uses a bound of
# the rowid only if the bound is an integer. Without the cast FTS5 would read the whole table.
_INDEXED = f"""
SELECT m.id
FROM search AS s CROSS JOIN messages AS m
  ON m.id = s.message_id AND {in_current_sendbox("?2", "m.")} {{filter}}
WHERE search MATCH ?1 AND s.rowid < coalesce(
  (
    SELECT rowid FROM search
    WHERE rowid >= CAST(?4 AS INTEGER) AND message_id >= ?3 ORDER BY rowid LIMIT 1
  ),
  {_NO_NUMBER}
)
ORDER BY s.rowid DESC LIMIT ?5
"""

_FRESH = f"""
SELECT {SOURCE}
WHERE {in_current_sendbox("?1", "m.")} AND m.id > {NEWEST_INDEXED} AND m.id < ?2 {{filter}}
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
    delivery_status: DeliveryStatus | None = None,
) -> list[str]:
    """The ids of at most ``limit`` messages that match ``query``, newest first.

    :param before: only messages older than this id, which need not exist.
    :param delivery_status: only messages with this delivery status; None for all.
    """
    condition = has_delivery_status(delivery_status, "m.")
    terms = terms_of(query)
    address_id = credential.address_id
    match = " AND ".join(_matching(address_id, term) for term in terms) or _NO_WORD
    end = before or AFTER_ALL_IDS
    number = number_at(before) if before else _NO_NUMBER
    indexed, fresh = await require_valid(
        database,
        credential,
        Statement(_INDEXED.format(filter=condition), (match, address_id, end, number, limit)),
        Statement(_FRESH.format(filter=condition), (address_id, end)),
    )
    ids = [row["id"] for row in fresh if terms and has_terms(_words(row), terms)]
    return (ids + [row["id"] for row in indexed])[:limit]


def _matching(address_id: int, term: Term) -> str:
    # A word has only letters and digits, so it has no special meaning in MATCH.
    return f'"{indexed_word(address_id, term.word)}"' + ("*" if term.is_prefix else "")


def _words(row: Row) -> list[str]:
    return tokens_of(f"{row['subject']}\n{row['recipients']}\n{text_of(row)}")
