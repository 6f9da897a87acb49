"""The effect of the number of stored messages on the latency of a send.

Two instances of this project's worker run on a short and a long history, and get the same load in
alternating turns. The sends add messages to both: a thousand messages become a few thousand.
"""

from functools import partial

from tools.bench import mails
from tools.bench.load import drive
from tools.bench.report import Figures
from tools.bench.rounds import compare_latency, play
from tools.bench.workers import Histories


def measure(histories: Histories, figures: Figures, repeat: int) -> None:
    """Measure with one client, so that no request waits for another."""
    body = mails.request_body(mails.SMALL)
    rounds = play(
        "Sending from both databases",
        partial(drive, histories.long, body, 1),
        partial(drive, histories.short, body, 1),
        repeat=repeat,
        seconds=1.0,
    )
    long_ms, short_ms, ratio = compare_latency(rounds, "a send with few messages")
    figures.add("send_ms_1k_messages", short_ms)
    figures.add("send_ms_1m_messages", long_ms)
    figures.add("send_latency_1m_vs_1k_ratio", ratio, 3)
