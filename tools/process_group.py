"""Processes that end together, even if the program that started them is killed."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# Waits until the parent has ended for any reason, then kills its own process group.
_GUARD = ["/bin/sh", "-c", "read -r _; kill -KILL 0"]


class ProcessGroup:
    """One command and all its descendants, in a process group of their own.

    A guard process leads the group. Its standard input is a pipe from this process. When this
    process ends, even by SIGKILL, the pipe closes and the guard kills the group.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
    ) -> None:
        self._guard = subprocess.Popen(
            _GUARD, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
        )
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=self._guard.pid,
                )
        except BaseException:
            self._guard.kill()
            self._guard.communicate()
            raise

    @property
    def id(self) -> int:
        """The process group's id."""
        return self._guard.pid

    @property
    def exit_status(self) -> int | None:
        """The command's exit status, None while it runs."""
        return self._process.poll()

    def stop(self, seconds: float = 10) -> None:
        """Terminate the group, and kill the processes that still run after `seconds`."""
        self._signal(signal.SIGTERM)
        if not self._wait(seconds):
            self.kill()
        self._reap_guard()

    def kill(self) -> None:
        """Kill the whole group with SIGKILL."""
        self._signal(signal.SIGKILL)
        self._wait(5)
        self._reap_guard()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.id, number)

    def _wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for all processes to end. Return whether all have ended."""
        deadline = time.monotonic() + seconds
        while True:
            self._process.poll()
            self._guard.poll()
            if not _has_living_members(self.id):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)

    def _reap_guard(self) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()
        self._process.wait()


def _has_living_members(group: int) -> bool:
    """Whether any process of the group still runs.

    A process that has ended stays a member until its parent reads its status. If the parent is
    process 1 of a container, this can take seconds, or never happen. On Linux, /proc shows which
    processes have ended.
    """
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        # macOS reports "not permitted" for a group in which all processes have ended.
        return False
    if not Path("/proc/self/stat").exists():
        return True
    return any(_is_living_member(path, group) for path in Path("/proc").glob("[0-9]*/stat"))


def _is_living_member(stat: Path, group: int) -> bool:
    try:
        # The second field is the program's name in parentheses, which may contain any character.
        state, _parent, process_group, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(process_group) == group and state not in "ZX"
