"""Structured logs: one JSON object per line, for Workers Logs and terminals."""

import traceback

import msgspec


def log(event: str, **fields: object) -> None:
    """Write one line. Callers must not pass secrets, mail contents or whole recipient addresses."""
    print(msgspec.json.encode({"event": event, **fields}).decode())


def frames(error: BaseException) -> list[str]:
    """The file and line of each frame in the traceback of ``error``.

    The text of ``error`` is left out, because it may quote input of a client.
    """
    return [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
