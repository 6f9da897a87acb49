"""The log: one line of JSON on standard output for each thing that happened.

It never holds passwords, tokens, or anything that a mail says; of who gets a mail only how many.
"""

import contextlib
import json
import sys
import traceback
from datetime import UTC, datetime


def log(event: str, **fields: object) -> None:
    """Write one line; fields that are None are left out.

    A log that can't be written stops nothing.
    """
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": event,
    }
    line |= {name: value for name, value in fields.items() if value is not None}
    with contextlib.suppress(OSError):
        print(json.dumps(line), file=sys.stdout, flush=True)


def log_fault(error: BaseException) -> None:
    """Write where ``error``, which nobody has foreseen, came from.

    Its text is left out: it may quote what a client sent.
    """
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    log("internal_error", kind=type(error).__name__, where=where)
