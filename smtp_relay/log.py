"""The log: one line of JSON on standard output for each event.

It never contains passwords, tokens, recipients, or any content of a message.
"""

import contextlib
import json
import sys
import traceback
from datetime import UTC, datetime


def log(event: str, **fields: object) -> None:
    """Write one line. Fields that are None are omitted. Errors while writing are ignored."""
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": event,
    }
    line |= {name: value for name, value in fields.items() if value is not None}
    with contextlib.suppress(OSError):
        print(json.dumps(line), file=sys.stdout, flush=True)


def log_fault(error: BaseException) -> None:
    """Write the type and the origin of an unexpected ``error``.

    Omits the text of the error, which can quote what a client sent.
    """
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    log("internal_error", kind=type(error).__name__, where=where)
