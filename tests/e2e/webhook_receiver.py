"""A receiver of webhooks on this machine, whose paths name its behaviour."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools.local_server import HOST, free_port


@dataclass(frozen=True)
class Received:
    """A request that has arrived: its path, headers with names in lower case, and body."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def type(self) -> str:
        """The type of the event."""
        found: str = json.loads(self.body)["type"]
        return found


class Receiver:
    """Responds to ``/STATUS`` with this status, and to other paths as the methods below say.

    ``received`` has the requests, in the order in which they arrive.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.port = free_port()
        self.ended = threading.Event()
        self._free = threading.Event()
        self._free.set()

    def url(self, path: str) -> str:
        """The URL with this path."""
        return f"http://{HOST}:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        """The requests with this path."""
        return [one for one in self.received if one.path == path]

    def wait_for(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Wait until ``condition`` is true; raise AssertionError after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, [one.path for one in self.received]
            time.sleep(0.05)

    def hold(self) -> None:
        """Respond to no request to ``/held`` until ``release``."""
        self._free.clear()

    def release(self) -> None:
        """Respond to all requests."""
        self._free.set()

    def respond(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        """Respond to a request whose body was read."""
        name = path.split("/")[1]
        if name == "hangs":
            self.ended.wait(60)
            return
        if name == "held":
            self._free.wait(60)
        if name == "dies":  # in the middle of the response's body
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            handler.wfile.flush()
            return
        if name == "drops":  # without a response
            return
        if name == "slow":
            self.ended.wait(5)
        if name == "garbage":
            handler.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")
            return
        texts = {"long": b"x" * 100_000, "bytes": bytes(range(256)) * 8}
        text = texts.get(name, b"thank you")
        handler.send_response(int(name) if name.isdigit() else 200)
        if name in ("301", "302", "307"):
            handler.send_header("Location", self.url("/redirected"))
        if name == "429":
            handler.send_header("Retry-After", "600")
        if name == "503":
            handler.send_header("Retry-After", formatdate(time.time() + 600, usegmt=True))
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver."""
    one = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            one.received.append(Received(self.path, headers, body))
            self.close_connection = True
            with contextlib.suppress(OSError):
                one.respond(self, self.path)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer((HOST, one.port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        one.ended.set()
        server.shutdown()
