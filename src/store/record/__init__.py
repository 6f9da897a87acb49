"""The only package that changes the states of messages and writes their histories.

``statuses`` records results of attempts, cancellations and expired leases. ``claim`` takes over a
message. ``reschedule`` changes the time of a scheduled message. ``deliveries`` records delivery
events after sending. ``store/reserve.py`` inserts a message with its first state. Side effects of a
change of state belong here.
"""

from store.record.statuses import (
    RECORD_STATEMENTS,
    StatusUpdate,
    record,
    record_statements,
    reroute,
)

__all__ = ["RECORD_STATEMENTS", "StatusUpdate", "record", "record_statements", "reroute"]
