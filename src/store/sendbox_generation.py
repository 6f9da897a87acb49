"""Generations of sendboxes: a message has the generation of its address at its acceptance.

Clearing a sendbox increments the generation of the address, so its cost does not depend on the
number of messages. Messages of an older generation are neither listed nor sent, and the sweep
removes them. A deleted message has no generation (NULL).
"""

# The address_id of messages sent by administrators. No real address has
# this id. Messages under it always have generation 0.
ADMINISTRATION = 0

# The message m, of any address, has the current generation.
IN_ANY_CURRENT_SENDBOX = f"""
m.sendbox = CASE m.address_id
  WHEN {ADMINISTRATION} THEN 0 ELSE (SELECT sendbox FROM addresses WHERE id = m.address_id)
END
"""


def in_current_sendbox(address_id: str, table: str = "") -> str:
    """The condition that a message is in the current sendbox of the address with this id.

    :param address_id: SQL, like ``?1``.
    :param table: the prefix of the columns, like ``m.``.
    """
    return (
        f"{table}address_id = {address_id}"
        f" AND {table}sendbox = (SELECT sendbox FROM addresses WHERE id = {address_id})"
    )
