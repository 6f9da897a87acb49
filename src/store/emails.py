"""The messages of one address, for clients of Resend's API: one message, or a page by cursor.

A page starts directly at its cursor, so its cost does not depend on its position.
"""

from accounts.credentials import Credential
from errors import NotFound, field_error
from ids import AFTER_ALL_IDS
from store.addresses import require_valid
from store.bounded_page import bounded_page, page_of
from store.database import Database, Row, Statement
from store.sendbox_generation import in_current_sendbox
from store.shown_bodies import SHOWN_BODIES

# Reads the recipients by their primary key, which has the order of ``position``.
_COLUMNS = """
  m.id, m.sender, m.sender_name, m.subject, m.status, m.accepted_at, m.scheduled_at,
  m.provider_message_id, m.reason, m.details, m.delivery_status,
  (
    SELECT json_group_array(json_object('kind', kind, 'address', address, 'name', name))
    FROM (SELECT * FROM deliveries WHERE message_id = m.id ORDER BY position)
  ) AS recipients
"""

# Finds no message of another address.
_EMAIL = f"SELECT {_COLUMNS} FROM messages AS m WHERE id = ?1 AND {in_current_sendbox('?2')}"

# Both pages are read in the order of the index messages_by_address.
_OLDER = bounded_page(
    f"""
    SELECT {_COLUMNS} FROM messages AS m
    WHERE {in_current_sendbox("?1")} AND id < ?2 ORDER BY id DESC LIMIT ?3
    """,
    columns=("details", "recipients"),
    order="id DESC",
)
_NEWER = bounded_page(
    f"""
    SELECT {_COLUMNS} FROM messages AS m
    WHERE {in_current_sendbox("?1")} AND id > ?2 ORDER BY id LIMIT ?3
    """,
    columns=("details", "recipients"),
    order="id",
)

_CURSOR_EXISTS = f"SELECT 1 FROM messages WHERE id = ?1 AND {in_current_sendbox('?2')}"


async def find_email(
    database: Database, credential: Credential, message_id: str
) -> tuple[Row, list[Row]]:
    """The message with this id, sent by the address of ``credential``, and its bodies.

    The bodies are the rows of ``SHOWN_BODIES``.

    :raises NotFound: ``message_not_found``.
    """
    mine = (message_id, credential.address_id)
    rows, bodies = await require_valid(
        database, credential, Statement(_EMAIL, mine), Statement(SHOWN_BODIES, mine)
    )
    if not rows:
        raise NotFound("message_not_found")
    (row,) = rows
    return row, bodies


async def email_page(
    database: Database,
    credential: Credential,
    *,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> tuple[list[Row], bool]:
    """At most ``limit`` messages, newest first, and whether there are more.

    With ``before`` these would be newer messages, otherwise older ones. The page ends early, with
    the message with which it exceeds ``MAX_PAGE_BYTES`` (store/bounded_page.py).

    :param after: the id of a message; return the messages that follow it, which are older.
    :param before: the id of a message; return the messages that precede it, which are newer. Not
        combined with ``after``. Without both, the page starts with the newest message.
    :raises BadRequest: ``invalid_cursor``: there is no message with this id.
    """
    cursor = after if before is None else before
    sql = _OLDER if before is None else _NEWER
    page = (credential.address_id, AFTER_ALL_IDS if cursor is None else cursor, limit + 1)
    rows, cursor_rows = await require_valid(
        database,
        credential,
        Statement(sql, page),
        Statement(_CURSOR_EXISTS, (cursor, credential.address_id)),
    )
    if cursor is not None and not cursor_rows:
        raise field_error("invalid_cursor", "after" if before is None else "before")
    rows, has_more = page_of(rows, limit)
    return rows if before is None else rows[::-1], has_more
