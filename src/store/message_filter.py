"""The filters of lists of messages.

Messages with a delivery problem are found by the indexes ``messages_undelivered`` and
``messages_undelivered_of_all``, and ids sort by time. No index has the other fields: it would cost
each send a row. So a page with such a filter looks at a limited number of messages, the newest
first. The cursor of the next page continues after them.
"""

from typing import Any

import msgspec

from ids import AFTER_ALL_IDS
from mail.delivery import DeliveryStatus
from mail.lifecycle import Status

# The maximum number of messages that a page looks at.
MAX_SEEN = 2500

# The subject, the sender and the recipients of a message, for the words of administrators.
_NAMES = """
lower({table}subject || ' ' || {table}sender || ' ' || (
  SELECT group_concat(address || ' ' || coalesce(name, ''), ' ')
  FROM deliveries WHERE message_id = {table}id
))
"""

# A condition by the member of the filter that needs it. ``{F}`` is the parameter of the filter.
_CONDITIONS = {
    "status": "{table}status = {F} ->> 'status'",
    "recipient": """EXISTS (
      SELECT 1 FROM deliveries
      WHERE message_id = {table}id AND lower(address) = {F} ->> 'recipient'
    )""",
    "domain": """EXISTS (
      SELECT 1 FROM deliveries
      WHERE message_id = {table}id
        AND substr(lower(address), instr(address, '@')) = {F} ->> 'domain'
    )""",
    "tag": """EXISTS (
      SELECT 1 FROM json_each({table}details, '$.tags')
      WHERE value ->> 'name' = {F} ->> 'tag'
        AND value ->> 'value' = coalesce({F} ->> 'tag_value', value ->> 'value')
    )""",
    "request_id": "{table}request_id = {F} ->> 'request_id'",
    "words": f"""NOT EXISTS (
      SELECT 1 FROM json_each({{F}}, '$.words') WHERE instr({_NAMES}, value) = 0
    )""",
}


class MessageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions for the messages of a list. All of them must be true.

    ``recipient`` is an address in lower case, ``domain`` its end from the ``@`` on. ``words`` are
    parts of the subject, the sender or the recipients, in lower case. ``since`` and ``until`` are
    ids: the lowest id, and an id that is higher than all.
    """

    status: Status | None = None
    delivery_status: DeliveryStatus | None = None
    recipient: str | None = None
    domain: str | None = None
    tag: str | None = None
    tag_value: str | None = None
    request_id: str | None = None
    words: tuple[str, ...] = ()
    since: str = ""
    until: str = AFTER_ALL_IDS

    @property
    def is_scanned(self) -> bool:
        """Whether a page looks at messages that it does not show."""
        return bool(self._needed()) or self.delivery_status in ("sent", "delivered")

    @property
    def found(self) -> str:
        """The condition in SQL for which there is an index; empty if there is none."""
        return "" if self.delivery_status in ("sent", "delivered") else self._of_delivery("")

    @property
    def is_empty(self) -> bool:
        """Whether a list shows all messages of its time."""
        return not self._needed() and self.delivery_status is None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameter of the conditions, if they have one: a JSON object."""
        needed = self._needed()
        if not needed:
            return ()
        if self.tag_value is not None:
            needed["tag_value"] = self.tag_value
        return (msgspec.json.encode(needed).decode(),)

    def conditions(self, place: int, table: str = "") -> str:
        """The conditions in SQL, with ``AND`` before each.

        :param place: the number of the parameter that ``parameters`` has.
        :param table: the prefix of the columns of the message, like ``m.``.
        """
        given = [_CONDITIONS[name].format(table=table, F=f"?{place}") for name in self._needed()]
        return self._of_delivery(table) + "".join(f" AND {one}" for one in given)

    def of_seen(self, place: int, among: str, table: str = "") -> str:
        """Like ``conditions``, only for the messages that a page looks at.

        :param among: the condition for the messages of the list, without this filter.
        """
        conditions = self.conditions(place, table)
        if not self.is_scanned:
            return conditions
        return f"{conditions} AND {table}id >= coalesce(({self.last_seen(among)}), '')"

    def last_seen(self, among: str) -> str:
        """SQL of the id of the last message that a page looks at; no row if it looks at all."""
        return f"""
        SELECT id FROM messages WHERE {among} {self.found}
        ORDER BY id DESC LIMIT 1 OFFSET {MAX_SEEN - 1}
        """

    def _needed(self) -> dict[str, Any]:
        return {name: value for name in _CONDITIONS if (value := getattr(self, name))}

    def _of_delivery(self, table: str) -> str:
        status = self.delivery_status
        match status:
            case None:
                return ""
            case "sent":
                return f"AND {table}delivery_status IS NULL AND {table}status = 'sent'"
            case "delivered":
                return f"AND {table}delivery_status = 'delivered'"
        # The second condition is that of the two indexes.
        return f"AND {table}delivery_status = '{status}' AND {table}delivery_status <> 'delivered'"


ALL = MessageFilter()
