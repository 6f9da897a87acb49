"""Stores the outcomes of mutants in a file, so that an interrupted run can continue."""

import hashlib
import sqlite3
from pathlib import Path

from tools.mutation.mutants import Mutant
from tools.prepare import ROOT

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outcomes (
  mutant TEXT PRIMARY KEY, outcome TEXT NOT NULL, seconds REAL NOT NULL, tests TEXT NOT NULL
)
"""


class Session:
    """Outcomes by mutant: ``killed``, ``survived`` or ``invalid`` (the module can't be used)."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute(_SCHEMA)

    def outcome(self, mutant: Mutant, tests: list[str]) -> str | None:
        """The stored outcome. None if there is none, or if the mutant survived other tests."""
        found = self._connection.execute(
            "SELECT outcome, tests FROM outcomes WHERE mutant = ?", (mutant.key,)
        ).fetchone()
        if found is None or (found[0] == "survived" and found[1] != _version(tests)):
            return None
        return str(found[0])

    def save(self, mutant: Mutant, outcome: str, seconds: float, tests: list[str]) -> None:
        values = mutant.key, outcome, seconds, _version(tests)
        self._connection.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)", values)


def _version(tests: list[str]) -> str:
    digest = hashlib.sha256("\n".join(tests).encode())
    for path in sorted({test.partition("::")[0] for test in tests}):
        digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()
