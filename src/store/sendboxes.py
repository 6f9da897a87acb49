"""Sendboxes: a message lies in the one that its address had when it was accepted.

Clearing gives the address another number, so that it costs the same however much is cleared; what
lies in an older sendbox is neither shown nor sent, and the sweep removes it. A message in none
(NULL) was deleted.
"""

# The address_id of what administrators send; no address has it. Their sendbox is that of number 0.
ADMINISTRATION = 0

# Of the message m of any address.
LIES_ANYWHERE = f"""
m.sendbox = CASE m.address_id
  WHEN {ADMINISTRATION} THEN 0 ELSE (SELECT sendbox FROM addresses WHERE id = m.address_id)
END
"""


def lies_in_that_of(address_id: str, table: str = "") -> str:
    """The condition that a message lies in the present sendbox of the address of this id.

    :param address_id: SQL, like ``?1``.
    :param table: what stands before the columns, like ``m.``.
    """
    return (
        f"{table}address_id = {address_id}"
        f" AND {table}sendbox = (SELECT sendbox FROM addresses WHERE id = {address_id})"
    )
