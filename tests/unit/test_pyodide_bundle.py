"""Adapting Pyodide's JavaScript to workerd: a wrong number of replacements stops the build."""

from pathlib import Path

import pytest

from tools.pyodide_bundle import (
    REPLACEMENTS,
    BundleError,
    Replacement,
    adapt,
    replace,
    write_bundle,
)

# For each replacement in REPLACEMENTS, in their order: a text that it finds, and the result.
FOUND = (
    "new WebAssembly.Module(code)",
    "WebAssembly.instantiate(code)",
    "Date.now()",
    "crypto.getRandomValues(view)",
    "eval(func)",
    "eval(data)",
    "eval(UTF8ToString(ptr))",
    "function loadLibData(){if(a){b}return c}function getExports(){}",
    "getMemory(metadata.memorySize+memAlign)",
    "export default _createPyodideModule",
)
LEFT = (
    "newWasmModule(code)",
    "wasmInstantiate(code)",
    "monotonicDateNow()",
    "getRandomValues(Module,view)",
    "eval is not available",
    "eval is not available",
    "eval is not available",
    "patchedLoadLibData(Module,libName,flags.rpath)",
    "Module.getMemoryPatched(Module,libName,metadata.memorySize+memAlign)",
    "export { _createPyodideModule, _createPyodideModule as default }",
)


def source(*, extra: str = "", without: str = "") -> str:
    """A file with as many matches as Pyodide's, plus ``extra``, and one ``without`` less."""
    lines = [
        line
        for line, replacement in zip(FOUND, REPLACEMENTS, strict=True)
        for _ in range(replacement.count)
    ]
    if without:
        lines.remove(without)
    return "\n".join([*lines, extra])


def test_a_replacement_is_made_at_every_match() -> None:
    assert replace("a1 b2 a3", Replacement(r"[ab](?=\d)", "x", 3)) == "x1 x2 x3"


def test_the_replacement_is_inserted_unchanged() -> None:
    assert replace("a", Replacement("(a)", r"\1 \g<0> $&", 1)) == r"\1 \g<0> $&"


@pytest.mark.parametrize(("text", "found"), [("", 0), ("a", 1), ("aaa", 3)])
def test_a_wrong_count_stops_the_build_and_names_the_expected_count(text: str, found: int) -> None:
    with pytest.raises(BundleError) as caught:
        replace(text, Replacement("a", "b", 2))
    assert str(caught.value) == (
        f"Pyodide's JavaScript has changed: the pattern 'a' should match 2 time(s) and matches "
        f"{found}. Compare the new file with REPLACEMENTS in tools/pyodide_bundle.py."
    )


@pytest.mark.parametrize(("found", "left"), list(zip(FOUND, LEFT, strict=True)), ids=FOUND)
def test_the_platforms_primitives_are_rerouted(found: str, left: str) -> None:
    assert found in source()
    adapted = adapt(source())
    assert found not in adapted
    assert left in adapted


def test_rerouted_names_are_imported() -> None:
    first, *_ = adapt(source()).splitlines()
    assert first.endswith('from "pyodide-internal:builtin_wrappers";')
    for name in ("newWasmModule", "wasmInstantiate", "monotonicDateNow", "patchedLoadLibData"):
        assert name in first


@pytest.mark.parametrize("line", FOUND)
def test_one_additional_match_stops_the_build(line: str) -> None:
    with pytest.raises(BundleError, match="should match"):
        adapt(source(extra=line))


@pytest.mark.parametrize("line", FOUND)
def test_one_missing_match_stops_the_build(line: str) -> None:
    with pytest.raises(BundleError, match="should match"):
        adapt(source(without=line))


def test_an_unknown_eval_stops_the_build() -> None:
    with pytest.raises(BundleError, match=r"an unknown call of eval: 'eval\(surprise\)"):
        adapt(source(extra="eval(surprise)"))


def test_words_that_only_end_in_eval_are_not_changed() -> None:
    assert "medieval(x)" in adapt(source(extra="medieval(x)"))


def test_a_missing_file_of_the_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"has no file .*pyodide\.asm\.mjs"):
        write_bundle(tmp_path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
