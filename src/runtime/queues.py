"""Put messages into a queue."""

from typing import Any

import msgspec
from pyodide.ffi import to_js

from runtime.coroutines import result_of
from subrequests import Subrequests

_MAX_BATCH = 100  # queue messages per sendBatch
_TIMEOUT_MILLISECONDS = 10_000


async def enqueue(subrequests: Subrequests, binding: str, messages: list[dict[str, Any]]) -> None:
    """Put messages into a queue.

    :param binding: the name of the queue's binding.
    :param messages: the options of each message: its ``body``, and maybe ``delaySeconds``.
    """
    for start in range(0, len(messages), _MAX_BATCH):
        encoded = to_js(msgspec.json.encode(messages[start : start + _MAX_BATCH]))
        subrequests.count()
        await result_of("enqueue", encoded, binding, _TIMEOUT_MILLISECONDS)
