"""The number of D1 round trips and of written rows per send.

This project's worker counts them in its database gateway and logs them with each request. The bare
worker sums the rows that D1 reports for the same statements, as a check. The first send of an
address is omitted, because it also grants the balance.
"""

import statistics

from tools.bench import mails
from tools.bench.load import post
from tools.bench.log import await_lines, log_lines
from tools.bench.report import Figures, progress
from tools.bench.workers import Workers

_SENDS = 10


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Count over some sends, which also warm up both workers."""
    progress("Counting the D1 round trips and rows of a send (2 s)")
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
    """The most frequent count, without the first send. A repeated batch makes a count differ."""
    if len(set(counts[1:])) > 1:
        progress(f"The sends differ: {counts}")
    return statistics.mode(counts[1:])
