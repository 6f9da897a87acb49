"""The throughput of webhook deliveries, and the latency of a send to which a webhook listens."""

import json
import threading
import time
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from accounts.credentials import Credential, issue
from tools.bench import mails
from tools.bench.history import OWN_ADDRESS_ID
from tools.bench.load import LoadError, Target, drive
from tools.bench.report import Figures, progress
from tools.bench.rounds import compare_latency, play
from tools.bench.workers import VARIABLES, Workers
from tools.local_server import HOST, LocalServer, free_port

_DELIVERIES = 500
_SECONDS = 120

_ADDRESS_ID, _ADDRESS = OWN_ADDRESS_ID + 1, "hooked@example.com"
_FACTS = {
    "occurred_at": 0,
    "email_id": "m1",
    "accepted_at": 0,
    "sender": _ADDRESS,
    "recipients": [mails.RECIPIENT],
    "subject": mails.SUBJECT,
}
_INSERT = """
INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT 'w1', printf('d%06d', i), 'email.sent', 1, ?, 0 FROM n
"""


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Deliver events to a quick receiver, and send from an address with a webhook."""
    server, count = workers.ours.server, _DELIVERIES * repeat
    with _Receiver() as receiver:
        hooked = _add_webhook(server, receiver.port)
        progress(f"Delivering {count} events to a webhook (10 s)")
        figures.add("webhook_deliveries_per_second", _delivered(server, receiver, count), 1)
        body = mails.request_body(mails.SMALL)
        rounds = play(
            "Sending with and without a webhook",
            partial(drive, hooked, body, 1),
            partial(drive, replace(workers.ours, name="no webhook"), body, 1),
            repeat=repeat,
        )
        with_ms, without_ms, ratio = compare_latency(rounds, "a send without a webhook")
        server.sql("UPDATE webhooks SET disabled_by = 'removed'")
    figures.add("send_with_webhook_p50_ms", with_ms)
    figures.add("send_without_webhook_p50_ms", without_ms)
    figures.add("send_with_webhook_ratio", ratio, 3)


class _Receiver:
    """Responds to each delivery at once, and counts them."""

    def __init__(self) -> None:
        self.port, self.received = free_port(), 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                receiver.received += 1

            def log_message(self, format: str, *arguments: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer((HOST, self.port), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> "_Receiver":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _add_webhook(server: LocalServer, port: int) -> Target:
    """Create an address with a webhook; return the worker with its credential."""
    server.sql(
        "INSERT INTO addresses (id, name, created_at, updated_at) VALUES (?, ?, 0, 0)",
        (_ADDRESS_ID, _ADDRESS),
    )
    server.sql(
        "INSERT INTO webhooks (id, address_id, endpoint, events, created_at)"
        " VALUES ('w1', ?, ?, '[\"email.sent\"]', 0)",
        (_ADDRESS_ID, f"http://{HOST}:{port}/"),
    )
    token = issue(Credential(_ADDRESS, _ADDRESS_ID, 0), secret=VARIABLES["JWT_SECRET"], now=0)
    return Target("a webhook", server, f"Bearer {token}")


def _delivered(server: LocalServer, receiver: _Receiver, count: int) -> float:
    """Let ``count`` deliveries wait, and deliver them; return how many arrive per second."""
    server.sql(_INSERT, (count, json.dumps(_FACTS)))
    server.run_cron()
    began, deadline = time.perf_counter(), time.monotonic() + _SECONDS
    first = receiver.received
    while receiver.received < count:
        if time.monotonic() > deadline:
            raise LoadError(f"{receiver.received} of {count} deliveries arrived")
        time.sleep(0.02)
    return (count - first) / (time.perf_counter() - began)
