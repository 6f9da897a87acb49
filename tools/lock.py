"""Regenerate requirements/dev.txt and requirements/worker.txt from their .in files.

Both pin every direct and indirect dependency by version and hash, without URLs. dev.txt is for
every system and Python that the tools support. worker.txt has only the hashes of the files that the
Worker uses: pure Python, or compiled for the Worker's platform.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.prepare import OLDEST_PYTHON, ROOT, WORKER_PLATFORM, venv_program

_REQUIREMENTS = ROOT / "requirements"


def lock_dev() -> None:
    """Pin the host tools for all platforms. This needs uv: pip knows only its own platform."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("`make lock` requires uv. One way to install it is `pip install uv`.")
    oldest = ".".join(map(str, OLDEST_PYTHON))
    subprocess.run(
        [
            *(uv, "pip", "compile", "--universal", "--generate-hashes", "--upgrade", "--quiet"),
            *("--python-version", oldest, "--no-header", "--no-emit-index-url", "--no-config"),
            *("--output-file", "dev.txt", "dev.in"),
        ],
        cwd=_REQUIREMENTS,
        check=True,
    )


def lock_worker() -> None:
    """Pin the files that pip chooses for the Worker's platform."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [
                *(str(venv_program("python")), "-m", "pip", "install", "--quiet", "--dry-run"),
                *("--ignore-installed", "--target", folder, "--report", str(report)),
                *(*WORKER_PLATFORM, "-r", "worker.in"),
            ],
            cwd=_REQUIREMENTS,
            check=True,
        )
        pinned = worker_requirements(json.loads(report.read_text()))
    (_REQUIREMENTS / "worker.txt").write_text(pinned)


def worker_requirements(report: dict[str, Any]) -> str:
    """The requirements file for the packages in pip's installation report."""
    lines = []
    for package in report["install"]:
        name, version = package["metadata"]["name"].lower(), package["metadata"]["version"]
        sha256 = package["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{sha256}\n")
    return "".join(sorted(lines))


def main() -> int:
    lock_dev()
    lock_worker()
    return 0


if __name__ == "__main__":
    sys.exit(main())
