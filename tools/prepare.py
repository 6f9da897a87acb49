"""Set up everything the make targets need: tools, packages, vendored code, engine, static files.

The system's Python runs this module before a virtual environment exists. So the module imports only
the standard library. Even a Python that is too old must be able to parse the module, so that `main`
can report it.

Each step generates one folder and writes a stamp into it: the hash of everything that the result
depends on. A folder with a matching stamp is kept. Any other folder is generated again from
scratch, for example after an interrupted run.

    python3 tools/prepare.py
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OLDEST_PYTHON = (3, 11)

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
PYTHON_MODULES = ROOT / "python_modules"
ENGINE = BUILD / "engine"
CONSOLE = ROOT / "console"
CONSOLE_ASSETS = ROOT / "public" / "assets"
CONSOLE_PAGE = ROOT / "public" / "index.html"
GUIDES = ROOT / "public" / "guides"
SCALAR = ROOT / "public" / "scalar"
API_DESCRIPTION = ROOT / "public" / "openapi.json"
API_REFERENCE = ROOT / "public" / "docs.html"
LOGS = BUILD / "logs"
_REFERENCE = BUILD / "reference"
WORKERD = ENGINE / "workerd"

_STAMP = ".prepared"
_REQUIREMENTS = ROOT / "requirements"
_TOOLS = ROOT / "tools"
_SOURCE = ROOT / "src"
_BUNDLE_DIRECTORY_OPTION = "--pyodide-bundle-disk-cache-dir"

# The program that shows the API reference. npm would also install its 190 dependencies (310 MB),
# which the built files contain already. So only the package itself is downloaded, and checked.
_SCALAR_PACKAGE = "@scalar/api-reference@1.76.0"
_SCALAR_SHA512 = (
    "pjqwnzmA9YK3ZX+IZSICMsywm4qI6HLSngR2py9H6TvFApHHuJjkTAd+gFJfnqJDzJuro8k7ji6JCtJ2U+Byng=="
)
_SCALAR_FOLDER = "package/dist/browser/"

# The platform of the Worker's wheels: Python 3.14 compiled to WebAssembly, as in production.
WORKER_PLATFORM = (
    "--platform=pyemscripten_2026_0_wasm32",
    "--python-version=3.14",
    "--implementation=cp",
    "--abi=cp314",
    "--only-binary=:all:",
)


class PrepareError(Exception):
    """A step failed. The message says why."""


@dataclass(frozen=True)
class Step:
    """One generated folder and how to generate it.

    The files `inputs` and the texts `facts` determine the result. `outside` are the files that the
    step generates outside of the folder. `hint` says what to do if the step fails.
    """

    name: str
    title: str
    seconds: int
    folder: Path
    inputs: tuple[Path, ...]
    facts: tuple[str, ...]
    make: Callable[[Log], None]
    hint: str
    outside: tuple[Path, ...] = ()

    @property
    def wanted_stamp(self) -> str:
        digest = hashlib.sha256()
        for fact in self.facts:
            digest.update(b"fact\0" + fact.encode() + b"\0")
        for path in self.inputs:
            digest.update(b"file\0" + path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    @property
    def is_done(self) -> bool:
        try:
            is_current = (self.folder / _STAMP).read_text() == self.wanted_stamp
            return is_current and all(path.is_file() for path in self.outside)
        except OSError:
            return False


class Log:
    """The file for the output of a step's commands."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        self.path = path

    def run(self, *command: str | Path, env: dict[str, str] | None = None) -> None:
        """Run a command in the repository.

        :raises PrepareError: the command fails.
        """
        words = [str(word) for word in command]
        with self.path.open("a") as output:
            output.write(f"$ {shlex.join(words)}\n")
            output.flush()
            result = subprocess.run(
                words,
                cwd=ROOT,
                env=_environment(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if result.returncode != 0:
            raise PrepareError(f"`{Path(words[0]).name}` ended with status {result.returncode}")

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-lines:])


def venv_program(name: str) -> Path:
    """The path of a program in the virtual environment."""
    return VENV / "bin" / name


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """The caller's environment, without PYTHONHOME and PYTHONPATH. The venv is first in PATH."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    env["PIP_NO_INPUT"] = "1"
    return {**env, **extra}


def _make_venv(log: Log) -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    # If this runs in a virtual environment, the new one must not depend on it.
    base_python = getattr(sys, "_base_executable", sys.executable)
    log.run(base_python, "-m", "venv", VENV)
    log.run(
        venv_program("python"),
        *("-m", "pip", "install", "--require-hashes", "--no-deps", "--progress-bar=off"),
        *("-r", _REQUIREMENTS / "dev.txt"),
    )


def _make_node_modules(log: Log) -> None:
    shutil.rmtree(NODE_MODULES, ignore_errors=True)
    log.run(venv_program("npm"), "install", "--no-progress", "--loglevel=warn")


def _make_python_modules(log: Log) -> None:
    fresh = BUILD / "python_modules.new"
    shutil.rmtree(fresh, ignore_errors=True)
    log.run(
        venv_program("python"),
        *("-m", "pip", "install", "--target", fresh, "--no-compile", "--require-hashes"),
        *("--no-deps", "--progress-bar=off", *WORKER_PLATFORM),
        *("-r", _REQUIREMENTS / "worker.txt"),
    )
    # A Worker has no use for console scripts. pywrangler creates the empty file pyvenv.cfg too.
    shutil.rmtree(fresh / "bin", ignore_errors=True)
    (fresh / "pyvenv.cfg").touch()
    shutil.rmtree(PYTHON_MODULES, ignore_errors=True)
    fresh.rename(PYTHON_MODULES)


def _make_engine(log: Log) -> None:
    ENGINE.mkdir(parents=True, exist_ok=True)
    (ENGINE / _STAMP).unlink(missing_ok=True)
    binaries = sorted(NODE_MODULES.glob("@cloudflare/workerd-*/bin/workerd"))
    if len(binaries) != 1:
        raise PrepareError(
            f"npm installed {len(binaries)} workerd binaries for {platform.system()} "
            f"{platform.machine()} instead of one"
        )
    log.run(
        venv_program("python"),
        *("-m", "tools.pyodide_bundle", NODE_MODULES / "pyodide"),
        ENGINE / "pyodide_dev.capnp.bin",
    )
    unfinished = ENGINE / "workerd.part"
    unfinished.write_text(_workerd_wrapper(binaries[0]))
    unfinished.chmod(0o755)
    unfinished.replace(WORKERD)


def _workerd_wrapper(binary: Path) -> str:
    """The script that wrangler runs as workerd. It adds the option with the bundle's folder."""
    option = f"{_BUNDLE_DIRECTORY_OPTION}={ENGINE}"
    return (
        "#!/bin/sh\n"
        f'if [ "$1" = serve ]; then shift; set -- serve {shlex.quote(option)} "$@"; fi\n'
        f'exec {shlex.quote(str(binary))} "$@"\n'
    )


def _make_console(log: Log) -> None:
    fresh, metafile = BUILD / "assets.new", BUILD / "assets.json"
    shutil.rmtree(fresh, ignore_errors=True)
    log.run(
        NODE_MODULES / ".bin" / "esbuild",
        *(CONSOLE / "console.tsx", CONSOLE / "human.ts", CONSOLE / "styles" / "console.css"),
        *(
            CONSOLE / "site" / f"{page}.{kind}"
            for page in ("docs", "guides")
            for kind in ("ts", "css")
        ),
        *("--bundle", "--format=esm", "--minify", "--target=es2022", "--entry-names=[name]"),
        *("--charset=utf8", f"--outdir={fresh}", f"--tsconfig={CONSOLE / 'tsconfig.json'}"),
        *("--splitting", f"--metafile={metafile}"),
    )
    page = _with_preloads((CONSOLE / "index.html").read_text(), json.loads(metafile.read_bytes()))
    # The old assets stay until here, so `make dev` still serves them if the new source is invalid.
    shutil.rmtree(CONSOLE_ASSETS, ignore_errors=True)
    fresh.rename(CONSOLE_ASSETS)
    CONSOLE_PAGE.write_text(page)


def _with_preloads(page: str, built: Any) -> str:
    """Let the page load the chunks that its script imports together with the script."""
    outputs = {Path(name).name: output for name, output in built["outputs"].items()}
    needed = ["console.js"]
    for name in needed:
        imports = [one for one in outputs[name]["imports"] if one["kind"] == "import-statement"]
        needed += sorted({Path(one["path"]).name for one in imports} - {*needed})
    script = '<script type="module"'
    links = [f'<link rel="modulepreload" href="assets/{name}">\n    ' for name in needed[1:]]
    return page.replace(script, "".join(links) + script)


def _make_reference(log: Log) -> None:
    _REFERENCE.mkdir(parents=True, exist_ok=True)
    # -B prevents bytecode files in src/, because `make dev` watches src/ for changes.
    log.run(
        *(venv_program("python"), "-B", "-m", "tools.openapi"),
        *(API_DESCRIPTION, API_REFERENCE),
    )


def _make_scalar(log: Log) -> None:
    archives = BUILD / "scalar"
    fresh = BUILD / "scalar.new"
    for folder in (archives, fresh):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    log.run(
        *(venv_program("npm"), "pack", _SCALAR_PACKAGE, "--silent"),
        *("--pack-destination", archives),
    )
    (archive,) = archives.iterdir()
    digest = hashlib.sha512(archive.read_bytes()).digest()
    if base64.b64encode(digest).decode() != _SCALAR_SHA512:
        raise PrepareError(f"{_SCALAR_PACKAGE} is not the package that was tested")
    with tarfile.open(archive) as package:
        for member in package:
            name = member.name.removeprefix(_SCALAR_FOLDER)
            # standalone.js has the same content as the other files together.
            is_wanted = name != member.name and name.endswith(".js") and name != "standalone.js"
            content = package.extractfile(member) if is_wanted else None
            if content:
                file = fresh / name
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(content.read())
    shutil.rmtree(SCALAR, ignore_errors=True)
    fresh.rename(SCALAR)


def _make_guides(log: Log) -> None:
    fresh = BUILD / "guides.new"
    shutil.rmtree(fresh, ignore_errors=True)
    log.run(venv_program("python"), "-B", "-m", "tools.guides", fresh)
    shutil.rmtree(GUIDES, ignore_errors=True)
    fresh.rename(GUIDES)


def steps() -> tuple[Step, ...]:
    """All steps, in order: a step may use the results of earlier steps."""
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    machine = f"{platform.system()} {platform.machine()}"
    here = str(ROOT)
    dev = _REQUIREMENTS / "dev.txt"
    packages = (ROOT / "package.json", ROOT / ".npmrc")
    console = sorted(path for path in CONSOLE.rglob("*") if path.is_file())
    worker = sorted(
        path
        for folder in (_SOURCE, _TOOLS / "openapi", _TOOLS / "guides")
        for path in folder.rglob("*.py")
    )
    documents = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.*")])
    network_hint = (
        "Check the connection to the package registries and the free disk space, "
        "then run the same make target again."
    )
    return (
        Step(
            name="host-tools",
            title="Installing the host tools into .venv",
            seconds=40,
            folder=VENV,
            inputs=(dev,),
            facts=(python, machine, here),
            make=_make_venv,
            hint=f"{network_hint} On Debian and Ubuntu, install the package python3-venv.",
        ),
        Step(
            name="npm-packages",
            title="Installing wrangler and pyodide into node_modules",
            seconds=15,
            folder=NODE_MODULES,
            inputs=packages,
            facts=(machine,),
            make=_make_node_modules,
            hint=network_hint,
        ),
        Step(
            name="python-modules",
            title="Vendoring the worker's packages into python_modules",
            seconds=5,
            folder=PYTHON_MODULES,
            inputs=(_REQUIREMENTS / "worker.txt",),
            facts=WORKER_PLATFORM,
            make=_make_python_modules,
            hint=network_hint,
        ),
        Step(
            name="engine",
            title="Building the local engine into build/engine",
            seconds=2,
            folder=ENGINE,
            inputs=(
                *packages,
                _TOOLS / "pyodide_bundle.py",
                _TOOLS / "pyodide_bundle.capnp",
                _TOOLS / "prepare.py",
            ),
            facts=(machine, here),
            make=_make_engine,
            hint="A likely cause: versions in package.json that differ from the committed ones.",
        ),
        Step(
            name="console",
            title="Building the console into public/assets",
            seconds=1,
            folder=CONSOLE_ASSETS,
            inputs=(*packages, _TOOLS / "prepare.py", *console),
            facts=_names(console),
            outside=(CONSOLE_PAGE,),
            make=_make_console,
            hint="The log names the file and line. `make typecheck` shows more.",
        ),
        Step(
            name="reference",
            title="Building the API reference into public",
            seconds=2,
            folder=_REFERENCE,
            inputs=(dev, _TOOLS / "prepare.py", _TOOLS / "error_catalogue.py", *worker),
            facts=_names(worker),
            make=_make_reference,
            hint="The log ends with the reason. tools/openapi/__init__.py explains docstrings.",
            outside=(API_DESCRIPTION, API_REFERENCE),
        ),
        Step(
            name="scalar",
            title="Installing the viewer of the API reference into public/scalar",
            seconds=5,
            folder=SCALAR,
            inputs=(_TOOLS / "prepare.py",),
            facts=(_SCALAR_PACKAGE, _SCALAR_SHA512),
            make=_make_scalar,
            hint=network_hint,
        ),
        Step(
            name="guides",
            title="Building the guides into public/guides",
            seconds=1,
            folder=GUIDES,
            inputs=(
                *(dev, _TOOLS / "prepare.py", _TOOLS / "error_catalogue.py", *documents),
                *sorted((_TOOLS / "guides").glob("*.py")),
            ),
            facts=_names(documents),
            make=_make_guides,
            hint="The log ends with the reason.",
        ),
    )


def _names(sources: list[Path]) -> tuple[str, ...]:
    return tuple(str(path.relative_to(ROOT)) for path in sources)


def _do(step: Step, position: str) -> None:
    print(f"{position} {step.title} (about {step.seconds} s) ...", end="", flush=True)
    started = time.monotonic()
    log = Log(LOGS / f"{step.name}.log")
    try:
        stamp = step.wanted_stamp  # taken first: a source may change during the step
        step.make(log)
        (step.folder / _STAMP).write_text(stamp)
    except (PrepareError, OSError) as exc:
        print(" failed", flush=True)
        raise PrepareError(
            f"{position} {step.title} failed: {exc}.\n"
            f"--- the end of {log.path.relative_to(ROOT)} ---\n{log.tail()}\n---\n{step.hint}"
        ) from exc
    print(f" done in {time.monotonic() - started:.0f} s", flush=True)


@contextlib.contextmanager
def _only_one_at_a_time() -> Iterator[None]:
    """Lock the clone, so that two make runs do not build the same folder."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make is setting up this clone. Waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(*folders: Path) -> None:
    """Update the generated `folders`, by default all. Print only if there is something to do.

    :raises PrepareError: a step failed.
    """
    plan = steps()
    if all(step.is_done for step in plan if step.folder in folders or not folders):
        return
    with _only_one_at_a_time():
        for number, step in enumerate(plan, start=1):
            if (step.folder in folders or not folders) and not step.is_done:
                _do(step, f"[{number}/{len(plan)}]")


def rebuild_static_files() -> None:
    """Rebuild the console, the API reference and the guides if their sources have changed.

    :raises PrepareError: a source is not valid.
    """
    prepare(CONSOLE_ASSETS, _REFERENCE, GUIDES)


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        print(
            f"Python {wanted} or newer is needed. {sys.executable} is {platform.python_version()}. "
            "Choose another one, for example `make PYTHON=python3.12 dev`.",
            file=sys.stderr,
        )
        return 1
    try:
        prepare()
    except PrepareError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The next run repeats the unfinished step.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
