"""The figures of a benchmark, and its progress messages."""

import json
import sys
import time

Figure = int | float

_began = time.monotonic()


class Figures:
    """Named numbers, in the order of measurement."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, name: str, value: Figure, digits: int = 2) -> None:
        """Add a figure. A float is rounded to `digits` decimal places."""
        if name in self._figures:
            raise ValueError(f"two measurements are called {name}")
        self._figures[name] = value if isinstance(value, int) else round(value, digits)

    def as_lines(self) -> str:
        """One `name: value` per line."""
        return "\n".join(f"{name}: {value}" for name, value in self._figures.items())

    def as_json(self) -> str:
        """All figures as one JSON object."""
        return json.dumps(self._figures, indent=2) + "\n"


def progress(text: str) -> None:
    """Print a progress message on stderr. Only the figures are printed on stdout."""
    print(f"[{time.monotonic() - _began:5.0f} s] {text}", file=sys.stderr, flush=True)
