"""An idempotent replay against a fresh send: the same request, its key used before or not."""

import statistics
import uuid
from dataclasses import replace

from tools.bench import mails
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers

_TURN_SECONDS = 0.6
_ROUNDS = 16


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure in alternating turns with one client; the first request of all sends its mail."""
    key = str(uuid.uuid4())
    replay = replace(workers.ours, name="a replay", idempotency_key=lambda: key)
    fresh = replace(workers.ours, name="a send", idempotency_key=lambda: str(uuid.uuid4()))
    seconds = 2 * _TURN_SECONDS * (_ROUNDS * repeat + 1)
    progress(f"Sending with new keys and with one key ({seconds:.0f} s)")
    rounds = play(
        replay,
        fresh,
        mails.request_body(mails.SMALL),
        rounds=_ROUNDS * repeat,
        seconds=_TURN_SECONDS,
        concurrency=1,
    )
    ratios = [played.latency_ratio for played in rounds]
    progress(f"Latency by that of a fresh send: {spread(ratios)}")
    figures.add("fresh_p50_ms", statistics.median(played.yardstick.median_ms for played in rounds))
    figures.add("replay_p50_ms", statistics.median(played.measured.median_ms for played in rounds))
    figures.add("replay_vs_fresh_ratio", statistics.median(ratios), 3)
