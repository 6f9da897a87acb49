"""The gate: a server in the test's process that the gated worker asks before it goes on."""

import json
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.gate.passage import Passage, passage
from tests.faults.listener import Listener
from tools.wrangler import CONFIG

_BRIDGE = Path("runtime/bridge.mjs")
OVERLAY = {
    str(_BRIDGE): Path(__file__).parent / "gated_bridge.mjs",
    str(_BRIDGE.with_name("bridge_original.mjs")): CONFIG.parent / "src" / _BRIDGE,
}
_SECONDS = 20


@dataclass
class _Rule:
    """What happens to those who are at a point: they are held, or, with ``problem``, they throw.

    ``times`` is how often; None for always. ``subject`` None means all messages.
    """

    point: str
    when: str
    subject: str | None
    problem: str | None = None
    code: str | None = None
    times: int | None = None

    def is_about(self, passed: Passage) -> bool:
        return (
            (self.point, self.when) == passed[:2]
            and self.subject in (None, passed.subject)
            and self.times != 0
        )


@dataclass
class _Life:
    """What happened since the last reset, and the end of those that are held."""

    rules: list[_Rule] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Gate(Listener):
    """Lets every call pass, but for those that a test has given an order for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._life = _Life()
        self._subjects: dict[str, str] = {}

    def close(self) -> None:
        """Let go on all that are held, and stop listening."""
        self.reset()
        super().close()

    def answer(self, posted: bytes) -> bytes:
        """Whether the call that asks may go on; it hears so when it may."""
        return json.dumps(self._pass(passage(**json.loads(posted)))).encode()

    def hold(self, point: str, when: str, subject: str | None = None) -> None:
        """Those at this point go on only after a ``reset``."""
        self._add(_Rule(point, when, subject))

    def break_off(
        self,
        point: str,
        when: str,
        subject: str | None = None,
        *,
        times: int | None = None,
        code: str | None = None,
    ) -> None:
        """Calls at this point throw: before they were made, or instead of answering."""
        self._add(_Rule(point, when, subject, "the answer was lost", code, times))

    def reset(self) -> None:
        """Forget all orders and all that has passed."""
        with self._changed:
            self._life.over.set()
            self._life = _Life()

    @property
    def passages(self) -> list[Passage]:
        """All that has come to the gate since the last ``reset``, whatever happened there."""
        with self._changed:
            return list(self._life.passages)

    def passed(self, point: str, when: str) -> list[Passage]:
        """Those of ``passages`` at this point."""
        return [it for it in self.passages if (it.point, it.when) == (point, when)]

    def wait_for(self, point: str, when: str, subjects: Collection[str | None] = (None,)) -> None:
        """Wait until all messages with these subjects have come to this point."""
        deadline = time.monotonic() + _SECONDS
        with self._changed:
            while missing := set(subjects) - {it.subject for it in self.passed(point, when)}:
                left = deadline - time.monotonic()
                assert left > 0, f"did not come to {point}, {when}: {missing}"
                self._changed.wait(left)

    def _add(self, rule: _Rule) -> None:
        with self._changed:
            self._life.rules.append(rule)

    def _pass(self, arrived: Passage) -> dict[str, str | None]:
        with self._changed:
            life = self._life
            if arrived.message_id and arrived.subject:
                self._subjects[arrived.message_id] = arrived.subject
            if arrived.message_id:
                subject = self._subjects.get(arrived.message_id)
                arrived = arrived._replace(subject=subject)
            life.passages.append(arrived)
            self._changed.notify_all()
            rule = next((rule for rule in life.rules if rule.is_about(arrived)), None)
            if rule and rule.times:
                rule.times -= 1
        if rule is None:
            return {}
        if rule.problem is None:
            life.over.wait()
        return {"problem": rule.problem, "code": rule.code}
