"""The result of a run: the mutants that survived, and the score."""

from collections import Counter
from pathlib import Path

from tools.mutation.mutants import Mutant

EQUIVALENT = Path(__file__).with_name("equivalent.txt")


class Report:
    """Prints each mutant that survives as soon as it is known. ``text`` lists all of them.

    ``found`` is the number of all mutants, and ``planned`` that of the sample, including those that
    have not run.
    """

    def __init__(self) -> None:
        self._equivalent = equivalent_mutants(EQUIVALENT.read_text("utf-8"))
        self._counts: Counter[str] = Counter()
        self._of_module: dict[str, Counter[str]] = {}
        self.found = 0
        self.planned = 0
        self._survivors: list[tuple[str, int, str]] = []

    @property
    def survived(self) -> int:
        return self._counts["survived"]

    def is_equivalent(self, mutant: Mutant) -> bool:
        """Whether the list says that the mutant behaves like the original code."""
        name, is_assigned, _ = mutant.change.partition(" = ")
        change = f"{name} = *" if is_assigned else mutant.change
        return not self._equivalent.isdisjoint(
            {(mutant.module, mutant.change), (mutant.module, change)}
        )

    def add(self, mutant: Mutant, outcome: str) -> None:
        self._counts[outcome] += 1
        self._of_module.setdefault(mutant.module, Counter())[outcome] += 1
        if outcome == "survived":
            self._survivors.append((mutant.module, mutant.line, mutant.change))
            print(f"survives {mutant.module}:{mutant.line}: {mutant.change}", flush=True)

    def text(self) -> str:
        """The survivors, the counts of each module, and the score."""
        counts = self._counts
        missing = self.planned - counts.total()
        return "\n".join(
            [
                "",
                "Survivors:",
                *(f"{module}:{line}: {change}" for module, line, change in sorted(self._survivors)),
                "",
                "Killed of the valid mutants:",
                *(_share(module, counts) for module, counts in sorted(self._of_module.items())),
                "",
                f"{counts['killed']} killed, {counts['survived']} survive, {counts['invalid']} "
                f"can't be imported, {counts['equivalent']} are equivalent, "
                f"{missing} have not run",
                f"These are {self.planned} of {self.found} mutants.",
                f"mutation_score: {_score(counts):.1f}",
            ]
        )


def _share(module: str, counts: Counter[str]) -> str:
    valid = counts["killed"] + counts["survived"]
    return f"  {module}: {counts['killed']}/{valid} ({_score(counts):.1f} %)"


def _score(counts: Counter[str]) -> float:
    valid = counts["killed"] + counts["survived"]
    return 100 * counts["killed"] / valid if valid else 100.0


def equivalent_mutants(text: str) -> set[tuple[str, str]]:
    """The module and the changed line of each mutant in the list of equivalent ones."""
    rows = [line.split(" | ") for line in text.splitlines() if line and not line.startswith("#")]
    return {(module, change) for module, change, _ in rows}
