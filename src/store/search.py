"""Search: the messages of one address that have all words of a query, newest first.

Messages that are too young for the index are looked through as they are, in the transaction that
asks the index. Both go by the same words, so a message is found alike before and after.
"""

from accounts.credentials import Credential
from refusals import Unauthorized
from store.addresses import holds_statement
from store.database import Database, Row, Statement
from store.search_index import NEWEST_INDEXED, SOURCE, indexed_word, number_at, text_of
from store.sendboxes import lies_in_that_of
from store.words import Term, has_terms, terms_of, words_of

# Messages of an address that are looked through. There are more only where an address sends
# more than that in the two or three minutes until they are in the index, or after a migration.
MAX_FRESH = 200

# Behind all ids, and all numbers.
_NO_ID = "~"
_NO_NUMBER = 2**53 - 1

# From the first row of the index that is not older than the cursor on, all are newer. D1 binds
# every number as a floating point one, and FTS5 goes by a bound of its rowid only if it is an
# integer: without the cast it would read the whole table.
_INDEXED = f"""
SELECT m.id
FROM search AS s CROSS JOIN messages AS m
  ON m.id = s.message_id AND {lies_in_that_of("?2", "m.")}
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
WHERE {lies_in_that_of("?1", "m.")} AND m.id > {NEWEST_INDEXED} AND m.id < ?2
ORDER BY m.id DESC LIMIT {MAX_FRESH}
"""

# No message has this word, so it stands for a query that has none.
_NO_WORD = '"_"'


async def search(
    database: Database, credential: Credential, query: str, *, before: str | None, limit: int
) -> list[str]:
    """The ids of at most ``limit`` messages that ``query`` finds, newest first.

    :param before: the id of a message, there or not, that all that are found are older than.
    :raises Unauthorized: where the credential no longer holds.
    """
    terms = terms_of(query)
    address_id = credential.address_id
    match = " AND ".join(_matching(address_id, term) for term in terms) or _NO_WORD
    end = before or _NO_ID
    number = number_at(before) if before else _NO_NUMBER
    found, indexed, fresh = await database.batch(
        [
            holds_statement(credential),
            Statement(_INDEXED, (match, address_id, end, number, limit)),
            Statement(_FRESH, (address_id, end)),
        ],
        repeatable=True,
    )
    if not found:
        raise Unauthorized("invalid_credential")
    ids = [row["id"] for row in fresh if terms and has_terms(_words(row), terms)]
    return (ids + [row["id"] for row in indexed])[:limit]


def _matching(address_id: int, term: Term) -> str:
    # A word is letters and digits alone, so nothing in it means anything to MATCH.
    return f'"{indexed_word(address_id, term.word)}"' + ("*" if term.begins else "")


def _words(row: Row) -> list[str]:
    return words_of(f"{row['subject']}\n{row['recipients']}\n{text_of(row)}")
