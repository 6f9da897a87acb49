"""Put delivery events into the queue of a local server, from outside of its Worker.

The queue belongs to the server's process. Wrangler passes messages to it from another wrangler
whose Worker has a producer binding of the queue, if both have the same registry.
"""

import json
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tools.local_server import HOST, ServerError, free_port
from tools.prepare import BUILD
from tools.process_group import ProcessGroup
from tools.subscriptions import EVENTS_QUEUE
from tools.wrangler import wrangler_command, wrangler_env

_WORKER = Path(__file__).parent / "producer.mjs"
_START_SECONDS = 60


class EventProducer:
    """A second local server, which starts on entry (about 3 s) and stops on exit.

    :param registry: the registry of the server that consumes the queue.
    """

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._name = f"producer-{secrets.token_hex(4)}"
        self._folder = BUILD / "servers" / self._name
        self._url = f"http://{HOST}:{free_port()}"
        self._group: ProcessGroup | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        config = self._folder / "wrangler.json"
        about = {
            "name": self._name,
            "main": str(_WORKER),
            "compatibility_date": "2026-11-01",
            "queues": {"producers": [{"binding": "EVENTS", "queue": EVENTS_QUEUE}]},
        }
        config.write_text(json.dumps(about))
        log = self._folder / "wrangler.log"
        command = wrangler_command(
            *("dev", "--local", "--ip", HOST, "--port", self._url.rpartition(":")[2]),
            *("--inspector-port", str(free_port()), "--persist-to", self._folder / "state"),
            *("--show-interactive-dev-session", "false", "--config", config),
        )
        env = wrangler_env(registry=self._registry)
        self._group = ProcessGroup(command, cwd=self._folder, env=env, log=log)
        try:
            self._wait_until_ready(self._group, log)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._group is not None:
            self._group.stop()
            self._group = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def put(self, bodies: Sequence[Any]) -> None:
        """Put messages with these bodies, which can be any JSON, into the queue."""
        self.put_json(json.dumps(list(bodies)))

    def put_json(self, bodies: str) -> None:
        """Put messages into the queue, with the members of this JSON list as their bodies."""
        response = requests.post(self._url, data=bodies, timeout=60)
        if not response.ok:
            raise ServerError(f"the queue rejected the events: {response.text}")

    def _wait_until_ready(self, group: ProcessGroup, log: Path) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and group.exit_status is None:
            try:
                requests.get(self._url, timeout=_START_SECONDS)
                return
            except requests.RequestException:
                time.sleep(0.1)
        raise ServerError(f"the producer did not start:\n{log.read_text(errors='replace')}")
