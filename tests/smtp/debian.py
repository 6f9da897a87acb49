"""A copy of the machine's files in which Debian packages are installed, without changing them.

Mail servers of Debian replace each other, and change the machine that they are installed on. So
each gets its own copy: an overlay over the root folder, with its own processes. The network is that
of the machine.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.prepare import BUILD

_SECONDS = 300

# The folder `packages` has the files that the packages have changed. Each copy begins with them. It
# has none of the file systems that are mounted inside the root folder.
_MOUNT = """
set -e
mount --make-rprivate /
rm -rf upper work
mkdir -p work root
if [ -e packages ]; then cp -a packages upper; else mkdir upper; fi
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cp /etc/hosts /etc/resolv.conf root/etc/
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/tmp
chmod 1777 root/tmp
printf '#!/bin/sh\\nexit 101\\n' > root/usr/sbin/policy-rc.d
chmod 755 root/usr/sbin/policy-rc.d
echo ready
exec sleep infinity
"""


class Debian:
    """Runs programs in the copy. All of them end with the copy."""

    def __init__(self, holder: int, folder: Path) -> None:
        self._holder = holder
        self._root = folder / "root"

    def write(self, path: str, content: str, *, mode: int = 0o644) -> None:
        """Write a file. ``path`` is absolute in the copy."""
        command = 'mkdir -p "$(dirname "$0")" && cat > "$0" && chmod "$1" "$0"'
        self.run("sh", "-c", command, path, f"{mode:o}", content=content.encode())

    def run(
        self, *command: str, content: bytes = b"", check: bool = True
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a program to its end. Check that its exit status is 0, if ``check``."""
        done = subprocess.run(
            self._command(*command),
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
            check=False,
        )
        if check:
            said = (done.stdout + done.stderr).decode(errors="replace")
            assert done.returncode == 0, said
        return done

    def start(self, *command: str) -> None:
        """Start a program, which ends with the copy."""
        subprocess.Popen(
            self._command(*command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _command(self, *command: str) -> list[str]:
        target = ["--target", str(self._holder), "--mount", "--pid"]
        return ["nsenter", *target, "chroot", str(self._root), *command]


@contextlib.contextmanager
def debian_with(*packages: str) -> Iterator[Debian]:
    """A copy with these packages. A later test run installs them no second time.

    Skips the test on a system that is not Debian, for another user than root, and where no overlay
    can be mounted. Packages that can't be installed fail it.
    """
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        pytest.skip("needs Debian, and its user root")
    folder = BUILD / "debian" / "-".join(packages)
    if not (folder / "packages").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with _mounted(folder) as debian:
            for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
                done = debian.run("apt-get", *words, check=False)
                if done.returncode != 0:
                    said = (done.stdout + done.stderr).decode(errors="replace")
                    pytest.fail(f"{' '.join(packages)} can't be installed: {said[-1000:]}")
        (folder / "upper").rename(folder / "packages")
    with _mounted(folder) as debian:
        yield debian


@contextlib.contextmanager
def _mounted(folder: Path) -> Iterator[Debian]:
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _MOUNT]
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline().decode()
            if said != "ready\n":
                pytest.skip(f"this machine can't mount an overlay: {said}")
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            yield Debian(int(children), folder)
        finally:
            process.kill()
