"""The messages of one address, for clients of Resend: one of them, or a page by cursor.

A page begins where its cursor stands, so it costs the same wherever that is.
"""

from accounts.credentials import Credential
from refusals import BadRequest, FieldError, NotFound, Unauthorized
from store.addresses import holds_statement
from store.database import Database, Row, Statement
from store.sendboxes import lies_in_that_of

# The recipients of a message are read by their primary key, which is also their order.
_COLUMNS = """
  m.id, m.sender, m.sender_name, m.subject, m.status, m.accepted_at, m.scheduled_at,
  m.provider_message_id, m.provider_code, m.reply_to, m.tags,
  (
    SELECT json_group_array(
      json_object('kind', kind, 'address', address, 'name', name, 'status', status)
    )
    FROM (SELECT * FROM deliveries WHERE message_id = m.id ORDER BY position)
  ) AS recipients
"""

# An id of somebody else's message is an id of no message.
_EMAIL = f"SELECT {_COLUMNS} FROM messages AS m WHERE id = ?1 AND {lies_in_that_of('?2')}"

_BODIES = """
SELECT kind, content FROM bodies JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = ?2 ORDER BY kind, part
"""

# messages_by_address gives either page in its order.
_OLDER = f"""
SELECT {_COLUMNS} FROM messages AS m
WHERE {lies_in_that_of("?1")} AND id < ?2 ORDER BY id DESC LIMIT ?3
"""
_NEWER = f"""
SELECT {_COLUMNS} FROM messages AS m
WHERE {lies_in_that_of("?1")} AND id > ?2 ORDER BY id LIMIT ?3
"""

_BEYOND_ALL = "~"  # sorts after every id

_CURSOR_STANDS = f"SELECT 1 FROM messages WHERE id = ?1 AND {lies_in_that_of('?2')}"


async def find_email(
    database: Database, credential: Credential, message_id: str
) -> tuple[Row, list[Row]]:
    """The message of this id that the address of ``credential`` has sent, and parts of its bodies.

    :raises Unauthorized: where the credential no longer holds.
    :raises NotFound: ``message_not_found``.
    """
    mine = (message_id, credential.address_id)
    found, rows, bodies = await database.batch(
        [holds_statement(credential), Statement(_EMAIL, mine), Statement(_BODIES, mine)],
        repeatable=True,
    )
    if not found:
        raise Unauthorized("invalid_credential")
    if not rows:
        raise NotFound("message_not_found")
    return rows[0], bodies


async def email_page(
    database: Database,
    credential: Credential,
    *,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> tuple[list[Row], bool]:
    """At most ``limit`` messages, newest first, and whether there are more in that direction.

    :param after: the id of the message that the page follows, in a list that begins with the
        newest; without it the page begins with the newest.
    :param before: the id of the message that the page ends before; not with ``after``.
    :raises Unauthorized: where the credential no longer holds.
    :raises BadRequest: ``invalid_cursor``, where there is no message of this id.
    """
    cursor = after if before is None else before
    sql = _OLDER if before is None else _NEWER
    page = (credential.address_id, _BEYOND_ALL if cursor is None else cursor, limit + 1)
    found, rows, stands = await database.batch(
        [
            holds_statement(credential),
            Statement(sql, page),
            Statement(_CURSOR_STANDS, (cursor, credential.address_id)),
        ],
        repeatable=True,
    )
    if not found:
        raise Unauthorized("invalid_credential")
    if cursor is not None and not stands:
        name = "after" if before is None else "before"
        raise BadRequest("invalid_cursor", errors=(FieldError(name, "invalid_cursor"),))
    has_more = len(rows) > limit
    rows = rows[:limit]
    return rows if before is None else rows[::-1], has_more
