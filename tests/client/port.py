"""A port of this machine that passes HTTP requests to a ``TestClient``."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.client.client import TestClient


@contextlib.contextmanager
def on_a_port(client: TestClient) -> Iterator[str]:
    """Serve ``client`` by HTTP/1.1; the value is the URL of the server.

    The deployment handles one request after the other. The caller must not use ``client``.
    """

    class Handler(_Handler):
        deployment, one_at_a_time = client, threading.Lock()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # a response in one packet: the second one would wait for the client
    timeout = 5  # seconds without a request, after which the connection ends
    deployment: TestClient
    one_at_a_time: threading.Lock

    def __getattr__(self, name: str) -> Callable[[], None]:
        # `BaseHTTPRequestHandler` calls the method `do_GET` for GET.
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.one_at_a_time:
            response = self.deployment.request(
                self.command, self.path, headers=dict(self.headers.items()), data=body
            )
        self.send_response(response.status_code)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the deployment has its own log."""
