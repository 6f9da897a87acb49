"""The gate: a server in the test's process that the gated worker asks before it goes on."""

import contextlib
import json
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.gate.passage import Passage, passage
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


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, *_: object) -> None:
        """Those who ask are killed in the middle of it; that is what all this is for."""


@dataclass
class _Life:
    """What happened since the last reset, and the end of those that are held."""

    rules: list[_Rule] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Gate:
    """Lets every call pass, but for those that a test has given an order for."""

    def __init__(self) -> None:
        self._server = _Server(self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._changed = threading.Condition()
        self._life = _Life()
        self._subjects: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.reset()
        self._server.shutdown()
        self._server.server_close()

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

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(gate._pass(passage(**asked))).encode()
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
