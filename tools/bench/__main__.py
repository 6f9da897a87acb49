"""Run all measurements and print the figures.

python -m tools.bench [--long] [--json FILE]
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tools.bench import (
    batch,
    cold_start,
    cpu,
    database,
    delivery,
    imports,
    job_cpu,
    limits,
    python_time,
    replay,
    search,
    send,
    smtp,
    sweep,
    table_size,
    upload,
    webhooks,
)
from tools.bench.load import LoadError
from tools.bench.report import Figures, progress
from tools.bench.workers import Histories, Workers, started, started_on_histories
from tools.local_server import ServerError
from tools.wrangler import WranglerError

_LONG = 6  # times as many rounds with `--long`

# `send` is last, so that the many rows that it writes do not slow down the other measurements.
_BESIDE_EACH_OTHER: tuple[Callable[[Workers, Figures, int], None], ...] = (
    database.measure,
    # Before other modules send with one of the workers only: a worker that has run for longer takes
    # less CPU time.
    cpu.measure,
    job_cpu.measure,
    delivery.measure,
    webhooks.measure,
    python_time.measure,
    replay.measure,
    batch.measure,
    limits.measure,
    smtp.measure,
    send.measure,
)

_ON_HISTORIES: tuple[Callable[[Histories, Figures, int], None], ...] = (
    table_size.measure,
    sweep.measure,
    search.measure,
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="measure for 25 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops the servers, as Ctrl-C does
    began = time.monotonic()
    figures = Figures()
    repeat = _LONG if options.long else 1
    progress("Measuring; it takes about " + ("25 minutes" if options.long else "6 minutes"))
    try:
        if options.json:
            options.json.open("a").close()  # before the minutes of measuring
        upload.measure(figures)
        imports.measure(figures, repeat)
        cold_start.measure(figures, repeat)
        progress("Starting this project's worker and the bare one (10 s)")
        with started() as workers:
            for measure in _BESIDE_EACH_OTHER:
                measure(workers, figures, repeat)
        progress("Writing a thousand messages and a million (50 s)")
        with started_on_histories() as histories:
            for measure_on_histories in _ON_HISTORIES:
                measure_on_histories(histories, figures, repeat)
    except KeyboardInterrupt:
        progress("Interrupted; the servers are stopped")
        return 130
    except (LoadError, ServerError, WranglerError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    progress(f"Measured in {time.monotonic() - began:.0f} s")
    if options.json:
        options.json.write_text(figures.as_json())
    print(figures.as_lines(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
