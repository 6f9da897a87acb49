"""The webhooks that listen to what happens to messages: all that a send needs of them.

Triggers write the deliveries (migrations/0004_webhooks.sql). The code that caused them wakes the
webhooks.
"""

from collections.abc import Sequence

from store.database import quoted
from store.sendbox_generation import ADMINISTRATION

# The events that follow from a request, or from an attempt to send a message.
OUTCOMES = (
    *("email.scheduled", "email.queued", "email.sent", "email.failed", "email.suppressed"),
    *("email.unknown", "suppression.added"),
)

# The events that follow from a delivery event.
DELIVERY_OUTCOMES = (
    *("email.delivered", "email.delivery_delayed", "email.bounced", "email.complained"),
    *("email.failed", "email.suppressed", "email.sent", "suppression.added"),
)


def listeners(address_id: str, events: Sequence[str] = OUTCOMES) -> str:
    """SQL of the ids of the webhooks that listen to one of ``events``, as a JSON array.

    :param address_id: an SQL expression: the id of the address of the messages.
    """
    return f"""
    (
      SELECT json_group_array(hook.id) FROM webhooks AS hook
      WHERE hook.address_id IN ({address_id}, {ADMINISTRATION}) AND hook.disabled_by IS NULL
        AND EXISTS (SELECT 1 FROM json_each(hook.events) WHERE value IN ({quoted(events)}))
    )
    """
