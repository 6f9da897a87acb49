"""Packages of clients in versions that can't be in the virtual environment of the tests."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.prepare import BUILD, ROOT

_REQUIREMENTS = ROOT / "requirements" / "sdk"
_FOLDER = BUILD / "sdk"


def packages(name: str) -> Path:
    """The folder with the packages of ``requirements/sdk/NAME.txt``, installed when missing."""
    wanted = (_REQUIREMENTS / f"{name}.txt").read_text("utf-8")
    folder = _FOLDER / name
    stamp = folder / ".requirements"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text("utf-8") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)),
                    *("--no-deps", "--require-hashes", "--disable-pip-version-check"),
                    *("-r", str(_REQUIREMENTS / f"{name}.txt")),
                ],
                check=True,
            )
            stamp.write_text(wanted, "utf-8")
    return folder


def run_python(name: str, program: str, **environment: str) -> Any:
    """Run ``program`` with the packages of ``name``; return what it prints, which is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(packages(name)), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
