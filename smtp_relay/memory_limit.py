"""How much memory messages may take: SMTP_MEMORY_MB, or half of the relay's memory limit."""

from collections.abc import Iterator
from pathlib import Path

from smtp_relay.memory import COPIES, most_bytes_of_user
from smtp_relay.settings import DEFAULT_MEMORY_MB, Settings, SettingsError

_MIB = 1024 * 1024
_ROOT = Path("/")
# If there is no limit, version 1 of control groups reports a number near 2**63.
_NO_LIMIT = 2**62


def message_memory(settings: Settings, root: Path = _ROOT) -> int:
    """The memory for messages under way, in bytes.

    :raises SettingsError: it is too little for a message of the maximum size.
    """
    given, allowed = settings.smtp_memory_mb, memory_limit(root)
    if given is not None:
        size, name = given * _MIB, f"SMTP_MEMORY_MB={given}"
    elif allowed is not None:
        size, name = allowed // 2, f"Half of the {allowed // _MIB} MB that the relay may use"
    else:
        size, name = DEFAULT_MEMORY_MB * _MIB, f"SMTP_MEMORY_MB={DEFAULT_MEMORY_MB}, the default,"
    # Added dots can make a message a third larger.
    needed = COPIES * (settings.smtp_max_bytes + settings.smtp_max_bytes // 3 + 1024)
    if most_bytes_of_user(size) < needed:
        least = -(-needed // most_bytes_of_user(_MIB))
        raise SettingsError(
            f"{name} is too little for a message of SMTP_MAX_BYTES={settings.smtp_max_bytes}: "
            f"it must be at least {least} MB"
        )
    return size


def memory_limit(root: Path = _ROOT) -> int | None:
    """The lowest limit of the relay's control group and of the groups around it, in bytes.

    None if no group has a limit, or if the limits can't be read.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    limits = [_limit(file) for line in lines for file in _files(root / "sys/fs/cgroup", line)]
    return min((limit for limit in limits if limit is not None), default=None)


def _files(groups: Path, line: str) -> Iterator[Path]:
    """The files with the limits for one line of /proc/self/cgroup."""
    _, controllers, path = line.split(":", 2)
    if controllers == "":
        top, name = groups, "memory.max"
    elif "memory" in controllers.split(","):
        top, name = groups / "memory", "memory.limit_in_bytes"
    else:
        return
    own = top / path.lstrip("/")
    yield from (group / name for group in (own, *own.parents) if group.is_relative_to(top))


def _limit(file: Path) -> int | None:
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):  # no such file, or "max" for no limit
        return None
    return limit if limit < _NO_LIMIT else None
