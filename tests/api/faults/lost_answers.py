"""Answers of the database that get lost, by what the batch is for."""

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
    """The ``lose_answers`` of a ``TestClient``: loses what ``break_off`` names."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Lose no more answers, and forget all batches so far."""
        self._rules: list[_Rule] = []
        self._passed: list[tuple[str, str]] = []

    def break_off(self, point: str, when: When, times: int | None = None) -> None:
        """Lose answers of batches at ``point``: ``before`` or ``after`` they are carried out.

        point: ``reserve``, ``claim``, ``record`` and so on, as in ``Passage``.
        times: how often; None for always.
        """
        self._rules.append(_Rule(point, when, times))

    def passed(self, point: str, when: When) -> int:
        """How many batches were at this point since the last ``reset``."""
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
