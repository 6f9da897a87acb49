"""Lost responses of the database, chosen by the kind of batch."""

from dataclasses import dataclass
from typing import Literal

from store.database import Statement
from tests.faults.gate.passage import batch_passage

When = Literal["before", "after"]


@dataclass
class _Rule:
    point: str
    when: str
    times: int | None


class LostResponses:
    """The ``lose_responses`` of a ``TestClient``: its rules come from ``break_off``."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Remove the rules, and reset the counts that ``passed`` returns."""
        self._rules: list[_Rule] = []
        self._passed: list[tuple[str, str]] = []

    def break_off(self, point: str, when: When, times: int | None = None) -> None:
        """Lose the response of each batch of the kind ``point``.

        point: ``reserve``, ``claim``, ``record`` and so on, as in ``Passage``.
        when: ``before``: the batch does not run; ``after``: it has run.
        times: the number of responses to lose; None: all.
        """
        self._rules.append(_Rule(point, when, times))

    def passed(self, point: str, when: When) -> int:
        """How many batches reached this point since the last ``reset``."""
        return self._passed.count((point, when))

    def __call__(self, when: When, statements: list[Statement]) -> bool:
        point = batch_passage(when, statements).point
        self._passed.append((point, when))
        for rule in self._rules:
            if (rule.point, rule.when) == (point, when) and rule.times != 0:
                if rule.times:
                    rule.times -= 1
                return True
        return False
