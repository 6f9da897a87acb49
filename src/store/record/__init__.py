"""The only writer of message states and histories.

``statuses`` records results of attempts, cancellations and expired leases. ``claim`` takes over a
message. ``reschedule`` changes its time. ``deliveries`` records delivery events after sending.
Side effects of a change of state belong here.
"""

from store.record.statuses import RECORD_STATEMENTS, StatusUpdate, record, record_statements

__all__ = ["RECORD_STATEMENTS", "StatusUpdate", "record", "record_statements"]
