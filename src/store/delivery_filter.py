"""The filter of lists by delivery status.

Messages with a problem are found by the indexes ``messages_undelivered`` and
``messages_undelivered_of_all``. Most messages are ``sent`` and then ``delivered``. An index of
these would cost each send and each event a row. So a page with one of these statuses looks at a
limited number of messages, the newest first. The cursor of the next page continues after them.
"""

from mail.delivery import DeliveryStatus

# The maximum number of messages that a page looks at.
MAX_SEEN = 5000


def has_delivery_status(status: DeliveryStatus | None, table: str = "") -> str:
    """The further condition, in SQL, that a message has this delivery status; empty for None.

    :param table: the prefix of the columns of the message, like ``m.``.
    """
    match status:
        case None:
            return ""
        case "sent":
            return f"AND {table}delivery_status IS NULL AND {table}status = 'sent'"
        case "delivered":
            return f"AND {table}delivery_status = 'delivered'"
    # The second condition is that of the two indexes.
    return f"AND {table}delivery_status = '{status}' AND {table}delivery_status <> 'delivered'"


def is_found_by_index(status: DeliveryStatus | None) -> bool:
    """Whether a page with this status reads only its own rows."""
    return status not in ("sent", "delivered")


def last_seen(among: str) -> str:
    """SQL of the id of the last message that a page looks at; no row if it looks at all.

    :param among: the condition for the messages of the list, without the filter.
    """
    return f"""
    SELECT id FROM messages WHERE {among} ORDER BY id DESC LIMIT 1 OFFSET {MAX_SEEN - 1}
    """


def filter_of(status: DeliveryStatus | None, *, among: str, table: str = "") -> str:
    """The condition of ``has_delivery_status``, only for the messages that a page looks at."""
    condition = has_delivery_status(status, table)
    if is_found_by_index(status):
        return condition
    return f"{condition} AND {table}id >= coalesce(({last_seen(among)}), '')"
