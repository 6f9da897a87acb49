"""The duration of a sweep of a million messages, with nothing to do and with every kind of work.

The rows to sweep are written through the running server, so that the worker stays warm.
"""

import statistics
import time

from store.sweep import STEP_ROWS
from tools.bench.history import BODY, DAY, id_of, sent_messages
from tools.bench.load import LoadError
from tools.bench.log import await_lines, log_lines
from tools.bench.report import Figures, progress
from tools.bench.workers import Histories
from tools.local_server import LocalServer

_IDLE_SWEEPS = 20
_BUSY_SWEEPS = 4

# The rows that one busy sweep finds. The last three are the maximum that one sweep handles.
_EXPIRED = 500
_DUE = 100
_OLD_KEYS = _OLD_BODIES = _OLD_MESSAGES = STEP_ROWS

# The age of the rows to delete: one day more than their retention. An earlier sweep has already
# deleted all other rows of this age.
_BODY_DAYS = 31
_MESSAGE_DAYS = 91
_WORKER_SECONDS = 60


def measure(histories: Histories, figures: Figures, repeat: int) -> None:
    """Time the cron handler, from the request to the response of the local server."""
    for name, target in (("1k", histories.short), ("1m", histories.long)):
        sweeps = _IDLE_SWEEPS * repeat
        progress(f"Sweeping {sweeps} times with {target.name} and nothing to do")
        # First sweep the keys that have become a day old since the history was written.
        _sweep(target.server)
        idle = [_sweep(target.server)[0] for _ in range(sweeps)]
        figures.add(f"sweep_idle_ms_{name}_messages", statistics.median(idle))
    sweeps = _BUSY_SWEEPS * repeat
    progress(f"Sweeping {sweeps} times with work to do ({3 * sweeps} s)")
    busy = [_busy_sweep(histories.long.server) for _ in range(sweeps)]
    figures.add("sweep_busy_ms_1m_messages", statistics.median(time for time, _ in busy))
    figures.add("sweep_busy_rows", int(statistics.median(sum(rows.values()) for _, rows in busy)))


def _busy_sweep(server: LocalServer) -> tuple[float, dict[str, int]]:
    now = time.time_ns() // 1_000_000
    for sql in _work(now):
        server.sql(sql)
    milliseconds, rows = _sweep(server)
    done = ", ".join(f"{name} {count}" for name, count in rows.items())
    progress(f"{milliseconds:.0f} ms: {done}")
    _wait_until_sent(server)
    return milliseconds, rows


def _sweep(server: LocalServer) -> tuple[float, dict[str, int]]:
    """Run the cron handler once. Return its milliseconds, and the rows by kind of work."""
    before = len(log_lines(server.log, "sweep"))
    began = time.perf_counter()
    server.run_cron()
    milliseconds = (time.perf_counter() - began) * 1000
    (line,) = await_lines(server.log, "sweep", before)
    rows = {name: value for name, value in line.items() if isinstance(value, int)}
    if len(rows) != len(line) - 1:
        raise LoadError(f"a sweep failed: {line}")
    return milliseconds, rows


def _wait_until_sent(server: LocalServer) -> None:
    """Wait until no message is waiting for an attempt or being sent."""
    deadline = time.monotonic() + _WORKER_SECONDS
    while server.sql(
        "SELECT 1 FROM messages WHERE next_attempt_at IS NOT NULL"
        " UNION ALL SELECT 1 FROM messages WHERE lease_until IS NOT NULL"
    ):
        if time.monotonic() > deadline:
            raise LoadError("messages that were due are not sent")
        time.sleep(0.2)


def _work(now: int) -> list[str]:
    """Statements that create the work for a sweep at the time `now`."""
    gone = now - _MESSAGE_DAYS * DAY
    newest = "SELECT id FROM messages WHERE status = '{}' ORDER BY id DESC LIMIT {}"
    return [
        f"""
        UPDATE messages SET status = 'sending', lease_until = {now - 1}, finished_at = NULL
        WHERE id IN ({newest.format("sent", _EXPIRED)})
        """,
        f"""
        UPDATE messages SET status = 'queued', next_attempt_at = {now - 1}, finished_at = NULL
        WHERE id IN ({newest.format("failed", _DUE)})
        """,
        f"""
        UPDATE sweeps SET position = (
          SELECT id FROM messages WHERE id <= position ORDER BY id DESC LIMIT 1 OFFSET {_OLD_KEYS}
        )
        WHERE name = 'idempotency_keys'
        """,
        f"""
        UPDATE messages SET idempotency_key = id, request_digest = id
        WHERE id > (SELECT position FROM sweeps WHERE name = 'idempotency_keys')
          AND id < {id_of(now - DAY)}
        """,
        f"""
        INSERT INTO bodies (message_id, kind, part, content)
        SELECT id, 'text', 0, {BODY} FROM messages
        WHERE id < {id_of(now - _BODY_DAYS * DAY)} ORDER BY id DESC LIMIT {_OLD_BODIES}
        """,
        *sent_messages(gone, gone + DAY // 2, _OLD_MESSAGES),
    ]
