"""A real relay in its own process, and clients for it."""

import base64
import contextlib
import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.e2e.api import Sender
from tools.local_server import free_port
from tools.prepare import ROOT

HOST = "localhost"
_START_SECONDS = 15


_WITH_FAR_ADDRESS = """
import sys
from smtp_relay import __main__, login_failures, session
near = session.is_loopback
session.is_loopback = login_failures.is_loopback = lambda host: host != {!r} and near(host)
sys.exit(__main__.main())
"""


class RelayProcess:
    """A relay for the API at ``api_url``, with additional ``settings``.

    ``certificate`` is a folder with cert.pem and key.pem; with it the relay has a TLS port too.
    ``far`` is a loopback address that the relay treats as remote, for tests of remote clients.
    """

    def __init__(
        self,
        api_url: str,
        folder: Path,
        *,
        certificate: Path | None = None,
        settings: Mapping[str, str] | None = None,
        far: str | None = None,
    ) -> None:
        self._program = ["-c", _WITH_FAR_ADDRESS.format(far)] if far else ["-m", "smtp_relay"]
        self.port = free_port()
        self.status_port = free_port()
        self.tls_port = free_port()
        self.log = folder / "relay.log"
        tls = {}
        if certificate:
            tls = {
                "SMTP_TLS_PORT": str(self.tls_port),
                "SMTP_TLS_CERT": str(certificate / "cert.pem"),
                "SMTP_TLS_KEY": str(certificate / "key.pem"),
            }
        self._environment = {
            "PATH": os.environ["PATH"],
            "API_URL": api_url,
            "SMTP_PORT": str(self.port),
            "STATUS_PORT": str(self.status_port),
            **tls,
            **(settings or {}),
        }
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "RelayProcess":
        (self._folder / ".env").touch()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *self._program, "--env-file", self._folder / ".env"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.log_lines("started"):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the relay does not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Stop the relay, and return its exit status."""
        self.begin_to_stop()
        return self.wait()

    def begin_to_stop(self) -> None:
        self.process.terminate()

    def wait(self) -> int:
        return self.process.wait(timeout=30)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def log_lines(self, event: str) -> list[dict[str, Any]]:
        """The lines in the log for this event."""
        written = self.log.read_text().splitlines()
        lines = [json.loads(line) for line in written if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait_for_log(self, event: str) -> None:
        """Wait for the first line in the log for this event."""
        deadline = time.monotonic() + 10
        while not self.log_lines(event):
            assert time.monotonic() < deadline, f"no {event} in the log"
            time.sleep(0.05)

    def get(self, path: str) -> str:
        """Request ``path`` from the status port; return the body of the response."""
        with urllib.request.urlopen(
            f"http://{HOST}:{self.status_port}{path}", timeout=5
        ) as response:
            text: str = response.read().decode()
            return text

    def memory(self) -> int:
        """The resident memory of the relay, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def metric(self, name: str) -> float:
        """The value of a metric, such as ``messages_total{result="accepted"}``."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(f"smtp_relay_{name} "):
                return float(line.rpartition(" ")[2])
        raise LookupError(name)

    @contextlib.contextmanager
    def client(self, sender: Sender | None = None) -> Iterator[smtplib.SMTP]:
        """A connection, logged in as ``sender`` if given."""
        with smtplib.SMTP(HOST, self.port, timeout=60) as smtp:
            if sender:
                smtp.login("jwt", sender.jwt)
            yield smtp

    def talk(self, *, is_tls: bool = False, client: str | None = None) -> "Talk":
        """A connection for tests that need raw bytes, from the address ``client`` if given."""
        port = self.tls_port if is_tls else self.port
        source = (client, 0) if client else None
        connection = socket.create_connection((HOST, port), timeout=30, source_address=source)
        return Talk(insecure_context().wrap_socket(connection) if is_tls else connection)


class Talk:
    """A raw connection: sends bytes to the relay and reads its replies."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._file = connection.makefile("rb")

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def wait_until_closed(self) -> None:
        """Wait until the relay closes the connection. Replies are ignored."""
        with contextlib.suppress(ConnectionError):
            while self.socket.recv(1000):
                pass

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def reply(self) -> str:
        """The next reply (its last line), or an empty string after the connection has ended."""
        while True:
            line = self._file.readline().decode("ascii")
            if line[3:4] != "-":
                return line.removesuffix("\r\n")

    def rest(self) -> str:
        """Everything that the relay sends until it closes the connection."""
        return self._file.read().decode("ascii")

    def ask(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def log_in(self, sender: Sender) -> None:
        assert self.reply().startswith("220 ")
        assert self.ask("EHLO test").startswith("250 ")
        word = plain_word("jwt", sender.jwt)
        assert self.ask(f"AUTH PLAIN {word}") == "235 2.7.0 Authentication successful"

    def begin_data(self, *recipients: str) -> None:
        """Send the commands of a transaction up to DATA."""
        assert self.ask("MAIL FROM:<me@example.com>") == "250 2.1.0 Ok"
        for recipient in recipients or ("recipient@example.net",):
            assert self.ask(f"RCPT TO:<{recipient}>") == "250 2.1.5 Ok"
        assert self.ask("DATA").startswith("354 ")


def plain_word(user: str, password: str, on_behalf_of: str = "") -> str:
    """The initial response of AUTH PLAIN (RFC 4616)."""
    return base64.b64encode(f"{on_behalf_of}\0{user}\0{password}".encode()).decode()


def insecure_context() -> ssl.SSLContext:
    """A context that accepts any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
