"""What a send asks of D1, counted by this worker's gateway and, apart from that, by D1's answers.

This worker writes a line into its log for each request, with the round trips and the rows written
that went through the only door to D1. The bare worker adds up what D1 reports of the same
statements. The first send of an address grants its balance, so it is left out.
"""

import json
import statistics
import time
from pathlib import Path
from typing import Any

from tools.bench import mails
from tools.bench.load import LoadError, post
from tools.bench.report import Figures, progress
from tools.bench.workers import Workers

_SENDS = 10
_LOG_SECONDS = 5


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Count over some sends, which also warms both workers up."""
    progress("Counting what a send asks of D1 (2 s)")
    body = mails.request_body(mails.SMALL)
    before = len(_requests(workers.log))
    for _ in range(_SENDS):
        post(workers.ours, body)
    bare_rows = [int(post(workers.bare, body)["rows_written"]) for _ in range(_SENDS)]
    lines = _requests_after(before, workers.log)
    figures.add("d1_round_trips_per_send", _usual([line["d1_round_trips"] for line in lines]))
    figures.add("d1_rows_written_per_send", _usual([line["d1_rows_written"] for line in lines]))
    figures.add("bare_d1_rows_written_per_send", _usual(bare_rows))


def _requests_after(before: int, log: Path) -> list[dict[str, Any]]:
    """The log's lines of the sends, as soon as all are there: the log comes after the answers."""
    deadline = time.monotonic() + _LOG_SECONDS
    while len(lines := _requests(log)[before:]) < _SENDS:
        if time.monotonic() > deadline:
            raise LoadError(f"the log has {len(lines)} lines for {_SENDS} sends")
        time.sleep(0.05)
    return lines


def _requests(log: Path) -> list[dict[str, Any]]:
    # Wrangler's own lines stand between those of the worker.
    lines = log.read_text(errors="replace").splitlines()
    objects = [json.loads(line) for line in lines if line.startswith('{"event":"request"')]
    return [fields for fields in objects if isinstance(fields, dict)]


def _usual(counts: list[int]) -> int:
    """What all sends but the first cost, or most of them where a batch had to be repeated."""
    if len(set(counts[1:])) > 1:
        progress(f"The sends differ: {counts}")
    return statistics.mode(counts[1:])
