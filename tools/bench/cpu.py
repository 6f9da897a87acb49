"""The CPU time of a send in the process that runs the worker, compared with the bare worker.

Linux counts the time of each thread in ``/proc/PID/task/TID/schedstat``. ``wrangler dev`` starts
two workerd processes; the one that runs the worker has the database open.
"""

import contextlib
import os
import statistics
from pathlib import Path

from tools.bench import mails
from tools.bench.load import Target, post_many
from tools.bench.report import Figures, progress
from tools.bench.rounds import spread
from tools.bench.workers import Workers

_REQUESTS = 40  # per turn
_TURNS = 24
_CONCURRENCIES = {8: "", 1: "_c1"}  # and the endings of the names of their figures
_QUIET_LOAD = 0.5


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure in alternating turns of both workers, after a warm-up turn of each."""
    load = os.getloadavg()[0]
    if load > _QUIET_LOAD:
        progress(f"WARNING: the machine is not quiet (load {load:.2f}), so CPU times are too high")
    for concurrency, ending in _CONCURRENCIES.items():
        progress(f"CPU time of sends by {concurrency} client(s) (20 s)")
        pairs = _pairs(workers, concurrency, _TURNS * repeat)
        ours, bare = ([pair[side] for pair in pairs] for side in (0, 1))
        python = [one - other for one, other in pairs]
        for name, times in (("cpu", ours), ("bare_cpu", bare), ("python_cpu", python)):
            progress(f"{name}_ms_per_send{ending}: {spread(times)}")
            figures.add(f"{name}_ms_per_send{ending}", statistics.median(times))
    figures.add("load_before_cpu_turns", load)
    figures.add("load_after_cpu_turns", os.getloadavg()[0])


def _pairs(workers: Workers, concurrency: int, turns: int) -> list[tuple[float, float]]:
    """The milliseconds per send of this worker and of the bare one, for each pair of turns."""
    pairs = []
    for number in range(turns + 1):
        sides = (workers.ours, workers.bare)
        times = {side.name: _turn(side, concurrency) for side in sides[:: 1 if number % 2 else -1]}
        pairs.append((times[workers.ours.name], times[workers.bare.name]))
    return pairs[1:]


def _turn(target: Target, concurrency: int) -> float:
    """The CPU time of one send in milliseconds."""
    process = worker_process(target.server.process_group)
    before = cpu_seconds(process)
    post_many(target, mails.request_body(mails.TINY), concurrency, _REQUESTS)
    return (cpu_seconds(process) - before) * 1000 / _REQUESTS


def worker_process(group: int) -> Path:
    """The folder in /proc of the process of ``group`` that runs the worker."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group and _has_database(process):
                return process
        except OSError:  # the process has ended
            continue
    raise ValueError(f"no process of the group {group} has a database open")


def _has_database(process: Path) -> bool:
    for file in (process / "fd").iterdir():
        with contextlib.suppress(OSError):  # the file has been closed
            if "D1DatabaseObject" in os.readlink(file):
                return True
    return False


def cpu_seconds(process: Path) -> float:
    """The CPU time of all threads of the process so far."""
    threads = (process / "task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
