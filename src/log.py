"""Structured logs: one JSON object per line, for Workers Logs and terminals."""

import traceback
from collections.abc import Awaitable, Callable

import msgspec

_write: Callable[[str], object] = print


def write_lines_with(write: Callable[[str], object]) -> None:
    """Write each line by calling ``write`` from now on, and no longer ``print``.

    In a Worker, ``print`` takes much longer than one call into JavaScript.
    """
    global _write
    _write = write


def log(event: str, **fields: object) -> None:
    """Write one line. Callers must not pass secrets, mail contents or whole recipient addresses."""
    _write(msgspec.json.encode({"event": event, **fields}).decode())


def text_of(error: Exception) -> str:
    """The text of ``error`` as valid Unicode. A text of JavaScript may have half a character."""
    return str(error).encode("utf-8", "replace").decode()


async def in_background(work: Awaitable[object]) -> None:
    """Await ``work``, which no caller awaits. Log its error."""
    try:
        await work
    except Exception as error:
        log("background_failed", kind=type(error).__name__, frames=frames(error))


def frames(error: BaseException) -> list[str]:
    """The file and line of each frame in the traceback of ``error``.

    The text of ``error`` is left out, because it may quote input of a client.
    """
    return [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
