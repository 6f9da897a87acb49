"""The log lines of a worker that is being measured."""

import json
import time
from pathlib import Path
from typing import Any

from tools.bench.load import LoadError

_SECONDS = 60


def log_lines(log: Path, event: str) -> list[dict[str, Any]]:
    """The lines of `event` in the log so far. Lines that wrangler itself writes are skipped."""
    lines = log.read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith(f'{{"event":"{event}"')]


def await_lines(log: Path, event: str, before: int, count: int = 1) -> list[dict[str, Any]]:
    """Wait until `count` lines of `event` follow its first `before` lines, and return them.

    A line may be written after the response that it belongs to.

    :raises LoadError: the lines are not written within a minute.
    """
    deadline = time.monotonic() + _SECONDS
    while len(lines := log_lines(log, event)[before:]) < count:
        if time.monotonic() > deadline:
            raise LoadError(f"the log has {len(lines)} new lines of {event}, not {count}")
        time.sleep(0.02)
    return lines
