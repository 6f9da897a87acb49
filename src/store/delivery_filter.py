"""The filter of lists by delivery status."""

from mail.delivery import KINDS, DeliveryStatus

_CONDITIONS: dict[DeliveryStatus, str] = {
    "sent": "AND {table}delivery_status IS NULL AND {table}status = 'sent'",
    "delivered": "AND {table}delivery_status = 'delivered'",
    # The second condition is that of the indexes messages_undelivered and
    # messages_undelivered_of_all.
    **{
        kind: f"AND {{table}}delivery_status = '{kind}' AND {{table}}delivery_status <> 'delivered'"
        for kind in KINDS
        if kind != "delivered"
    },
}


def has_delivery_status(status: DeliveryStatus | None, table: str = "") -> str:
    """The further condition, in SQL, that a message has this delivery status; empty for None.

    :param table: the prefix of the columns of the message, like ``m.``.
    """
    return "" if status is None else _CONDITIONS[status].format(table=table)
