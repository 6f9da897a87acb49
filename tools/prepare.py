"""Set up everything the make targets need: tools, packages, vendored code, engine, console.

Run by the system's Python before any virtual environment exists, so: standard library only, and
syntax that an older Python can read far enough to say that it is too old.

Each step fills one generated folder and then leaves a stamp in it: the hash of all that the step's
result depends on. A folder whose stamp matches is left alone. Any other folder, for example that of
an interrupted run, is made afresh, because repairing half an installation costs more than it saves.

    python3 tools/prepare.py
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
VENV = ROOT / ".venv"
NODE_MODULES = ROOT / "node_modules"
PYTHON_MODULES = ROOT / "python_modules"
ENGINE = BUILD / "engine"
CONSOLE = ROOT / "console"
CONSOLE_ASSETS = ROOT / "public" / "assets"
LOGS = BUILD / "logs"
WORKERD = ENGINE / "workerd"

_STAMP = ".prepared"
_REQUIREMENTS = ROOT / "requirements"
_TOOLS = ROOT / "tools"
_BUNDLE_DIRECTORY_OPTION = "--pyodide-bundle-disk-cache-dir"

# The platform of the worker's wheels: Python 3.14 compiled to WebAssembly, as production runs it.
WORKER_PLATFORM = (
    "--platform=pyemscripten_2026_0_wasm32",
    "--python-version=3.14",
    "--implementation=cp",
    "--abi=cp314",
    "--only-binary=:all:",
)


class PrepareError(Exception):
    """A step could not be done; the message says why."""


@dataclass(frozen=True)
class Step:
    """One generated folder and how it is made.

    `inputs` are the files and `facts` the texts that decide what the folder should hold; `hint`
    tells the reader what to try when the step fails.
    """

    name: str
    title: str
    seconds: int
    folder: Path
    inputs: tuple[Path, ...]
    facts: tuple[str, ...]
    make: Callable[[Log], None]
    hint: str

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
            return (self.folder / _STAMP).read_text() == self.wanted_stamp
        except OSError:
            return False


class Log:
    """The file that takes all output of a step's commands."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        self.path = path

    def run(self, *command: str | Path, env: dict[str, str] | None = None) -> None:
        """Run a command in the repository; raise PrepareError when it does not succeed."""
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
    """The caller's environment with the venv's programs first and no other Python mixed in."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    env["PIP_NO_INPUT"] = "1"
    return {**env, **extra}


def _make_venv(log: Log) -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    # Started from inside a virtual environment, the new one must not hang on the old one.
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
    # Console scripts are of no use to a worker; the marker file is what pywrangler leaves too.
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
            f"{platform.machine()}, where one is needed"
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
    """A script that starts workerd with the engine's bundle; wrangler is told to run it instead."""
    option = f"{_BUNDLE_DIRECTORY_OPTION}={ENGINE}"
    return (
        "#!/bin/sh\n"
        f'if [ "$1" = serve ]; then shift; set -- serve {shlex.quote(option)} "$@"; fi\n'
        f'exec {shlex.quote(str(binary))} "$@"\n'
    )


def _make_console(log: Log) -> None:
    fresh = BUILD / "assets.new"
    shutil.rmtree(fresh, ignore_errors=True)
    log.run(
        NODE_MODULES / ".bin" / "esbuild",
        *(CONSOLE / "console.tsx", CONSOLE / "human.ts", CONSOLE / "styles" / "console.css"),
        *("--bundle", "--format=esm", "--minify", "--target=es2022", "--entry-names=[name]"),
        *("--charset=utf8", f"--outdir={fresh}", f"--tsconfig={CONSOLE / 'tsconfig.json'}"),
    )
    # Only now, so that the page of `make dev` outlives a source that does not build.
    shutil.rmtree(CONSOLE_ASSETS, ignore_errors=True)
    fresh.rename(CONSOLE_ASSETS)


def steps() -> tuple[Step, ...]:
    """All steps in the order in which they build on each other."""
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    machine = f"{platform.system()} {platform.machine()}"
    here = str(ROOT)
    dev = _REQUIREMENTS / "dev.txt"
    packages = (ROOT / "package.json", ROOT / ".npmrc")
    network_hint = (
        "Check that the package registries can be reached and that the disk is not full, "
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
            hint=f"{network_hint} On Debian and Ubuntu the package python3-venv must be installed.",
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
            hint="Versions in package.json that differ from the committed ones are a likely cause.",
        ),
        _console_step(packages),
    )


def _console_step(packages: tuple[Path, ...]) -> Step:
    sources = sorted(path for path in CONSOLE.rglob("*") if path.is_file())
    return Step(
        name="console",
        title="Building the console into public/assets",
        seconds=1,
        folder=CONSOLE_ASSETS,
        inputs=(*packages, _TOOLS / "prepare.py", *sources),
        facts=tuple(str(path.relative_to(ROOT)) for path in sources),
        make=_make_console,
        hint="The log names the file and line; `make typecheck` says more.",
    )


def _do(step: Step, position: str) -> None:
    print(f"{position} {step.title} (about {step.seconds} s) ...", end="", flush=True)
    started = time.monotonic()
    log = Log(LOGS / f"{step.name}.log")
    try:
        stamp = step.wanted_stamp  # from before: a source may be edited meanwhile
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
    """Hold the clone's lock, so that two make runs do not build the same folder."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make is setting up this clone; waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare() -> None:
    """Bring every generated folder up to date; print only when there is something to do."""
    plan = steps()
    if all(step.is_done for step in plan):
        return
    with _only_one_at_a_time():
        for number, step in enumerate(plan, start=1):
            if not step.is_done:
                _do(step, f"[{number}/{len(plan)}]")


def rebuild_console() -> None:
    """Build the console anew where its source has changed; PrepareError when that fails."""
    with _only_one_at_a_time():
        plan = steps()
        if not plan[-1].is_done:
            _do(plan[-1], f"[{len(plan)}/{len(plan)}]")


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        print(
            f"Python {wanted} or newer is needed; {sys.executable} is {platform.python_version()}. "
            "Name another one with, for example, `make PYTHON=python3.12 dev`.",
            file=sys.stderr,
        )
        return 1
    try:
        prepare()
    except PrepareError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSetting up was interrupted; the next run starts the unfinished step again.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
