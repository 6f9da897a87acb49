"""Messages per second in batches and in single sends, over the Resend-compatible interface."""

import json
import statistics
from dataclasses import replace
from functools import partial

from tools.bench import mails
from tools.bench.load import drive
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers

_MESSAGES = 25  # BATCH_INLINE: all of them are sent before the response
_CONCURRENCIES = (1, 8)


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure in alternating turns, with one client and with enough to saturate the worker."""
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
        rounds = play(
            f"Sending in batches and one by one with {clients} client(s)",
            partial(drive, batches, batch, clients),
            partial(drive, singles, single, clients),
            repeat=repeat,
            rounds=8,
            seconds=1.0,
        )
        rates = [(_MESSAGES * many.per_second, one.per_second) for many, one in rounds]
        ratios = [fast / slow for fast, slow in rates]
        progress(f"Messages per second in batches / in single sends: {spread(ratios)}")
        by_batches, by_sends = map(statistics.median, zip(*rates, strict=True))
        figures.add(f"batch_messages_per_second_c{clients}", by_batches, 1)
        figures.add(f"single_messages_per_second_c{clients}", by_sends, 1)
        figures.add(f"batch_vs_single_ratio_c{clients}", statistics.median(ratios))
