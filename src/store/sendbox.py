"""The sendbox: the messages of one address, newest first."""

from accounts.credentials import Credential
from refusals import Unauthorized
from store.addresses import holds_statement
from store.database import Database, Row, Statement

# messages_by_address gives the page in its order; bodies and deliveries are read by their keys,
# for the rows of the page alone. Of a long body a list shows the first part: a hundred whole
# messages would not fit into the worker's memory.
_PAGE = """
SELECT
  m.id, m.sender, m.sender_name, m.subject, m.status, m.accepted_at,
  d.address AS recipient, d.name AS recipient_name,
  b.kind AS body_kind, b.content
FROM (
  SELECT id FROM messages WHERE address_id = ?1 ORDER BY id DESC LIMIT ?2 OFFSET ?3
) AS page
JOIN messages AS m ON m.id = page.id
JOIN deliveries AS d ON d.message_id = m.id AND d.position = 0
LEFT JOIN bodies AS b ON b.message_id = m.id AND b.part = 0
ORDER BY m.id DESC
"""

_COUNT = "SELECT count(*) AS count FROM messages WHERE address_id = ?1"


async def sendbox_page(
    database: Database, credential: Credential, *, limit: int, offset: int
) -> tuple[list[Row], int]:
    """At most ``limit`` messages after the first ``offset``, and how many there are in all.

    :raises Unauthorized: where the credential no longer holds.
    """
    address_id = credential.address_id
    found, rows, counts = await database.batch(
        [
            holds_statement(credential),
            Statement(_PAGE, (address_id, limit, offset)),
            Statement(_COUNT, (address_id,)),
        ],
        repeatable=True,
    )
    if not found:
        raise Unauthorized("invalid_credential")
    return rows, counts[0]["count"]
