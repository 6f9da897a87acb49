"""Find a Chromium for the tests, or install one: Debian's or Playwright's."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright

from tools.prepare import BUILD, LOGS


def chromium(playwright: Playwright) -> str:
    """Return the path of a Chromium; install one if there is none.

    :raises RuntimeError: there is none, and the installation failed.
    """
    with (BUILD / ".chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of parallel test processes only one installs
        found = _found(playwright)
        if found is None:
            _install()
            found = _found(playwright)
    if found is None:
        raise RuntimeError(
            "The console's tests need Chromium: run `apt-get install chromium` as root, or "
            "`.venv/bin/python -m playwright install chromium`."
        )
    return found


def _found(playwright: Playwright) -> str | None:
    own = Path(playwright.chromium.executable_path)
    return shutil.which("chromium") or (str(own) if own.exists() else None)


def _install() -> None:
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        commands.insert(0, ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"])
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / "chromium.log").open("w") as log:
        for command in commands:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=600,
                check=False,
            )
            if done.returncode == 0:
                return
