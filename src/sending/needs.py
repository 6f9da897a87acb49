"""The maximum number of subrequests that each piece of sending needs, computed beforehand.

An invocation starts only work that fits into its remaining subrequests. Other invocations do the
rest.
"""

from collections.abc import Iterable, Sequence

from mail.message import Message
from mail.submission import Submission
from store.claim import CLAIM_STATEMENTS
from store.message_content import most_attachment_statements
from store.record import RECORD_STATEMENTS
from store.reserve import reserve_statements

# The maximum number of subrequests to record that other transports make the next attempts.
TO_REROUTE = 4
# The subrequests that other transports than the binding may need in addition: to record that other
# transports make the attempts of claimed messages, and to record the states of transports.
OF_OTHER_TRANSPORTS = TO_REROUTE + 1
# The subrequests to send message ids to the queue.
ENQUEUE = 1
# The subrequests to send the ids of messages that are attempted again. A statement selects them.
ENQUEUE_RETRIES = 1 + ENQUEUE
# The maximum number of delivery events that are recorded together. They must fit into a value of
# the database.
MOST_EVENTS = 2500
# The subrequests to record them, or to enqueue as many as MOST_QUEUED_EVENTS.
DELIVERY_EVENTS = 2
MOST_QUEUED_EVENTS = 100 * DELIVERY_EVENTS
# The maximum number of delivery events of one sandbox recipient.
EVENTS_PER_RECIPIENT = 2


def to_record(queued: Iterable[Message]) -> int:
    """The subrequests to record outcomes together.

    :param queued: messages that may become ``queued`` and whose attachments are not stored yet.
    """
    return RECORD_STATEMENTS + most_attachment_statements(queued)


def to_deliver(messages: Iterable[Message]) -> int:
    """The subrequests to record or enqueue the delivery events of these messages."""
    recipients = sum(len(message.recipients) for message in messages if message.is_sandbox)
    return DELIVERY_EVENTS * -(-recipients * EVENTS_PER_RECIPIENT // MOST_EVENTS)


def to_record_late(messages: Iterable[Message]) -> int:
    """The subrequests to record one group of late outcomes, with the delivery events."""
    return RECORD_STATEMENTS + to_deliver(messages)


def to_finish(messages: Sequence[Message]) -> int:
    """The subrequests that follow the provider calls for messages of a request."""
    events = to_deliver(messages)
    late = RECORD_STATEMENTS + events
    return to_record(messages) + ENQUEUE_RETRIES + events + late


def room_in_request(left: int, submission: Submission) -> int:
    """How many messages of ``submission`` can be attempted in its request.

    :param left: the number of subrequests that are left.
    """
    return left - reserve_statements(submission) - to_finish(submission.messages)


def room_for_due(left: int) -> int:
    """How many due messages can be claimed and attempted.

    :param left: the number of subrequests that are left.
    """
    late = RECORD_STATEMENTS + DELIVERY_EVENTS
    finish = RECORD_STATEMENTS + ENQUEUE_RETRIES + DELIVERY_EVENTS + late
    # The last ENQUEUE is for the messages that do not fit into this invocation.
    return left - CLAIM_STATEMENTS - finish - ENQUEUE
