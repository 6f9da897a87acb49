"""JSON values that stand for a text: clients write numbers and booleans without quotes."""

import msgspec

Scalar = str | int | float | bool


def scalar_text(value: Scalar) -> str:
    """``value`` as a text: ``True`` as ``true``, a number as it is written in JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
