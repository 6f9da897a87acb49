"""The mutants of ``make mutate``, and the functions that they affect."""

import contextlib
import json
import re
import signal
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smtp_relay.addresses import checked
from smtp_relay.message.convert import convert
from tools.mutation.__main__ import sample_of
from tools.mutation.isolated import interrupt_at_sigterm, kill
from tools.mutation.mutants import Mutant, mutants_between, mutants_of, pieces_of
from tools.mutation.reach import Reach, Recorder, importing
from tools.mutation.report import EQUIVALENT, Report, equivalent_mutants
from tools.mutation.sql import mutations
from tools.mutation.users import functions_at, is_in_function, makes_constant, users_of
from tools.prepare import ROOT


@pytest.mark.parametrize(
    ("sql", "mutated"),
    [
        ("WHERE a < ?1", ["WHERE a <= ?1", "WHERE (a < ?1 OR true)"]),
        ("WHERE a ->> 'b' = 1", ["WHERE (a ->> 'b' = 1 OR true)"]),
        ("{with_rows} SELECT a WHERE b", ["{with_rows} SELECT a WHERE (b OR true)"]),
        ("{condition} AND b", ["({condition} OR true) AND b", "{condition} AND (b OR true)"]),
        ("x IS NULL", ["x IS NOT NULL", "(x IS NULL OR true)"]),
        ("x IS NOT NULL", ["x IS NULL", "(x IS NOT NULL OR true)"]),
        ("ON CONFLICT (a) DO NOTHING", []),
        ("ORDER BY a DESC", ["ORDER BY a ASC"]),
        ("SELECT max(a)", ["SELECT min(a)"]),
        (
            "WHERE a BETWEEN ?1 AND ?2 AND {field} RETURNING id",
            [
                "WHERE (a BETWEEN ?1 AND ?2 OR true) AND {field} RETURNING id",
                "WHERE a BETWEEN ?1 AND ?2 AND ({field} OR true) RETURNING id",
            ],
        ),
        (
            "WHERE id IN (SELECT b FROM c WHERE d = ?1)",
            [
                "WHERE (id IN (SELECT b FROM c WHERE d = ?1) OR true)",
                "WHERE id IN (SELECT b FROM c WHERE (d = ?1 OR true))",
            ],
        ),
    ],
)
def test_each_condition_and_operator_of_sql_is_mutated(sql: str, mutated: list[str]) -> None:
    assert mutations(sql) == mutated


def test_the_mutants_of_a_module_differ_in_one_line() -> None:
    module = "src/store/schedule.py"
    source = (ROOT / module).read_text("utf-8").splitlines()
    mutants = list(mutants_of(module))
    assert any("OR true" in mutant.change for mutant in mutants)
    for mutant in mutants:
        lines = mutant.text.splitlines()
        differing = [
            i for i, (old, new) in enumerate(zip(source, lines, strict=True), 1) if old != new
        ]
        assert differing == [mutant.line]
    assert len({mutant.key for mutant in mutants}) == len(mutants)


def test_a_module_has_the_mutants_of_its_pieces() -> None:
    """Constants, decorators, the beginnings of classes, and methods."""
    module = "src/sending/dispatcher.py"
    lines = (ROOT / module).read_text("utf-8").splitlines()
    pieces = pieces_of(module)
    assert [first for first, _ in pieces[1:]] == [last + 1 for _, last in pieces[:-1]]
    assert pieces[-1][1] == len(lines)
    methods = [line for line in lines if line.startswith(("    def ", "    async def "))]
    starts = [lines[first - 1] for first, _ in pieces]
    assert set(methods) <= set(starts)
    assert len(starts) == len(set(pieces))


def test_the_options_of_a_class_of_data_are_not_mutated() -> None:
    """No code tries what frozen=True forbids, and all fields are given by name."""
    changes = [mutant.change for mutant in mutants_of("src/mail/delivery.py")]
    assert [change for change in changes if change.startswith("class ")] == [
        "class DeliveryEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):"
    ]


def test_the_size_of_a_cache_is_not_mutated() -> None:
    changes = [mutant.change for mutant in mutants_of("src/accounts/credentials.py")]
    assert changes
    assert not [change for change in changes if "maxsize" in change]


def test_a_larger_sample_includes_a_smaller_one() -> None:
    mutants = [*mutants_of("src/store/schedule.py")]
    sample = sample_of(mutants, 3)
    assert len(sample) == 3
    assert sample == sample_of(mutants[::-1], 4)[:3]
    assert sample_of(mutants, None) == mutants


def test_a_constant_affects_the_functions_that_use_it() -> None:
    module = "src/store/removal.py"
    source = (ROOT / module).read_text("utf-8").splitlines()
    line = next(i for i, text in enumerate(source, 1) if text.startswith("_FINISH_PURGES"))
    assert functions_at(module, line) == {f"{module}:purge_steps"}


def test_a_constant_affects_only_the_methods_of_a_class_that_use_it() -> None:
    module = "src/sending/dispatcher.py"
    source = (ROOT / module).read_text("utf-8").splitlines()
    line = next(i for i, text in enumerate(source, 1) if text.startswith("_LATE_TOGETHER"))
    assert functions_at(module, line) == {f"{module}:Dispatcher._record_late"}


def test_a_constant_affects_the_functions_of_other_modules() -> None:
    module = "src/store/sendbox_generation.py"
    source = (ROOT / module).read_text("utf-8").splitlines()
    line = next(i for i, text in enumerate(source, 1) if text.startswith("IN_ANY_CURRENT_SENDBOX"))
    assert "src/store/due.py:due_messages" in functions_at(module, line)


def test_a_function_that_makes_a_constant_affects_the_functions_that_use_it() -> None:
    """It is called when the module is imported, so no test calls it."""
    module = "src/routes.py"
    assert f"{module}:match" in users_of({f"{module}:_by_path"})
    assert makes_constant({f"{module}:_by_path"})
    assert not makes_constant({f"{module}:match"})
    assert makes_constant({"src/store/sendbox_generation.py:in_current_sendbox"})


def test_a_constant_is_in_no_function() -> None:
    module = "src/sending/dispatcher.py"
    source = (ROOT / module).read_text("utf-8").splitlines()

    def line(start: str) -> int:
        return next(i for i, text in enumerate(source, 1) if text.startswith(start))

    assert not is_in_function(module, line("_LATE_TOGETHER"))
    assert not is_in_function(module, line("class Dispatcher"))
    assert is_in_function(module, line("    def _log_attempts"))


def test_the_files_that_import_a_module() -> None:
    assert "tests/unit/test_needs.py" in importing("src/sending/needs.py")
    assert "tests/unit/test_message_size.py" in importing("src/mail/limits.py")
    assert "tests/unit/test_mutation.py" in importing("smtp_relay/message/convert.py")
    assert "tests/unit/test_mutation.py" not in importing("src/mail/limits.py")


def test_tests_that_import_the_module_are_chosen_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.mutation.reach.FOLDER", tmp_path)  # which has no recordings
    reach = Reach()
    near, other = "tests/unit/test_needs.py::test_a", "tests/unit/test_mutation.py::test_b"
    calls = ["src/sending/needs.py:to_record"]
    reach._add({near: {"passes": True, "seconds": 9, "calls": calls}})
    reach._add({other: {"passes": True, "seconds": 1, "calls": calls}})

    def chosen(seconds: float) -> list[str]:
        return reach.tests_of({*calls}, module="src/sending/needs.py", seconds=seconds)

    assert chosen(10) == [other, near]
    assert chosen(9) == [near]
    assert reach.tests_importing("src/sending/needs.py", seconds=60) == [near]


def test_an_equivalent_mutant_is_known_by_its_module_and_line() -> None:
    text = "# A comment\n\nsrc/a.py | x = 1 | a reason\n"
    assert equivalent_mutants(text) == {("src/a.py", "x = 1")}


def test_one_entry_of_the_list_may_stand_for_all_numbers_of_a_constant() -> None:
    report = Report()
    report._equivalent = {("src/a.py", "_STEP = *"), ("src/a.py", "x = 1")}

    def is_equivalent(change: str, module: str = "src/a.py") -> bool:
        return report.is_equivalent(Mutant(module, 1, change, ""))

    assert is_equivalent("_STEP = 999")
    assert is_equivalent("_STEP = 9 * 1024  # bytes")
    assert is_equivalent("x = 1")
    for change in ("x = 2", "_STEPS = 1", "_STEP == 1", "a _STEP = 1"):
        assert not is_equivalent(change)
    assert not is_equivalent("_STEP = 999", "src/b.py")


def test_each_mutant_in_the_list_of_equivalent_ones_exists() -> None:
    by_module: dict[str, set[str]] = {}
    for module, change in equivalent_mutants(EQUIVALENT.read_text("utf-8")):
        if change.endswith(" = *"):
            assert f"\n{change[:-1]}" in (ROOT / module).read_text("utf-8")
            continue
        by_module.setdefault(module, set()).add(change)
    found = {
        (module, mutant.change)
        for module, changes in by_module.items()
        for first, last in _pieces_with(module, changes)
        for mutant in mutants_between(module, first, last)
    }
    expected = {(module, change) for module, changes in by_module.items() for change in changes}
    assert expected - found == set()


def _pieces_with(module: str, changes: set[str]) -> list[tuple[int, int]]:
    """The pieces with a line like one of ``changes``. To mutate all of them would take longer."""
    lines = [_words(line) for line in (ROOT / module).read_text("utf-8").splitlines()]
    changed = [_words(change) for change in changes]
    return [
        (first, last)
        for first, last in pieces_of(module)
        if any(
            len(words - line) <= 4 and len(line - words) <= 1  # at most "(", "OR", "true", ")"
            for line in lines[first - 1 : last]
            for words in changed
        )
    ]


def _words(line: str) -> set[str]:
    return {*re.findall(r"\w+|[^\w\s]", line)}


def test_a_recording_has_the_calls_of_other_threads(tmp_path: Path) -> None:
    """In tests, the relay runs in a thread, and it converts messages in other threads."""
    recorder = Recorder(tmp_path / "recording.json")
    item: Any = SimpleNamespace(nodeid="test_a[1]")
    around = recorder.pytest_runtest_protocol(item)
    next(around)
    mail = b"Subject: a", ["b@example.com"]
    options = {"sender": "c@example.com", "max_hops": 30, "is_strict": False}
    thread = threading.Thread(target=convert, args=mail, kwargs=options)
    thread.start()
    thread.join()
    with contextlib.suppress(StopIteration):
        around.send(None)
    recorder.pytest_sessionfinish()
    recorded = json.loads((tmp_path / "recording.json").read_text())
    assert "smtp_relay/message/convert.py:convert" in recorded["test_a"]["calls"]


def test_a_recording_has_no_calls_of_an_import(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recording.json")
    item: Any = SimpleNamespace(nodeid="test_a")
    around = recorder.pytest_runtest_protocol(item)
    next(around)
    imported = compile("checked('a@b.example')", str(ROOT / "smtp_relay" / "a.py"), "exec")
    exec(imported, {"checked": checked})
    with contextlib.suppress(StopIteration):
        around.send(None)
    recorder.pytest_sessionfinish()
    recorded = json.loads((tmp_path / "recording.json").read_text())
    assert recorded["test_a"]["calls"] == []


def test_tests_with_a_server_in_another_process_are_not_recorded(tmp_path: Path) -> None:
    def item(nodeid: str, *fixtures: str) -> Any:
        return SimpleNamespace(nodeid=nodeid, fixturenames=fixtures)

    # In tests/api, the server is in the process of the tests.
    in_process = [item("tests/smtp/test_a.py::test", "tmp_path"), item("tests/api/b.py", "server")]
    other = [item("tests/smtp/test_a.py::test", "server"), item("tests/smtp/test_a.py", "faulty")]
    items = [*in_process, *other]
    Recorder(tmp_path).pytest_collection_modifyitems(items)
    assert items == in_process


def test_sigterm_interrupts_a_run() -> None:
    """Otherwise the processes with tests would go on, without a report at the end."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        interrupt_at_sigterm()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_interrupted_run_ends_a_process_that_has_just_begun() -> None:
    """It is still in the process group of this test."""
    with subprocess.Popen(["sleep", "60"]) as process:
        kill(process.pid)
        assert process.wait() < 0
