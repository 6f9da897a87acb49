"""Runs pytest in a process of its own, with a changed module if a mutant is given.

The process starts within milliseconds, because it is a fork of one that has imported the libraries.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from tools.mutation.mutants import Mutant
from tools.prepare import BUILD, ROOT

FOLDER = BUILD / "mutation"

_LIBRARIES: tuple[str, ...] = ("pytest", "hypothesis", "msgspec", "requests", "jwt", "idna")
_LIBRARIES += ("aiosmtpd.smtp", "anyio.pytest_plugin")
_OPTIONS = (
    *("-q", "-x", "--tb=line", "--no-header", "-m", "not slow", "--hypothesis-seed=0"),
    *("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:schemathesis"),
)
# If a poll of the processes takes longer, the run was suspended.
_LONGEST_POLL_SECONDS = 10
# The quickest tests of a mutant run first, and kill most mutants. If they pass, the others follow.
_FIRST_TESTS = 12


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, mutant: Mutant) -> None:
        super().__init__(name, str(ROOT / mutant.module))
        self._text = mutant.text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        path = mutant.module.removeprefix("src/").removesuffix(".py")
        self._name = path.replace("/", ".")
        self._loader = _Loader(self._name, mutant)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, loader=self._loader)


def import_libraries() -> None:
    """Import what the tests need, except the project's own modules.

    These are compiled once, even if the environment forbids compiled files next to the sources.
    """
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(FOLDER / "pycache")
    for name in _LIBRARIES:
        importlib.import_module(name)


def interrupt_at_sigterm() -> None:
    """Let SIGTERM interrupt the run like Ctrl+C, which a run in the background does not get."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def start(
    tests: Sequence[str],
    output: Path,
    *,
    mutant: Mutant | None = None,
    plugins: Sequence[Any] = (),
    cpu_seconds: float = 3600,
) -> int:
    """Start the tests in a new process, and return the id of the process.

    Its output is written to the file ``output``. Its exit status is that of pytest. If it uses more
    than ``cpu_seconds``, the signal SIGXCPU ends it.
    """
    process = os.fork()
    if process == 0:
        status = 3
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.setsid()
            most = math.ceil(cpu_seconds)
            resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
            status = _run(tests, output, mutant, plugins)
        finally:
            os._exit(status)
    return process


def _run(tests: Sequence[str], output: Path, mutant: Mutant | None, plugins: Sequence[Any]) -> int:
    import pytest
    from hypothesis.configuration import set_hypothesis_home_dir

    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    set_hypothesis_home_dir(FOLDER / "hypothesis")
    if mutant is None:
        # A recording needs all tests, so it must not stop (-x) at a failing test.
        options = [option for option in _OPTIONS if option != "-x"]
        return int(pytest.main([*options, *tests], plugins=list(plugins)))
    sys.meta_path.insert(0, _Finder(mutant))
    status = int(pytest.main([*_OPTIONS, *tests[:_FIRST_TESTS]]))
    if status == 0 and tests[_FIRST_TESTS:]:
        status = int(pytest.main([*_OPTIONS, *tests[_FIRST_TESTS:]]))
    return status


def kill(process: int) -> None:
    """End a process and all processes that it has started."""
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:  # it has no group yet
        os.kill(process, signal.SIGKILL)


class Processes:
    """At most ``most`` processes at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._running: dict[int, tuple[Any, float, float]] = {}

    @property
    def are_running(self) -> bool:
        return bool(self._running)

    @property
    def has_room(self) -> bool:
        return len(self._running) < self.most

    def add(self, process: int, what: Any, seconds: float) -> None:
        """Watch ``process``, which may take ``seconds``. ``wait`` returns its ``what``."""
        now = time.monotonic()
        self._running[process] = what, now, now + seconds

    def wait(self) -> tuple[Any, int | None, float]:
        """Wait for the end of a process. Return its ``what``, its exit status, and its seconds.

        A process that takes too long is killed. Its status is None. Time in which the whole run was
        suspended does not count.
        """
        polled = time.monotonic()
        while True:
            suspended, polled = time.monotonic() - polled, time.monotonic()
            if suspended > _LONGEST_POLL_SECONDS:
                self._extend(suspended)
            for process, (what, started, deadline) in self._running.items():
                ended, status = os.waitpid(process, os.WNOHANG)
                is_late = time.monotonic() > deadline
                if not ended and is_late:
                    kill(process)
                    os.waitpid(process, 0)
                if ended or is_late:
                    del self._running[process]
                    code = os.waitstatus_to_exitcode(status) if ended else None
                    return what, code, time.monotonic() - started
            time.sleep(0.01)

    def _extend(self, seconds: float) -> None:
        for process, (what, started, deadline) in self._running.items():
            self._running[process] = what, started, deadline + seconds

    def stop(self) -> None:
        for process in self._running:
            kill(process)
