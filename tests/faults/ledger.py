"""What the provider's stand-in has taken, kept outside of the processes under test."""

import json
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Ledger:
    """A server that writes each mail posted to it to disk before it answers."""

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile("ab", buffering=0, suffix=".ledger")  # noqa: SIM115
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

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
        self._server.shutdown()
        self._server.server_close()
        self._file.close()

    @property
    def mails(self) -> list[dict[str, Any]]:
        """All mails taken so far, in the order in which they came."""
        return [json.loads(line) for line in Path(self._file.name).read_bytes().splitlines()]

    def mails_of(self, address: str) -> list[dict[str, Any]]:
        """The mails taken from the sender ``address``."""
        return [mail for mail in self.mails if address in json.dumps(mail["from"])]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        ledger = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ledger._file.write(json.dumps(json.loads(body)).encode() + b"\n")
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
