"""Records which functions each test calls. These tests can notice a mutant of such a function.

A file of tests is recorded when it is first needed, and again when it has changed. Functions have
names like ``src/store/claim.py:claim``, so a recording stays usable when functions move or change.
"""

import hashlib
import json
import re
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Generator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypedDict

import pytest

from tools.mutation.isolated import FOLDER
from tools.prepare import ROOT

_PLACES = ("tests/unit/test_*.py", "tests/api/**/test_*.py", "tests/smtp/test_*.py")
# In tests/smtp, the fixtures that start a local server. Tests with one of them can't notice a
# mutant: the server and the relay before it are other processes, which import the unchanged files.
_SERVERS = {"server", "faulty"}
_TREES = (f"{ROOT}/src/", f"{ROOT}/smtp_relay/")


class Test(TypedDict):
    """Whether a test function passes with all its parameters, its seconds, and what it calls."""

    passes: bool
    seconds: float
    calls: list[str]


class Recorder:
    """A plugin of pytest that writes to ``path`` which functions each test calls."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codes: dict[int, CodeType] = {}
        self._tests: dict[str, Test] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if not _has_server(item)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._codes.clear()
        started = time.monotonic()
        threading.settrace(self._trace)  # for threads that start from now on
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            test = self._test(item.nodeid)
            test["seconds"] += time.monotonic() - started
            # Threads that go on, like the relay of a fixture, add to the codes meanwhile.
            called = {function_of(code) for code in [*self._codes.values()]} - {""}
            test["calls"] = sorted(called.union(test["calls"]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._test(report.nodeid)["passes"] = False

    def pytest_sessionfinish(self) -> None:
        self._path.write_text(json.dumps(self._tests))

    def _test(self, node_id: str) -> Test:
        new = Test(passes=True, seconds=0, calls=[])
        return self._tests.setdefault(node_id.partition("[")[0], new)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        is_new = code.co_filename.startswith(_TREES) and id(code) not in self._codes
        if is_new and not _is_importing(frame):
            self._codes[id(code)] = code


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module of the project is being imported.

    A test that imports a module would seem to notice the mutants of all functions that it calls.
    """
    while frame:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(_TREES):
            return True
        frame = frame.f_back
    return False


def _has_server(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return item.nodeid.startswith("tests/smtp/") and not _SERVERS.isdisjoint(fixtures)


def function_of(code: CodeType) -> str:
    """The name of the function or method that contains ``code``. Empty for other projects' code."""
    if not code.co_filename.startswith(_TREES):
        return ""
    module = code.co_filename.removeprefix(f"{ROOT}/")
    return f"{module}:{code.co_qualname.partition('.<locals>')[0]}"


def test_files() -> list[str]:
    """The paths of all files of tests that may notice a mutant."""
    paths = {path for place in _PLACES for path in ROOT.glob(place)}
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


def recording_of(test_file: str) -> Path:
    """The path of the recording of this version of ``test_file``, which may not exist yet."""
    version = hashlib.sha256((ROOT / test_file).read_bytes()).hexdigest()[:12]
    name = test_file.removesuffix(".py").replace("/", ".")
    return FOLDER / "reach" / f"{name}.{version}.json"


@cache
def importing(module: str) -> frozenset[str]:
    """The paths of the files of tests that import ``module``, or a name from it."""
    dotted = module.removeprefix("src/").removesuffix(".py").replace("/", ".")
    package, _, name = dotted.rpartition(".")
    names = {f"import {dotted}\n", f"from {dotted} import"}
    pattern = re.compile(f"^from {re.escape(package)} import .*\\b{name}\\b", re.MULTILINE)
    found = set()
    for path in test_files():
        text = (ROOT / path).read_text("utf-8")
        if any(one in text for one in names) or (package and pattern.search(text)):
            found.add(path)
    return frozenset(found)


class Reach:
    """The tests that call each function, quickest first."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failing: list[str] = []
        self._of_function: dict[str, list[str]] = defaultdict(list)
        for test_file in test_files():
            recording = recording_of(test_file)
            if recording.exists():
                self._add(json.loads(recording.read_text()))

    def _add(self, tests: dict[str, Test]) -> None:
        for name, test in tests.items():
            if not test["passes"]:
                self.failing.append(name)
                continue
            self.seconds[name] = test["seconds"]
            for function in test["calls"]:
                self._of_function[function].append(name)

    def tests_of(self, functions: set[str], *, module: str, seconds: float) -> list[str]:
        """The tests that call one of ``functions``, up to ``seconds`` in total, quickest first.

        Tests of files that import ``module`` are more likely to notice its mutants, so they are
        chosen first. The first one is included even if it takes longer.
        """
        near = importing(module)
        called = {name for function in functions for name in self._of_function[function]}
        names = sorted(called, key=lambda name: (_file_of(name) not in near, self._duration(name)))
        return self._within(seconds, names)

    def tests_importing(self, module: str, *, seconds: float) -> list[str]:
        """The tests of files that import ``module``, up to ``seconds`` in total, quickest first."""
        near = importing(module)
        names = [name for name in self.seconds if _file_of(name) in near]
        return self._within(seconds, sorted(names, key=self._duration))

    def _within(self, seconds: float, names: list[str]) -> list[str]:
        chosen: list[str] = []
        total = 0.0
        for name in names:
            total += self.seconds[name]
            if chosen and total > seconds:
                break
            chosen.append(name)
        return sorted(chosen, key=self._duration)

    def _duration(self, name: str) -> tuple[float, str]:
        return self.seconds[name], name


def _file_of(test: str) -> str:
    return test.partition("::")[0]
