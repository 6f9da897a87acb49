"""The command `make mutate`. The docstring of the package describes it."""

import argparse
import heapq
import signal
import sys
import time
from pathlib import Path

from tools.mutation.isolated import (
    FOLDER,
    Processes,
    import_libraries,
    interrupt_at_sigterm,
    start,
)
from tools.mutation.mutants import Mutant, mutants_of
from tools.mutation.reach import Reach, Recorder, recording_of, test_files
from tools.mutation.report import Report
from tools.mutation.session import Session
from tools.mutation.users import functions_at, is_in_function, makes_constant, users_of
from tools.prepare import ROOT

_SCOPE = (
    *("src/web/auth.py", "src/accounts", "src/sending", "src/mail", "src/store"),
    "smtp_relay/message",
)
_MOST_SECONDS = 60  # the recorded times of all tests for one mutant
_RECORDING_SECONDS = 1800
_PASSED, _FAILED, _USAGE_ERROR, _NO_TESTS = 0, 1, 4, 5  # exit statuses of pytest

_Work = tuple[Mutant, list[str]]


def _modules(places: list[str]) -> list[str]:
    found: list[Path] = []
    for place in map(ROOT.joinpath, places):
        found += [place] if place.is_file() else sorted(place.rglob("*.py"))
    return [path.relative_to(ROOT).as_posix() for path in found if path.stat().st_size > 500]


def _record(processes: Processes) -> None:
    """Record the files of tests that are new or have changed."""
    (FOLDER / "reach").mkdir(parents=True, exist_ok=True)
    waiting = [path for path in test_files() if not recording_of(path).exists()]
    total, done = len(waiting), 0
    while waiting or processes.are_running:
        if waiting and processes.has_room:
            path = waiting.pop()
            recorder = Recorder(recording_of(path))
            process = start([path], FOLDER / f"{Path(path).stem}.log", plugins=[recorder])
            processes.add(process, path, _RECORDING_SECONDS)
            continue
        path, _, seconds = processes.wait()
        done += 1
        print(f"{done}/{total} files of tests recorded: {path} ({seconds:.0f} s)", flush=True)


def sample_of(mutants: list[Mutant], most: int | None) -> list[Mutant]:
    """At most ``most`` of the mutants. A larger sample of the same mutants includes a smaller one.

    The keys are hashes, so their order is random but does not change.
    """
    return mutants if most is None else heapq.nsmallest(most, mutants, key=lambda each: each.key)


def _plan(
    modules: list[str], most: int | None, reach: Reach, session: Session, report: Report
) -> list[_Work]:
    """The mutants to run, each with its tests. The known outcomes are added to ``report``."""
    work = []
    for module in modules:
        mutants = [*mutants_of(module)]
        report.found += len(mutants)
        for mutant in sample_of(mutants, most):
            report.planned += 1
            tests = _tests_of(mutant, reach)
            outcome = session.outcome(mutant, tests)
            if report.is_equivalent(mutant):
                outcome = "equivalent"
            if outcome:
                report.add(mutant, outcome)
            else:
                work.append((mutant, tests))
    return work


def _tests_of(mutant: Mutant, reach: Reach) -> list[str]:
    """The tests that call the changed function, or a function that uses the changed constant.

    A test may also use a constant itself, so these include tests of files that import its module.
    A function may make a constant when a module is imported. Then these include the tests of the
    functions that use the constant.
    """
    seen: set[str] = set()
    functions = functions_at(mutant.module, mutant.line)
    if makes_constant(functions):
        functions = functions | users_of(functions)
    tests: list[str] = []
    while functions and not tests:
        tests = reach.tests_of(functions, module=mutant.module, seconds=_MOST_SECONDS)
        seen |= functions
        functions = users_of(functions) - seen
    if not is_in_function(mutant.module, mutant.line):
        others = reach.tests_importing(mutant.module, seconds=_MOST_SECONDS)
        tests += [test for test in others if test not in tests]
    return tests


def _run(
    work: list[_Work], reach: Reach, session: Session, report: Report, processes: Processes
) -> None:
    waiting, done, started = work[::-1], 0, time.monotonic()
    while waiting or processes.are_running:
        if waiting and processes.has_room:
            mutant, tests = waiting.pop()
            if not tests:
                session.save(mutant, "survived", 0, tests)
                report.add(mutant, "survived")
                done += 1
                continue
            log = FOLDER / f"{mutant.key[:12]}.log"
            expected = sum(reach.seconds[test] for test in tests)
            process = start(tests, log, mutant=mutant, cpu_seconds=5 + expected)
            processes.add(process, (mutant, tests), 60 + 10 * expected)
            continue
        (mutant, tests), status, seconds = processes.wait()
        done += 1
        log = FOLDER / f"{mutant.key[:12]}.log"
        if status == _USAGE_ERROR and "ERROR: not found" in log.read_text("utf-8"):
            print("A test was renamed during this run. The next run tries its mutants again.")
        else:
            outcome = _outcome(status)
            session.save(mutant, outcome, seconds, tests)
            report.add(mutant, outcome)
        log.unlink(missing_ok=True)
        if done % 20 == 0 or not waiting:
            left = (time.monotonic() - started) / done * (len(work) - done)
            counts = f"{report.survived} survive, about {left / 60:.0f} min left"
            print(f"{done}/{len(work)} mutants, {counts} ({mutant.module})", flush=True)


def _outcome(status: int | None) -> str:
    if status in (_PASSED, _NO_TESTS):
        return "survived"
    # Without a status, or with SIGXCPU, the tests took too long. With another status, pytest could
    # not collect them.
    return "killed" if status in (None, _FAILED, -signal.SIGXCPU) else "invalid"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutate")
    parser.add_argument("places", nargs="*", default=list(_SCOPE), help="modules or folders")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at a time")
    parser.add_argument("--sample", type=int, help="how many mutants of each module, at random")
    options = parser.parse_args()
    import_libraries()
    interrupt_at_sigterm()
    processes = Processes(options.jobs)
    work: list[_Work] = []
    report = Report()
    try:
        _record(processes)
        reach, session = Reach(), Session(FOLDER / "session.sqlite")
        for test in reach.failing:
            print(f"left out, because this test fails without a mutation: {test}")
        work = _plan(_modules(options.places), options.sample, reach, session, report)
        _run(work, reach, session, report, processes)
    except KeyboardInterrupt:
        print("Interrupted. The next run continues from here.")
    finally:
        processes.stop()
    if report.planned:
        print(report.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
