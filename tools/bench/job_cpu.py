"""The CPU time of the jobs that run without a request, in the process that runs the worker."""

import json
import statistics
import time
from dataclasses import replace

from tools.bench import mails
from tools.bench.cpu import cpu_seconds, worker_process
from tools.bench.load import LoadError, Target, post_many
from tools.bench.report import Figures, progress
from tools.bench.workers import Workers
from tools.local_server import LocalServer

_IDLE_RUNS = 20
_DUE = 1000
_CLIENTS = 8
_SECONDS = 120
_OPEN = "SELECT count(*) AS open FROM messages WHERE status IN ('scheduled', 'queued', 'sending')"


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure runs of the cron with nothing to do, and with many messages that became due."""
    target = workers.ours
    progress(f"CPU time of the cron, with nothing to do and with {_DUE} due messages (60 s)")
    servers = (target.server, workers.bare.server)
    for server in servers:
        server.run_cron()  # warms up
    pairs = [tuple(map(_cpu_of_cron, servers)) for _ in range(_IDLE_RUNS * repeat)]
    ours, bare = zip(*pairs, strict=True)
    python = [one - other for one, other in pairs]
    figures.add("cpu_ms_per_idle_cron", statistics.median(ours))
    figures.add("bare_cpu_ms_per_idle_cron", statistics.median(bare))
    figures.add("python_cpu_ms_per_idle_cron", statistics.median(python))

    _schedule(target)
    cron = _cpu_of_cron(target.server)
    process = worker_process(target.server.process_group)
    before = cpu_seconds(process)
    _wait_until_sent(target.server)
    queued = (cpu_seconds(process) - before) * 1000 / _DUE
    figures.add(f"cpu_ms_per_cron_with_{_DUE}_due", cron)
    figures.add("cpu_ms_per_queued_send", queued)


def _cpu_of_cron(server: LocalServer) -> float:
    process = worker_process(server.process_group)
    before = cpu_seconds(process)
    server.run_cron()
    return (cpu_seconds(process) - before) * 1000


def _schedule(target: Target) -> None:
    """Schedule ``_DUE`` messages, and let them become due."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    mail = {
        "from": mails.SENDER,
        "to": mails.RECIPIENT,
        "subject": mails.SUBJECT,
        "text": mails.content(mails.TINY),
        "scheduled_at": later,
    }
    post_many(replace(target, path="/emails"), json.dumps(mail).encode(), _CLIENTS, _DUE)
    target.server.sql("UPDATE messages SET next_attempt_at = 1 WHERE status = 'scheduled'")


def _wait_until_sent(server: LocalServer) -> None:
    deadline = time.monotonic() + _SECONDS
    while server.sql(_OPEN)[0]["open"]:
        if time.monotonic() > deadline:
            raise LoadError(f"{_DUE} due messages are not sent within {_SECONDS} s")
        time.sleep(0.5)
