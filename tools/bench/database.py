"""What a send asks of D1, counted by this worker's gateway and, apart from that, by D1's answers.

This worker writes a line into its log for each request, with the round trips and the rows written
that went through the only door to D1. The bare worker adds up what D1 reports of the same
statements. The first send of an address grants its balance, so it is left out.
"""

import statistics

from tools.bench import mails
from tools.bench.load import post
from tools.bench.log import await_lines, log_lines
from tools.bench.report import Figures, progress
from tools.bench.workers import Workers

_SENDS = 10


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Count over some sends, which also warms both workers up."""
    progress("Counting what a send asks of D1 (2 s)")
    body = mails.request_body(mails.SMALL)
    before = len(log_lines(workers.ours.server.log, "request"))
    for _ in range(_SENDS):
        post(workers.ours, body)
    bare_rows = [int(post(workers.bare, body)["rows_written"]) for _ in range(_SENDS)]
    lines = await_lines(workers.ours.server.log, "request", before, _SENDS)
    figures.add("d1_round_trips_per_send", _usual([line["d1_round_trips"] for line in lines]))
    figures.add("d1_rows_written_per_send", _usual([line["d1_rows_written"] for line in lines]))
    figures.add("bare_d1_rows_written_per_send", _usual(bare_rows))


def _usual(counts: list[int]) -> int:
    """What all sends but the first cost, or most of them where a batch had to be repeated."""
    if len(set(counts[1:])) > 1:
        progress(f"The sends differ: {counts}")
    return statistics.mode(counts[1:])
