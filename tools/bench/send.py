"""Throughput and latency of sends, beside the bare worker's."""

import statistics

from tools.bench import mails
from tools.bench.load import Turn
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers

_TURN_SECONDS = 1.0
_ROUNDS = 16
_CONCURRENCIES = (1, 8)


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure with one client, and with as many as make the worker wait for nobody.

    `send_vs_bare_ratio` is the ratio under the latter load: there a request's own work counts in
    full, while with one client both workers mostly wait.
    """
    body = mails.request_body(mails.SMALL)
    for concurrency in _CONCURRENCIES:
        seconds = 2 * _TURN_SECONDS * (_ROUNDS * repeat + 1)
        progress(f"Sending with {concurrency} client(s) ({seconds:.0f} s)")
        rounds = play(
            workers.ours,
            workers.bare,
            body,
            rounds=_ROUNDS * repeat,
            seconds=_TURN_SECONDS,
            concurrency=concurrency,
        )
        ratios = [played.throughput_ratio for played in rounds]
        progress(f"Throughput by that of the bare worker: {spread(ratios)}")
        _add(figures, f"send_c{concurrency}", [played.measured for played in rounds])
        _add(figures, f"bare_c{concurrency}", [played.yardstick for played in rounds])
        figures.add(f"send_vs_bare_ratio_c{concurrency}", statistics.median(ratios), 3)
    figures.add("send_vs_bare_ratio", statistics.median(ratios), 3)


def _add(figures: Figures, name: str, turns: list[Turn]) -> None:
    latencies = [latency * 1000 for turn in turns for latency in turn.latencies]
    percentiles = statistics.quantiles(latencies, n=100)
    figures.add(f"{name}_per_second", statistics.median(turn.per_second for turn in turns), 1)
    figures.add(f"{name}_p50_ms", percentiles[49])
    figures.add(f"{name}_p95_ms", percentiles[94])
