"""The sendbox: the messages of one address, newest first."""

from dataclasses import dataclass

import msgspec

from accounts.credentials import Credential
from errors import NotFound
from ids import AFTER_ALL_IDS
from store import message_filter
from store.addresses import require_valid
from store.database import Database, Row, Statement
from store.json_size import json_size
from store.message_content import BODIES_TO_RETRY
from store.message_filter import ALL, MessageFilter
from store.sendbox_generation import ADMINISTRATION, IN_ANY_CURRENT_SENDBOX, in_current_sendbox
from store.shown_bodies import SHOWN_BODIES

# A page of one address is read in the order of the index messages_by_address, a page of all
# addresses in the order of the primary key. Bodies and deliveries are read by their keys, only for
# the rows of the page. A body of at most SHOWN_WHOLE_BYTES is shown whole. Of a longer one a list
# shows the first SHOWN_CHARACTERS: a hundred whole messages would not fit into the Worker's memory.
SHOWN_WHOLE_BYTES = 65_536
SHOWN_CHARACTERS = SHOWN_WHOLE_BYTES // 4

# The maximum size of the contents of a page, in bytes, as JSON within JSON, where a byte of a
# content takes up to seven bytes. The content with which a page exceeds this size, and all contents
# after it, are cut to _CUT_CHARACTERS, and their messages have `exceeds_page`. A single content
# never exceeds this size, and a page of the default length rarely does.
_MAX_CONTENTS_BYTES = 2 * 1024 * 1024
_CUT_CHARACTERS = 1000

MAX_COUNT = 1000  # the highest count that every_sendbox_page returns

# length() of a text stops at a NUL, so the body is measured as a BLOB. Older versions stored a long
# body in parts of at most SHOWN_WHOLE_BYTES, so a body with a second part is also long.
_IS_LONG = f"""(
  coalesce(length(CAST(b.content AS BLOB)) > {SHOWN_WHOLE_BYTES}, false)
  OR EXISTS (SELECT 1 FROM bodies WHERE message_id = m.id AND kind = b.kind AND part = 1)
)"""

# The delivery status of a message, and the number of recipients that have it. Both are NULL if the
# message was not sent and has no event.
_DELIVERY_STATUS = """
  coalesce(m.delivery_status, iif(m.status = 'sent', 'sent', NULL)) AS delivery_status,
  coalesce(m.delivery_count, iif(m.status = 'sent', m.recipients, NULL)) AS delivery_count,
  m.recipients AS recipient_count
"""

_ROWS = f"""
SELECT
  id, sender, sender_name, subject, status, accepted_at,
  delivery_status, delivery_count, recipient_count, scheduled_at,
  recipient, recipient_name, body_kind,
  exceeds_page, truncated OR exceeds_page AS truncated,
  CASE WHEN exceeds_page THEN substr(content, 1, {_CUT_CHARACTERS}) ELSE content END AS content
FROM (
  SELECT
    *,
    sum(iif(content IS NULL, 0, {json_size("content")})) OVER (ORDER BY id DESC)
      > {_MAX_CONTENTS_BYTES} AS exceeds_page
  FROM (
    SELECT
      m.id, m.sender, m.sender_name, m.subject, m.status, m.accepted_at, m.scheduled_at,
      {_DELIVERY_STATUS},
      d.address AS recipient, d.name AS recipient_name,
      b.kind AS body_kind, {_IS_LONG} AS truncated,
      CASE WHEN {_IS_LONG} THEN substr(b.content, 1, {SHOWN_CHARACTERS}) ELSE b.content END
        AS content
    FROM ({{page}}) AS page
    JOIN messages AS m ON m.id = page.id
    JOIN deliveries AS d ON d.message_id = m.id AND d.position = 0
    LEFT JOIN bodies AS b ON b.message_id = m.id AND b.part = 0
      AND b.kind = (SELECT min(kind) FROM bodies WHERE message_id = m.id)
  )
)
ORDER BY id DESC
"""

# The messages of the address ?1, and those of them from the id ?2 on, before the id ?3.
_MINE_NOW = in_current_sendbox("?1")
_OWN = f"{_MINE_NOW} AND id >= ?2 AND id < ?3"

_BY_IDS = _ROWS.format(
    page=f"SELECT id FROM messages WHERE {_MINE_NOW} AND id IN (SELECT value FROM json_each(?2))"
)

# The messages of everybody from the id ?1 on, before the id ?2.
_BETWEEN = "id >= ?1 AND id < ?2"

_BY_OWNER = in_current_sendbox("(SELECT id FROM addresses WHERE name = ?3)")
_BY_ADMINISTRATORS = f"address_id = {ADMINISTRATION} AND sendbox = 0"

# The id that a caller knows can be the id of the message, or the provider's id, with or without
# angle brackets.
_NAMED = """
SELECT m.id FROM messages AS m
WHERE {among} AND m.id IN (
  SELECT ?{place}
  UNION ALL
  SELECT id FROM messages INDEXED BY messages_by_provider_id
  WHERE provider_message_id IN (?{place}, '<' || ?{place} || '>', trim(?{place}, '<>'))
)
"""


async def sendbox_page(
    database: Database,
    credential: Credential,
    *,
    limit: int,
    offset: int,
    only: MessageFilter = ALL,
) -> tuple[list[Row], int]:
    """A page of messages, newest first, and the number of all messages of the address.

    :param only: only these messages, among the newest ones if no index finds them.
    """
    these = (credential.address_id, only.since, only.until)
    page = f"""
    SELECT id FROM messages WHERE {_OWN} {only.of_seen(6, _OWN)}
    ORDER BY id DESC LIMIT ?4 OFFSET ?5
    """
    count = f"SELECT count(*) AS count FROM messages WHERE {_OWN} {only.of_seen(4, _OWN)}"
    rows, (counted,) = await require_valid(
        database,
        credential,
        Statement(_ROWS.format(page=page), (*these, limit, offset, *only.parameters)),
        Statement(count, (*these, *only.parameters)),
    )
    return rows, counted["count"]


async def sendbox_before(
    database: Database,
    credential: Credential,
    *,
    before: str | None,
    limit: int,
    only: MessageFilter = ALL,
) -> tuple[list[Row], str | None]:
    """At most ``limit`` messages, newest first, and the id of the last message that was looked at.

    The id is None if all messages before ``before`` were looked at, or enough of them.

    :param before: only messages older than this id, which need not exist; None to start with the
        newest message.
    :param only: only these messages.
    """
    these = (credential.address_id, only.since, _earlier(before, only))
    page = f"""
    SELECT id FROM messages WHERE {_OWN} {only.of_seen(5, _OWN)} ORDER BY id DESC LIMIT ?4
    """
    statements = [Statement(_ROWS.format(page=page), (*these, limit, *only.parameters))]
    if only.is_scanned:
        statements.append(Statement(only.last_seen(_OWN), these))
    rows, *last = await require_valid(database, credential, *statements)
    return rows, _last_of(rows, limit, last)


async def sendbox_rows(database: Database, credential: Credential, ids: list[str]) -> list[Row]:
    """The messages with these ids, newest first. Ids that are not in the sendbox are left out."""
    these = (credential.address_id, msgspec.json.encode(ids).decode())
    (rows,) = await require_valid(database, credential, Statement(_BY_IDS, these))
    return rows


async def sendbox_named(database: Database, credential: Credential, name: str) -> list[Row]:
    """The messages with this id, or this id of the provider."""
    page = _NAMED.format(among=in_current_sendbox("?1", "m."), place=2)
    statement = Statement(_ROWS.format(page=page), (credential.address_id, name))
    (rows,) = await require_valid(database, credential, statement)
    return rows


async def every_sendbox_named(database: Database, name: str) -> list[Row]:
    """Like ``sendbox_named``, for the messages of all senders."""
    page = _ROWS.format(page=_NAMED.format(among=IN_ANY_CURRENT_SENDBOX, place=1))
    (rows,) = await database.batch([Statement(page, (name,))], repeatable=True)
    return rows


async def every_sendbox_page(
    database: Database,
    *,
    address: str | None,
    limit: int,
    offset: int,
    only: MessageFilter = ALL,
) -> tuple[list[Row], int]:
    """A page of messages, newest first, and their number, which is at most ``MAX_COUNT``.

    :param address: only messages sent from this address, in lower case. They include messages that
        administrators sent from it. None for the messages of all addresses.
    :param only: as for ``sendbox_page``.
    """
    these = (only.since, only.until, *([] if address is None else [address]))
    place = len(these) + 1
    page = f"""
    {_of_all(address, only, place + 2)} ORDER BY id DESC LIMIT ?{place} OFFSET ?{place + 1}
    """
    # Stops at MAX_COUNT, because counting reads every row.
    count = f"SELECT count(*) AS count FROM ({_of_all(address, only, place)} LIMIT {MAX_COUNT})"
    statements = [
        Statement(_ROWS.format(page=page), (*these, limit, offset, *only.parameters)),
        Statement(count, (*these, *only.parameters)),
    ]
    rows, counts = await database.batch(statements, repeatable=True)
    return rows, counts[0]["count"]


async def every_sendbox_before(
    database: Database,
    *,
    address: str | None,
    before: str | None,
    limit: int,
    only: MessageFilter = ALL,
) -> tuple[list[Row], str | None]:
    """Like ``sendbox_before``, for the messages of ``every_sendbox_page``."""
    these = (only.since, _earlier(before, only), *([] if address is None else [address]))
    place = len(these) + 1
    page = f"{_of_all(address, only, place + 1)} ORDER BY id DESC LIMIT ?{place}"
    statements = [Statement(_ROWS.format(page=page), (*these, limit, *only.parameters))]
    if only.is_scanned:
        statements.append(Statement(_last_of_all(address, only), these))
    rows, *last = await database.batch(statements, repeatable=True)
    return rows, _last_of(rows, limit, last)


def _of_all(address: str | None, only: MessageFilter, place: int) -> str:
    """SQL of the ids of the messages of all senders, or from the address ?3."""
    conditions = only.conditions(place, "m.")
    if only.is_scanned:
        conditions += f" AND m.id >= coalesce(({_last_of_all(address, only)}), '')"
    if address is None:
        return f"""
        SELECT m.id FROM messages AS m
        WHERE {IN_ANY_CURRENT_SENDBOX} AND m.id >= ?1 AND m.id < ?2 {conditions}
        """
    # The second half scans all messages that administrators have sent.
    return f"""
    SELECT m.id FROM messages AS m WHERE {_BY_OWNER} AND {_BETWEEN} {conditions}
    UNION ALL
    SELECT m.id FROM messages AS m
    WHERE {_BY_ADMINISTRATORS} AND lower(sender) = ?3 AND {_BETWEEN} {conditions}
    """


def _last_of_all(address: str | None, only: MessageFilter) -> str:
    """SQL of the id of the last message that a page of ``_of_all`` looks at, if more follow."""
    if address is None:
        return only.last_seen(_BETWEEN)
    return f"""
    SELECT id FROM (
      SELECT id FROM messages WHERE {_BY_OWNER} AND {_BETWEEN} {only.found}
      UNION ALL
      SELECT id FROM messages
      WHERE {_BY_ADMINISTRATORS} AND lower(sender) = ?3 AND {_BETWEEN} {only.found}
      ORDER BY id DESC LIMIT 1 OFFSET {message_filter.MAX_SEEN - 1}
    )
    """


def _earlier(before: str | None, only: MessageFilter) -> str:
    return min(before or AFTER_ALL_IDS, only.until)


def _last_of(rows: list[Row], limit: int, last: list[list[Row]]) -> str | None:
    (seen,) = last or ([],)
    return seen[0]["id"] if seen and len(rows) < limit else None


# This condition finds only messages of the address ?2. For administrators ?2 is NULL, and it finds
# messages of all addresses.
_MINE = "address_id = coalesce(?2, address_id)"

_MESSAGE = f"""
SELECT
  m.id, m.sender, m.sender_name, m.subject, m.size, m.status, m.attempt, m.accepted_at,
  m.next_attempt_at, m.transport,
  m.finished_at, m.provider_message_id, m.provider_code, m.reason, m.request_id, m.retry_of,
  m.details, m.scheduled_at, {_DELIVERY_STATUS},
  (SELECT id FROM messages AS later WHERE later.retry_of = m.id) AS retried_as
FROM messages AS m WHERE m.id = ?1 AND {_MINE} AND {IN_ANY_CURRENT_SENDBOX}
"""

_DELIVERIES = f"""
SELECT kind, address, name FROM deliveries JOIN messages ON id = message_id
WHERE message_id = ?1 AND {_MINE} ORDER BY position
"""

_EVENTS = f"""
SELECT events.kind, events.attempt, events.provider_code, occurred_at, recipient, settled_by,
  events.transport, next_transport
FROM events JOIN messages ON id = message_id
WHERE message_id = ?1 AND {_MINE} ORDER BY sequence
"""

# The provider delays a mail a few dozen times at most, so a message has fewer delivery events.
_DELIVERY_EVENTS = f"""
SELECT
  kind, position, occurred_at, attempt,
  is_permanent, smtp_code, enhanced_code, response, e.reason, e.provider
FROM delivery_events AS e JOIN messages ON id = message_id
WHERE message_id = ?1 AND {_MINE} LIMIT 5000
"""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """The stored data of one message, without the contents of its attachments.

    ``bodies`` are the parts of its text and HTML. ``view_message`` and ``view_any_message`` cut
    large bodies.
    """

    row: Row
    recipients: list[Row]
    events: list[Row]
    delivery_events: list[Row]
    bodies: list[Row]


async def message_to_retry(
    database: Database, credential: Credential, message_id: str, *, max_size: int | None = None
) -> StoredMessage:
    """The message with this id, sent by the address of ``credential``, with its whole bodies.

    :param max_size: leave out the bodies if the size of the message exceeds this. They are also
        left out if another message retries this one.
    :raises NotFound: ``message_not_found``.
    """
    statements = _message_statements(message_id, credential.address_id)
    bodies = Statement(BODIES_TO_RETRY, (message_id, credential.address_id, max_size))
    return _stored(await require_valid(database, credential, *statements, bodies))


async def view_message(
    database: Database, credential: Credential, message_id: str
) -> StoredMessage:
    """Like ``message_to_retry``, but with ``SHOWN_BODIES``, which cuts large bodies."""
    statements = _view_statements(message_id, credential.address_id)
    return _stored(await require_valid(database, credential, *statements))


async def view_any_message(database: Database, message_id: str) -> StoredMessage:
    """Like ``view_message``, for a message of any sender, for administrators."""
    statements = _view_statements(message_id, None)
    return _stored(await database.batch(statements, repeatable=True))


def _view_statements(message_id: str, address_id: int | None) -> list[Statement]:
    bodies = Statement(SHOWN_BODIES, (message_id, address_id))
    return [*_message_statements(message_id, address_id), bodies]


def _message_statements(message_id: str, address_id: int | None) -> list[Statement]:
    these = (message_id, address_id)
    return [Statement(sql, these) for sql in (_MESSAGE, _DELIVERIES, _EVENTS, _DELIVERY_EVENTS)]


def _stored(results: list[list[Row]]) -> StoredMessage:
    rows, *details = results
    if not rows:
        raise NotFound("message_not_found")
    (row,) = rows
    return StoredMessage(row, *details)
