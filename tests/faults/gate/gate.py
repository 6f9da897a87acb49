"""The gate: a server in the test's process.

The gated worker sends it a request before and after each call, and waits for the response.
"""

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
    """What happens to the calls at a point: they throw ``problem``; if it is None, they are held.

    ``times`` is the number of calls; None means all. ``subject`` None means all messages.
    """

    point: str
    when: str
    subject: str | None
    problem: str | None = None
    code: str | None = None
    times: int | None = None

    def applies_to(self, passed: Passage) -> bool:
        return (
            (self.point, self.when) == passed[:2]
            and self.subject in (None, passed.subject)
            and self.times != 0
        )


@dataclass
class _Period:
    """The rules and the passages since the last reset. Setting ``over`` releases held calls."""

    rules: list[_Rule] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Gate(Listener):
    """Does with a call what the first rule for it says. Without a rule the call passes."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._period = _Period()
        self._subjects: dict[str, str] = {}

    def close(self) -> None:
        """Let all held calls continue, and stop listening."""
        self.reset()
        super().close()

    def response_body(self, posted: bytes) -> bytes:
        """Respond when the call may continue. The response names the exception to throw, if any."""
        return json.dumps(self._pass(passage(**json.loads(posted)))).encode()

    def hold(self, point: str, when: str, subject: str | None = None) -> None:
        """Hold the calls at this point until the next ``reset``."""
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
        """Let the calls at this point throw, before they are made or after they have succeeded."""
        self._add(_Rule(point, when, subject, "the response was lost", code, times))

    def reset(self) -> None:
        """Remove all rules and passages, and let all held calls continue."""
        with self._changed:
            self._period.over.set()
            self._period = _Period()

    @property
    def passages(self) -> list[Passage]:
        """The passages of all calls since the last ``reset``, in order."""
        with self._changed:
            return list(self._period.passages)

    def passed(self, point: str, when: str) -> list[Passage]:
        """The passages at this point."""
        return [it for it in self.passages if (it.point, it.when) == (point, when)]

    def wait_for(self, point: str, when: str, subjects: Collection[str | None] = (None,)) -> None:
        """Wait until a call for each of these subjects has reached this point.

        The subject None stands for a call that names no message.
        """
        deadline = time.monotonic() + _SECONDS
        with self._changed:
            while missing := set(subjects) - {it.subject for it in self.passed(point, when)}:
                left = deadline - time.monotonic()
                assert left > 0, f"subjects that did not reach {point}, {when}: {missing}"
                self._changed.wait(left)

    def _add(self, rule: _Rule) -> None:
        with self._changed:
            self._period.rules.append(rule)

    def _pass(self, arrived: Passage) -> dict[str, str | None]:
        with self._changed:
            period = self._period
            if arrived.message_id and arrived.subject:
                self._subjects[arrived.message_id] = arrived.subject
            if arrived.message_id:
                subject = self._subjects.get(arrived.message_id)
                arrived = arrived._replace(subject=subject)
            period.passages.append(arrived)
            self._changed.notify_all()
            rule = next((rule for rule in period.rules if rule.applies_to(arrived)), None)
            if rule and rule.times:
                rule.times -= 1
        if rule is None:
            return {}
        if rule.problem is None:
            period.over.wait()
        return {"problem": rule.problem, "code": rule.code}
