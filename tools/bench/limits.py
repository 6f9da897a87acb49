"""A send with every list and limit on, beside one with none of them."""

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from tools.bench import mails
from tools.bench.load import Target
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import VARIABLES, Workers, add_sender, target_of
from tools.local_server import LocalServer
from tools.wrangler import CONFIG

_ENTRIES = 10_000
_TURN_SECONDS = 0.6
_ROUNDS = 16
_LIMITED = {
    **VARIABLES,
    "SEND_RATE_LIMIT": "1000000/day",
    "PAUSE_FAILED_PERCENT": "50",
}
_QUOTAS = {
    "dailyEnabled": True,
    "dailyLimit": 1_000_000_000,
    "monthlyEnabled": True,
    "monthlyLimit": 1_000_000_000,
}

_NUMBERS = f"""
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {_ENTRIES})
"""
_FILL = (
    *(
        f"""
        INSERT INTO list_entries (list, value)
        {_NUMBERS} SELECT '{name}', 'entry' || n || '@example.net' FROM numbers
        """
        for name in ("send_block", "verified", "unlimited", "name_block")
    ),
    f"""
    INSERT INTO suppressions (address, reason, since)
    {_NUMBERS} SELECT 'suppressed' || n || '@example.net', 'bounced', 0 FROM numbers
    """,
)


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure in alternating turns with one client."""
    progress(f"Starting a worker with {_ENTRIES:,} entries in each list (5 s)")
    with _limited() as limited:
        seconds = 2 * _TURN_SECONDS * (_ROUNDS * repeat + 1)
        progress(f"Sending with every limit and with none ({seconds:.0f} s)")
        rounds = play(
            limited,
            workers.ours,
            mails.request_body(mails.SMALL),
            rounds=_ROUNDS * repeat,
            seconds=_TURN_SECONDS,
            concurrency=1,
        )
    ratios = [played.latency_ratio for played in rounds]
    progress(f"Latency by that of a send with no limit: {spread(ratios)}")
    figures.add("limited_p50_ms", statistics.median(played.measured.median_ms for played in rounds))
    figures.add("limited_vs_unlimited_latency_ratio", statistics.median(ratios), 3)


@contextmanager
def _limited() -> Iterator[Target]:
    with LocalServer((CONFIG,), variables=_LIMITED) as server:
        add_sender(server)
        for statement in _FILL:
            server.sql(statement)
        server.sql(
            "INSERT INTO settings (key, value) VALUES ('send_limits', ?)", [json.dumps(_QUOTAS)]
        )
        yield target_of("a worker with every limit", server)
