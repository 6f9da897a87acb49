"""The latency of an idempotent replay, compared with a send of the same request with a new key."""

import uuid
from dataclasses import replace
from functools import partial

from tools.bench import mails
from tools.bench.load import drive
from tools.bench.report import Figures
from tools.bench.rounds import compare_latency, play
from tools.bench.workers import Workers


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure with one client. Only the first request with the repeated key sends a mail."""
    body = mails.request_body(mails.SMALL)
    key = str(uuid.uuid4())
    replay = replace(workers.ours, name="a replay", idempotency_key=lambda: key)
    fresh = replace(workers.ours, name="a send", idempotency_key=lambda: str(uuid.uuid4()))
    rounds = play(
        "Sending with new keys and with one key",
        partial(drive, replay, body, 1),
        partial(drive, fresh, body, 1),
        repeat=repeat,
    )
    replay_ms, fresh_ms, ratio = compare_latency(rounds, "a fresh send")
    figures.add("fresh_p50_ms", fresh_ms)
    figures.add("replay_p50_ms", replay_ms)
    figures.add("replay_vs_fresh_ratio", ratio, 3)
