"""The throughput and latency of sends, compared with the bare worker."""

import statistics
from functools import partial

from tools.bench import mails
from tools.bench.load import Turn, drive
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers

_CONCURRENCIES = (1, 8)


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure with one client, and with enough clients to keep the worker busy.

    `send_vs_bare_ratio` is the ratio with many clients. There the throughput depends on the CPU
    time of a request, while with one client both workers mostly wait for D1.
    """
    body = mails.request_body(mails.SMALL)
    for concurrency in _CONCURRENCIES:
        rounds = play(
            f"Sending with {concurrency} client(s)",
            partial(drive, workers.ours, body, concurrency),
            partial(drive, workers.bare, body, concurrency),
            repeat=repeat,
            seconds=1.0,
        )
        ratios = [ours.per_second / bare.per_second for ours, bare in rounds]
        progress(f"Throughput / throughput of the bare worker: {spread(ratios)}")
        _add(figures, f"send_c{concurrency}", [ours for ours, _ in rounds])
        _add(figures, f"bare_c{concurrency}", [bare for _, bare in rounds])
        figures.add(f"send_vs_bare_ratio_c{concurrency}", statistics.median(ratios), 3)
    figures.add("send_vs_bare_ratio", statistics.median(ratios), 3)


def _add(figures: Figures, name: str, turns: list[Turn]) -> None:
    latencies = [latency * 1000 for turn in turns for latency in turn.latencies]
    percentiles = statistics.quantiles(latencies, n=100)
    figures.add(f"{name}_per_second", statistics.median(turn.per_second for turn in turns), 1)
    figures.add(f"{name}_p50_ms", percentiles[49])
    figures.add(f"{name}_p95_ms", percentiles[94])
