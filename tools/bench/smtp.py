"""The SMTP relay: its throughput compared with direct requests to the API, and its memory."""

import base64
import contextlib
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from smtp_relay.message.convert import convert
from tools.bench import mails
from tools.bench.load import Client, LoadError, Turn, drive, run
from tools.bench.report import Figures, progress
from tools.bench.rounds import play, spread
from tools.bench.workers import Workers
from tools.local_server import HOST, free_port
from tools.prepare import ROOT

_CONNECTIONS = 50
_WARM_MESSAGES = 1_000
_MESSAGES = 10_000
_START_SECONDS = 15.0


def measure(workers: Workers, figures: Figures, repeat: int) -> None:
    """Measure the throughput in alternating turns with fifty connections, then the memory."""
    mail = _mail()
    direct = convert(mail, [mails.RECIPIENT], sender=mails.SENDER, max_hops=1).body
    token = workers.ours.authorization.removeprefix("Bearer ")
    with _relay(f"http://{HOST}:{workers.ours.server.port}") as relay:

        def relayed(seconds: float) -> Turn:
            return run("the SMTP relay", _clients(relay.port, token, mail), seconds=seconds)

        rounds = play(
            f"Sending with {_CONNECTIONS} connections by SMTP and directly",
            relayed,
            partial(drive, workers.ours, direct, _CONNECTIONS),
            repeat=repeat,
            rounds=6,
            seconds=2.0,
        )
    rates = [(relayed.per_second, posted.per_second) for relayed, posted in rounds]
    ratios = [by_smtp / posted for by_smtp, posted in rates]
    progress(f"Messages per second by SMTP / by direct requests: {spread(ratios)}")
    by_smtp, posted = map(statistics.median, zip(*rates, strict=True))
    figures.add("smtp_messages_per_second_c50", by_smtp, 1)
    figures.add("direct_messages_per_second_c50", posted, 1)
    figures.add("smtp_vs_direct_ratio", statistics.median(ratios))
    _measure_memory(figures, token, mail)


def _measure_memory(figures: Figures, token: str, mail: bytes) -> None:
    progress(f"Relaying {_MESSAGES:,} messages to an API that accepts everything (20 s)")
    with _accepting_api() as url, _relay(url) as relay:
        name = "the SMTP relay"
        run(name, _clients(relay.port, token, mail), messages=_WARM_MESSAGES)
        warm = relay.memory_kib()
        clients = _clients(relay.port, token, mail)
        turn = run(name, clients, messages=_MESSAGES - _WARM_MESSAGES)
        figures.add("relay_alone_messages_per_second", turn.per_second, 1)
        figures.add("relay_memory_mib", relay.memory_kib() / 1024, 1)
        figures.add("relay_memory_growth_mib", (relay.memory_kib() - warm) / 1024, 1)


def _mail() -> bytes:
    head = (
        f"From: {mails.SENDER_NAME} <{mails.SENDER}>",
        f"To: {mails.RECIPIENT_NAME} <{mails.RECIPIENT}>",
        f"Subject: {mails.SUBJECT}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        mails.content(mails.SMALL).replace("\n", "\r\n"),
    )
    return "\r\n".join(head).encode()


@dataclass(frozen=True)
class _Relay:
    port: int
    process_id: int

    def memory_kib(self) -> int:
        words = ["ps", "-o", "rss=", "-p", str(self.process_id)]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


@contextlib.contextmanager
def _relay(api_url: str) -> Iterator[_Relay]:
    port = free_port()
    settings = {"API_URL": api_url, "SMTP_PORT": str(port), "STATUS_PORT": "off"}
    process = subprocess.Popen(
        [sys.executable, "-m", "smtp_relay", "--env-file", os.devnull],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _is_open(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LoadError("the SMTP relay does not start")
            time.sleep(0.05)
        yield _Relay(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def _is_open(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _clients(port: int, token: str, mail: bytes) -> list[Client]:
    return [_Client(port, token, mail) for _ in range(_CONNECTIONS)]


class _Client(Client):
    """A client that logs in before the measurement starts, and pipelines commands (RFC 2920)."""

    def __init__(self, port: int, token: str, mail: bytes) -> None:
        super().__init__()
        self._socket = socket.create_connection((HOST, port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._envelope = (
            f"MAIL FROM:<{mails.SENDER}>\r\nRCPT TO:<{mails.RECIPIENT}>\r\nDATA\r\n".encode()
        )
        self._mail = re.sub(rb"(?m)^\.", b"..", mail) + b"\r\n.\r\n"
        word = base64.b64encode(f"\0jwt\0{token}".encode()).decode()
        self._expect(b"220")
        self._socket.sendall(f"EHLO bench\r\nAUTH PLAIN {word}\r\n".encode())
        self._expect(b"250")
        self._expect(b"235")

    def send(self) -> None:
        self._socket.sendall(self._envelope)
        for code in (b"250", b"250", b"354"):
            self._expect(code)
        self._socket.sendall(self._mail)
        self._expect(b"250")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _expect(self, code: bytes) -> None:
        while True:
            line = self._file.readline()
            if line[3:4] != b"-":
                break
        if not line.startswith(code):
            raise LoadError(line.decode(errors="replace") or "the relay closed the connection")


@contextlib.contextmanager
def _accepting_api() -> Iterator[str]:
    """An API that accepts every credential and every mail without doing anything."""
    response = json.dumps({"success": True, "status": "ok", "id": "1"}).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(http.client.OK)
            self.send_header("Content-Length", str(len(response)))
            self.end_headers()
            self.wfile.write(response)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 2 * _CONNECTIONS

    with Server((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
