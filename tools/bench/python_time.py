"""The time that Python adds to a send, for two sizes of mail.

It is the median latency of this project's worker minus the median latency of the bare JavaScript
worker, with one client. The worker's own clock can't measure it, because in production the clock
does not advance between two awaits. Both workers decode and encode JSON, so this time cancels out.
The rest of Python's time is included: the crossings into JavaScript, authentication, the checks and
the log line.
"""

import statistics
from functools import partial

from tools.bench import mails
from tools.bench.load import drive
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure each size in alternating turns of both workers."""
    for size in mails.SIZES:
        kib = size // mails.KIB
        body = mails.request_body(size)
        rounds = play(
            f"Sending mails of {kib} KiB one by one",
            partial(drive, workers.ours, body, 1),
            partial(drive, workers.bare, body, 1),
            repeat=repeat,
        )
        extra = [ours.median_ms - bare.median_ms for ours, bare in rounds]
        progress(f"Python adds {spread(extra)} ms")
        figures.add(f"python_ms_per_send_{kib}kb", statistics.median(extra))
