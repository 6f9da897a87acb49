"""Whether a send takes longer the more messages there are.

The same worker runs twice, on a short history and on a long one, and both get the same load in
turns. The sends add to both tables: a thousand messages become a few thousand.
"""

import statistics

from tools.bench import mails
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Histories

_TURN_SECONDS = 1.0
_ROUNDS = 16


def measure(histories: Histories, figures: Figures, repeat: int) -> None:
    """Measure with one client, whose latency is not that of a queue."""
    seconds = 2 * _TURN_SECONDS * (_ROUNDS * repeat + 1)
    progress(f"Sending from both databases ({seconds:.0f} s)")
    rounds = play(
        histories.long.target,
        histories.short.target,
        mails.request_body(mails.SMALL),
        rounds=_ROUNDS * repeat,
        seconds=_TURN_SECONDS,
        concurrency=1,
    )
    ratios = [played.latency_ratio for played in rounds]
    progress(f"Latency by that with few messages: {spread(ratios)}")
    figures.add(
        "send_ms_1k_messages", statistics.median(played.yardstick.median_ms for played in rounds)
    )
    figures.add(
        "send_ms_1m_messages", statistics.median(played.measured.median_ms for played in rounds)
    )
    figures.add("send_latency_1m_vs_1k_ratio", statistics.median(ratios), 3)
