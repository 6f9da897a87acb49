"""Structured logs: one JSON object a line, for Workers Logs and whoever reads a terminal."""

import msgspec


def log(event: str, **fields: object) -> None:
    """Write one line. Callers never pass secrets, mail contents or whole recipient addresses."""
    print(msgspec.json.encode({"event": event, **fields}).decode())
