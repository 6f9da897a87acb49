"""How much longer a send takes in Python than in the bare worker, at two sizes of mail.

This is the difference of the median latencies with one client. The worker's own clock would not
do: in production it stands still between two awaits. The difference holds all that Python adds -
the crossings into JavaScript, the credential, the checks, the log line - and lacks only what the
bare worker spends on reading and writing JSON.
"""

import statistics

from tools.bench import mails
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers

_TURN_SECONDS = 0.6
_ROUNDS = 16


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure each size in alternating turns of both workers."""
    for size in mails.SIZES:
        kib = size // mails.KIB
        seconds = 2 * _TURN_SECONDS * (_ROUNDS * repeat + 1)
        progress(f"Sending mails of {kib} KiB one by one ({seconds:.0f} s)")
        rounds = play(
            workers.ours,
            workers.bare,
            mails.request_body(size),
            rounds=_ROUNDS * repeat,
            seconds=_TURN_SECONDS,
            concurrency=1,
        )
        extra = [played.extra_ms for played in rounds]
        progress(f"Python adds {spread(extra)} ms")
        figures.add(f"python_ms_per_send_{kib}kb", statistics.median(extra))
