"""The figures, and what is said while they are being found."""

import json
import sys
import time

Figure = int | float

_began = time.monotonic()


class Figures:
    """Named numbers, in the order in which they were found."""

    def __init__(self) -> None:
        self._figures: dict[str, Figure] = {}

    def add(self, name: str, value: Figure, digits: int = 2) -> None:
        """Keep `value`: counts as they are, measurements rounded to `digits` after the point."""
        if name in self._figures:
            raise ValueError(f"two measurements are called {name}")
        self._figures[name] = value if isinstance(value, int) else round(value, digits)

    def as_lines(self) -> str:
        """One `name: value` a line, for people and for grep."""
        return "\n".join(f"{name}: {value}" for name, value in self._figures.items())

    def as_json(self) -> str:
        """All figures as one JSON object."""
        return json.dumps(self._figures, indent=2) + "\n"


def progress(text: str) -> None:
    """Say on stderr what is going on; stdout is for the figures alone."""
    print(f"[{time.monotonic() - _began:5.0f} s] {text}", file=sys.stderr, flush=True)
