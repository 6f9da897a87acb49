"""The queue ``OUTBOX``: an alarm clock. A message in it is an id; the row holds the truth."""

from typing import Any

import msgspec
from pyodide.ffi import to_js

from runtime.bridge import bridge

_MAX_BATCH = 100  # messages of one sendBatch
_MAX_DELAY_SECONDS = 86_400
_ANSWER_MILLISECONDS = 10_000


class Outbox:
    """Wakes the queue's consumer for messages that are due."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def wake(self, alarms: list[tuple[str, int]]) -> None:
        """Have the consumer look at each of these messages in so many seconds.

        A delay longer than a queue keeps a message is cut: the consumer finds it not due yet, and
        the sweep wakes it in time.
        """
        for start in range(0, len(alarms), _MAX_BATCH):
            messages = [
                {"body": {"id": id_}, "delaySeconds": min(seconds, _MAX_DELAY_SECONDS)}
                for id_, seconds in alarms[start : start + _MAX_BATCH]
            ]
            encoded = to_js(msgspec.json.encode(messages))
            await bridge().enqueue(self._binding, encoded, _ANSWER_MILLISECONDS)


def woken_ids(batch: Any) -> list[str]:
    """The ids in a batch of the queue, each once; whatever else lies in it is passed over.

    The whole batch is acknowledged: losing it costs no more than a minute.
    """
    bodies = msgspec.json.decode(bridge().takeBatch(batch))
    ids = [body["id"] for body in bodies if isinstance(body, dict) and "id" in body]
    return list(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)))
