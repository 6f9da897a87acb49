"""Write the Pyodide bundle that workerd loads to run Python Workers.

A stock `wrangler dev` downloads this bundle from the internet. This module builds an equivalent one
from the `pyodide` npm package, so the local server needs only package registries. With the flag
`python_workers_development`, workerd loads the bundle from disk.

Pyodide's JavaScript uses platform primitives that workerd forbids. workerd has its own versions of
them in an internal module. `adapt` replaces the calls of the primitives by calls of these versions.
Each replacement must match an expected number of times, so an incompatible Pyodide release fails
here and not in a running server.

    python -m tools.pyodide_bundle PYODIDE_PACKAGE OUTPUT_FILE
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = Path(__file__).with_name("pyodide_bundle.capnp")
_MODULE_PREFIX = "pyodideRuntime-internal:"

_IMPORTS = (
    "import { addEventListener, getRandomValues, location, monotonicDateNow, newWasmModule, "
    'patchedLoadLibData, wasmInstantiate } from "pyodide-internal:builtin_wrappers";\n'
)
_NO_EVAL = '(() => { throw new Error("eval is not available in this runtime"); })()'
_LOAD_LIB_DATA = (
    "function loadLibData(){"
    "var libData=patchedLoadLibData(Module,libName,flags.rpath);"
    "return flags.loadAsync?Promise.resolve(libData):libData}"
)


class BundleError(Exception):
    """The Pyodide package differs from the one that this module expects."""


@dataclass(frozen=True)
class Replacement:
    """One replacement in Pyodide's JavaScript.

    The regular expression `pattern` must match exactly `count` times. `text` replaces it literally.
    """

    pattern: str
    text: str
    count: int


REPLACEMENTS = (
    Replacement(r"new WebAssembly\.Module\(", "newWasmModule(", 4),
    # instantiateStreaming is not replaced: workerd passes the compiled module.
    Replacement(r"WebAssembly\.instantiate\(", "wasmInstantiate(", 2),
    Replacement(r"\bDate\.now\b", "monotonicDateNow", 22),
    Replacement(r"\bcrypto\.getRandomValues\(view\)", "getRandomValues(Module,view)", 1),
    # The callers of eval: C macros with JavaScript, a script loader, and emscripten_run_script.
    Replacement(r"\beval\(func\)", _NO_EVAL, 2),
    Replacement(r"\beval\(data\)", _NO_EVAL, 1),
    Replacement(r"\beval\(UTF8ToString\(ptr\)\)", _NO_EVAL, 3),
    # With the next two, compiled wheels can be loaded: workerd manages their files and memory.
    Replacement(r"function loadLibData\(\)\{.*?\}(?=function getExports\(\)\{)", _LOAD_LIB_DATA, 1),
    Replacement(
        r"\bgetMemory\(metadata\.memorySize\+memAlign\)",
        "Module.getMemoryPatched(Module,libName,metadata.memorySize+memAlign)",
        1,
    ),
    Replacement(
        r"export default _createPyodideModule\b",
        "export { _createPyodideModule, _createPyodideModule as default }",
        1,
    ),
)


def replace(source: str, replacement: Replacement) -> str:
    """Apply one replacement.

    :raises BundleError: the pattern does not match the expected number of times.
    """
    text, found = re.subn(replacement.pattern, lambda _: replacement.text, source, flags=re.DOTALL)
    if found != replacement.count:
        raise BundleError(
            f"Pyodide's JavaScript has changed: the pattern {replacement.pattern!r} should match "
            f"{replacement.count} time(s) and matches {found}. Compare the new file with "
            "REPLACEMENTS in tools/pyodide_bundle.py."
        )
    return text


def adapt(source: str) -> str:
    """Return Pyodide's JavaScript, adapted to workerd.

    :raises BundleError: a pattern has an unexpected number of matches, or a call of eval is left.
    """
    for replacement in REPLACEMENTS:
        source = replace(source, replacement)
    if leftover := re.search(r"\beval\(", source):
        near = source[leftover.start() : leftover.start() + 60]
        raise BundleError(f"Pyodide's JavaScript has changed: an unknown call of eval: {near!r}")
    return _IMPORTS + source


def encode(javascript: bytes, wasm: bytes, stdlib: bytes) -> bytes:
    """Return the bundle: one Cap'n Proto message that holds the three modules."""
    import capnp  # Imported here: the tests of `adapt` run without it.

    capnp.remove_import_hook()
    schema = capnp.load(str(_SCHEMA))
    message = schema.Bundle.new_message()
    modules = message.init("modules", 3)
    contents = (
        ("pyodide.asm", "src", javascript),
        ("pyodide.asm.wasm", "wasm", wasm),
        ("python_stdlib.zip", "data", stdlib),
    )
    for module, (name, field, content) in zip(modules, contents, strict=True):
        module.name = _MODULE_PREFIX + name
        module.type = "internal"
        setattr(module, field, content)
    encoded: bytes = message.to_bytes()
    return encoded


def write_bundle(package: Path, output: Path) -> None:
    """Write the bundle of the npm package in `package` to `output`, atomically.

    :raises BundleError: a file of the package is missing or has changed.
    """
    try:
        javascript = (package / "pyodide.asm.mjs").read_text(encoding="utf-8")
        wasm = (package / "pyodide.asm.wasm").read_bytes()
        stdlib = (package / "python_stdlib.zip").read_bytes()
    except FileNotFoundError as exc:
        raise BundleError(f"The pyodide package has no file {exc.filename}") from exc
    content = encode(adapt(javascript).encode(), wasm, stdlib)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(output.name + ".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, output)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m tools.pyodide_bundle PYODIDE_PACKAGE OUTPUT_FILE", file=sys.stderr)
        return 2
    try:
        write_bundle(Path(arguments[0]), Path(arguments[1]))
    except BundleError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
