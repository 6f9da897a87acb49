"""The sendbox: the messages of one address, newest first."""

from dataclasses import dataclass

import msgspec

from accounts.credentials import Credential
from refusals import NotFound, Unauthorized
from store.addresses import holds_statement
from store.database import Database, Row, Statement
from store.sendboxes import ADMINISTRATION, LIES_ANYWHERE, lies_in_that_of

# messages_by_address gives the page in its order; bodies and deliveries are read by their keys,
# for the rows of the page alone. Of a long body a list shows the beginning: a hundred whole
# messages would not fit into the worker's memory.
SHOWN_WHOLE_BYTES = 65_536
SHOWN_CHARACTERS = SHOWN_WHOLE_BYTES // 4

MAX_COUNT = 1000  # as far as messages of all addresses are counted

# Of a text length and substr see nothing behind a NUL; of bytes they do. Older versions have kept
# long bodies in parts of no more than is shown whole.
_IS_LONG = f"""(
  coalesce(length(CAST(b.content AS BLOB)) > {SHOWN_WHOLE_BYTES}, false)
  OR EXISTS (SELECT 1 FROM bodies WHERE message_id = m.id AND kind = b.kind AND part = 1)
)"""

_ROWS = f"""
SELECT
  m.id, m.sender, m.sender_name, m.subject, m.status, m.accepted_at,
  d.address AS recipient, d.name AS recipient_name,
  b.kind AS body_kind, {_IS_LONG} AS truncated,
  CASE WHEN {_IS_LONG} THEN substr(b.content, 1, {SHOWN_CHARACTERS}) ELSE b.content END AS content
FROM ({{page}}) AS page
JOIN messages AS m ON m.id = page.id
JOIN deliveries AS d ON d.message_id = m.id AND d.position = 0
LEFT JOIN bodies AS b ON b.message_id = m.id AND b.part = 0
  AND b.kind = (SELECT min(kind) FROM bodies WHERE message_id = m.id)
ORDER BY m.id DESC
"""

_MINE = f"SELECT id FROM messages WHERE {lies_in_that_of('?1')}"

_PAGE = _ROWS.format(page=f"{_MINE} ORDER BY id DESC LIMIT ?2 OFFSET ?3")

_PAGE_BEFORE = _ROWS.format(page=f"{_MINE} AND id < ?2 ORDER BY id DESC LIMIT ?3")

_THESE = _ROWS.format(page=f"{_MINE} AND id IN (SELECT value FROM json_each(?2))")

_COUNT = f"SELECT count(*) AS count FROM messages WHERE {lies_in_that_of('?1')}"

_EVERY = f"SELECT m.id FROM messages AS m WHERE {LIES_ANYWHERE}"
# What administrators have sent is looked through.
_FROM = f"""
SELECT id FROM messages WHERE {lies_in_that_of("(SELECT id FROM addresses WHERE name = ?1)")}
UNION ALL
SELECT id FROM messages
WHERE address_id = {ADMINISTRATION} AND sendbox = 0 AND lower(sender) = ?1
"""
_EVERY_PAGE = _ROWS.format(page=f"{_EVERY} ORDER BY id DESC LIMIT ?1 OFFSET ?2")
_FROM_PAGE = _ROWS.format(page=f"{_FROM} ORDER BY id DESC LIMIT ?2 OFFSET ?3")
# Counting all would read them all, so it ends at a number.
_EVERY_COUNT = f"SELECT count(*) AS count FROM ({_EVERY} LIMIT {MAX_COUNT})"
_FROM_COUNT = f"SELECT count(*) AS count FROM ({_FROM} LIMIT {MAX_COUNT})"

_BEHIND_ALL_IDS = "~"


async def sendbox_page(
    database: Database, credential: Credential, *, limit: int, offset: int
) -> tuple[list[Row], int]:
    """At most ``limit`` messages after the first ``offset``, and how many there are in all.

    :raises Unauthorized: where the credential no longer holds.
    """
    address_id = credential.address_id
    page = Statement(_PAGE, (address_id, limit, offset))
    rows, counts = await _read(database, credential, page, Statement(_COUNT, (address_id,)))
    return rows, counts[0]["count"]


async def sendbox_before(
    database: Database, credential: Credential, *, before: str | None, limit: int
) -> list[Row]:
    """At most ``limit`` messages older than the message ``before``, there or not, or the newest.

    :raises Unauthorized: where the credential no longer holds.
    """
    parameters = (credential.address_id, before or _BEHIND_ALL_IDS, limit)
    (rows,) = await _read(database, credential, Statement(_PAGE_BEFORE, parameters))
    return rows


async def sendbox_rows(database: Database, credential: Credential, ids: list[str]) -> list[Row]:
    """Those of the messages ``ids`` that are there, newest first.

    :raises Unauthorized: where the credential no longer holds.
    """
    these = (credential.address_id, msgspec.json.encode(ids).decode())
    (rows,) = await _read(database, credential, Statement(_THESE, these))
    return rows


async def every_sendbox_page(
    database: Database, *, address: str | None, limit: int, offset: int
) -> tuple[list[Row], int]:
    """As ``sendbox_page``, but of all addresses, or of what was sent from ``address``.

    The count ends at ``MAX_COUNT``.

    :param address: in lower case. There also is what administrators have sent from it.
    """
    statements = (
        [Statement(_EVERY_PAGE, (limit, offset)), Statement(_EVERY_COUNT)]
        if address is None
        else [Statement(_FROM_PAGE, (address, limit, offset)), Statement(_FROM_COUNT, (address,))]
    )
    rows, counts = await database.batch(statements, repeatable=True)
    return rows, counts[0]["count"]


async def _read(
    database: Database, credential: Credential, *statements: Statement
) -> list[list[Row]]:
    found, *results = await database.batch(
        [holds_statement(credential), *statements], repeatable=True
    )
    if not found:
        raise Unauthorized("invalid_credential")
    return results


# An id of somebody else's message is an id of no message.
_MESSAGE = f"""
SELECT
  id, sender, sender_name, subject, status, attempt, accepted_at, next_attempt_at, finished_at,
  provider_message_id, provider_code, request_id, retry_of, reply_to, headers, tags, attachments,
  scheduled_at,
  (SELECT id FROM messages AS later WHERE later.retry_of = m.id) AS retried_as
FROM messages AS m WHERE id = ?1 AND {lies_in_that_of("?2")}
"""

_DELIVERIES = """
SELECT
  kind, address, name, coalesce(deliveries.status, messages.status) AS status,
  coalesce(deliveries.provider_code, messages.provider_code) AS provider_code
FROM deliveries JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = ?2 ORDER BY position
"""

_EVENTS = """
SELECT events.kind, events.attempt, events.provider_code, occurred_at, recipient
FROM events JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = ?2 ORDER BY sequence
"""

_BODIES = """
SELECT kind, content FROM bodies JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = ?2 ORDER BY kind, part
"""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """All that is kept of one message; ``bodies`` are the parts of its text and html."""

    row: Row
    recipients: list[Row]
    events: list[Row]
    bodies: list[Row]


async def find_message(
    database: Database, credential: Credential, message_id: str
) -> StoredMessage:
    """The message of this id that the address of ``credential`` has sent.

    :raises Unauthorized: where the credential no longer holds.
    :raises NotFound: ``message_not_found``.
    """
    mine = (message_id, credential.address_id)
    rows, *details = await _read(
        database,
        credential,
        *(Statement(sql, mine) for sql in (_MESSAGE, _DELIVERIES, _EVENTS, _BODIES)),
    )
    if not rows:
        raise NotFound("message_not_found")
    return StoredMessage(rows[0], *details)
