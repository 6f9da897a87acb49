"""The time from the start of the worker's process to its first response.

It contains the start of workerd and of Pyodide, which take most of it, and this project's imports.
In production a Worker starts from a snapshot of its memory, so it starts much faster. Compare these
figures only with those of another version on the same machine. The CPU time hardly depends on what
else the machine does.
"""

import os
import statistics
import time
from pathlib import Path

from tools.bench.cpu import cpu_seconds, worker_process
from tools.bench.report import Figures, progress
from tools.bench.workers import VARIABLES
from tools.local_server import LocalServer

_STARTS = 3


def measure(figures: Figures, repeat: int) -> None:
    """Start new workers on the same database. The first response is that of the health check."""
    starts = _STARTS * repeat
    progress(f"Starting {starts} new workers ({6 * starts} s)")
    with LocalServer(variables=VARIABLES) as server:
        samples = [_sample(server.restart()) for _ in range(starts)]
    times, cpu_times = zip(*samples, strict=True)
    figures.add("cold_start_ms", statistics.median(times), 0)
    figures.add("cold_start_cpu_ms", statistics.median(cpu_times), 0)


def _sample(server: LocalServer) -> tuple[float, float]:
    """The milliseconds since the worker's process was started, and their CPU time."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    process = worker_process(server.process_group)
    return (now - _started_at(process)) * 1000, cpu_seconds(process) * 1000


def _started_at(process: Path) -> float:
    """The seconds between the start of the machine and that of the process (proc(5))."""
    after_name = (process / "stat").read_text().rpartition(")")[2].split()
    return int(after_name[19]) / os.sysconf("SC_CLK_TCK")
