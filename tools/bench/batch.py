"""Messages a second by batches against single sends, over the Resend-compatible interface."""

import json
import statistics
from dataclasses import replace

from tools.bench import mails
from tools.bench.load import drive
from tools.bench.report import Figures, progress
from tools.bench.rounds import spread
from tools.bench.workers import Workers

_MESSAGES = 25  # BATCH_INLINE: all of them are sent before the answer
_TURN_SECONDS = 1.0
_ROUNDS = 8
_CONCURRENCIES = (1, 8)


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure in alternating turns, with one client and with as many as the worker can use."""
    mail = {
        "from": mails.SENDER,
        "to": mails.RECIPIENT,
        "subject": mails.SUBJECT,
        "text": mails.content(mails.SMALL),
    }
    batch, single = json.dumps([mail] * _MESSAGES).encode(), json.dumps(mail).encode()
    batches = replace(workers.ours, name="a batch", path="/emails/batch")
    singles = replace(workers.ours, name="a send", path="/emails")
    for clients in _CONCURRENCIES:
        seconds = 2 * _TURN_SECONDS * (_ROUNDS * repeat + 1)
        progress(f"Sending in batches and one by one with {clients} client(s) ({seconds:.0f} s)")
        rates = []
        for _ in range(_ROUNDS * repeat + 1):
            by_batch = drive(batches, batch, seconds=_TURN_SECONDS, concurrency=clients)
            one_by_one = drive(singles, single, seconds=_TURN_SECONDS, concurrency=clients)
            rates.append((_MESSAGES * by_batch.per_second, one_by_one.per_second))
        ratios = [fast / slow for fast, slow in rates[1:]]  # the first round does not count
        progress(f"Messages a second by those of single sends: {spread(ratios)}")
        by_batches, by_sends = (
            statistics.median(values) for values in zip(*rates[1:], strict=True)
        )
        figures.add(f"batch_messages_per_second_c{clients}", by_batches, 1)
        figures.add(f"single_messages_per_second_c{clients}", by_sends, 1)
        figures.add(f"batch_vs_single_ratio_c{clients}", statistics.median(ratios))
