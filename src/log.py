"""Structured logs: one JSON object per line, for Workers Logs and terminals."""

import traceback

import msgspec


def log(event: str, **fields: object) -> None:
    """Write one line. Callers must not pass secrets, mail contents or whole recipient addresses."""
    print(msgspec.json.encode({"event": event, **fields}).decode())


def frames(error: BaseException) -> list[str]:
    """The places that ``error`` passed, without its text, which may quote what a client sent."""
    return [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
