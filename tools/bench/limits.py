"""The latency of a send with all lists and limits, compared with a send without any."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tools.bench import mails
from tools.bench.load import Target, drive
from tools.bench.report import Figures, progress
from tools.bench.rounds import compare_latency, play
from tools.bench.workers import VARIABLES, Workers, add_sender, target_of
from tools.local_server import LocalServer
from tools.wrangler import CONFIG

_ENTRIES = 10_000
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
    INSERT INTO suppressions (address, scope, reason, since)
    {_NUMBERS} SELECT 'suppressed' || n || '@example.net', '', 'manual', 0 FROM numbers
    """,
)


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure in alternating turns with one client."""
    progress(f"Starting a worker with {_ENTRIES:,} entries in each list (5 s)")
    body = mails.request_body(mails.SMALL)
    with _limited() as limited:
        rounds = play(
            "Sending with every limit and with none",
            partial(drive, limited, body, 1),
            partial(drive, workers.ours, body, 1),
            repeat=repeat,
        )
    limited_ms, _, ratio = compare_latency(rounds, "a send with no limit")
    figures.add("limited_p50_ms", limited_ms)
    figures.add("limited_vs_unlimited_latency_ratio", ratio, 3)


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
