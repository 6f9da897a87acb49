"""Generations of sendboxes: numbers in the column ``sendbox`` of ``addresses`` and ``messages``.

A message gets the generation that its address has at acceptance. Clearing a sendbox increments the
generation of the address and of the few messages that are being sent. So its cost does not depend
on the number of messages. Messages of an older generation are neither listed nor sent, and the cron
removes them. A deleted message has no generation (NULL).
"""

# The address_id of messages sent by administrators. No address has this id. The generation of these
# messages is 0.
ADMINISTRATION = 0

# The condition that the message m is in the current sendbox of the address that sent it.
IN_ANY_CURRENT_SENDBOX = f"""
m.sendbox = CASE m.address_id
  WHEN {ADMINISTRATION} THEN 0 ELSE (SELECT sendbox FROM addresses WHERE id = m.address_id)
END
"""


def in_current_sendbox(address_id: str, table: str = "") -> str:
    """The condition that a message is in the current sendbox of the address with this id.

    :param address_id: an SQL expression, like ``?1``.
    :param table: the prefix of the columns of the message, like ``m.``.
    """
    return (
        f"{table}address_id = {address_id}"
        f" AND {table}sendbox = (SELECT sendbox FROM addresses WHERE id = {address_id})"
    )
