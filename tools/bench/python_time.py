"""How much longer a send takes in Python than in the bare worker, at two sizes of mail.

This is the difference of the median latencies with one client. The worker's own clock would not
do: in production it stands still between two awaits. The difference holds all that Python adds -
the crossings into JavaScript, the credential, the checks, the log line - and lacks only what the
bare worker spends on reading and writing JSON.
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
