"""A local server: `wrangler dev` with the local engine, and access to its database and sent mail.

`make dev`, the tests and the benchmarks use it. Every server has its own project folder, port,
Worker name and registry, so several can run side by side.
"""

import atexit
import contextlib
import fcntl
import glob
import hashlib
import json
import secrets
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tools.dev_project import Edit, write_project
from tools.local_database import Row, Value, query_file, query_server
from tools.prepare import BUILD, ROOT
from tools.process_group import ProcessGroup
from tools.wrangler import CONFIG, apply_migrations, wrangler_command, wrangler_env

HOST = "localhost"

_START_SECONDS = 90


class ServerError(Exception):
    """The local server did not start, or its response was unexpected."""


@dataclass(frozen=True)
class MailBodies:
    """The content of a mail that the local `send_email` binding stored."""

    text: str | None
    html: str | None
    attachments: tuple[bytes, ...]


def free_port() -> int:
    """A TCP port of this machine that is not in use.

    The port is outside the range that the system uses for outgoing connections. So no connection
    takes the port before a server listens on it.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port


def migrated_state(target: Path, config: Path = CONFIG) -> Path:
    """Create the state folder `target` with all migrations applied and no rows; return it.

    The migrations run once (about 3 s). Later calls copy the result until a migration changes.
    """
    digest = hashlib.sha256(config.read_bytes())
    for migration in sorted((ROOT / "migrations").glob("*.sql")):
        digest.update(migration.name.encode() + b"\0" + migration.read_bytes() + b"\0")
    templates = BUILD / "states"
    template = templates / digest.hexdigest()[:16]
    templates.mkdir(parents=True, exist_ok=True)
    with (templates / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            unfinished = templates / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            apply_migrations(unfinished, config)
            unfinished.rename(template)
    shutil.copytree(template, target, dirs_exist_ok=True)
    return target


class LocalServer:
    """A `wrangler dev` of this repository.

    As a context manager it starts on entry. On exit it stops, and removes the folders that it
    created. `stop`, `kill`, `start` and `restart` keep the state.
    """

    def __init__(
        self,
        configs: Sequence[Path] = (CONFIG,),
        *,
        port: int = 0,
        state: Path | None = None,
        variables: Mapping[str, str] | None = None,
        dev_vars: Path | None = None,
        log: Path | None = None,
        live: bool = False,
        edit: Edit | None = None,
        overlay: Mapping[str, Path] | None = None,
    ) -> None:
        """Configure a server without starting it.

        :param configs: wrangler.toml files: first the Worker that serves requests, then those that
            it binds with `[[services]]`.
        :param port: 0 chooses a free port, which the server keeps across restarts.
        :param state: the folder of the local database. None creates a migrated one, which `close`
            removes.
        :param variables: set in every Worker, over `[vars]`. `dev_vars` takes precedence.
        :param dev_vars: a file of KEY=VALUE lines, used as `.dev.vars`.
        :param log: the file to which wrangler's output is appended.
        :param live: restart the Worker when its source changes, instead of running a copy.
        :param edit: changes the first configuration in place.
        :param overlay: files that replace files in the copy of the first Worker's source. The keys
            are paths in the copy.
        """
        self._name = f"local-{secrets.token_hex(4)}"
        self.folder = BUILD / "servers" / self._name
        self.folder.mkdir(parents=True)
        self.port = port or free_port()
        self.state = state or self.folder / "state"
        self.log = log or self.folder / "wrangler.log"
        self._migrate = state is None
        self._configs = tuple(configs)
        self._variables = dict(variables or {})
        self._dev_vars = dev_vars
        self._live = live
        self._edit = edit
        self._overlay = overlay
        self._group: ProcessGroup | None = None
        atexit.register(self.close)

    @property
    def url(self) -> str:
        """The URL of the server, without a trailing slash."""
        return f"http://{HOST}:{self.port}"

    @property
    def registry(self) -> Path:
        """The folder in which other wranglers find this server and its queues."""
        return self.folder / "registry"

    @property
    def is_running(self) -> bool:
        """Whether wrangler is running."""
        return self._group is not None and self._group.exit_status is None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> Self:
        """Start the server and wait for its first response.

        :raises ServerError: wrangler ends, or the server does not respond in time.
        """
        if self._group is not None:
            raise ServerError("the server is already started")
        if self._migrate:
            migrated_state(self.state, self._configs[0])
            self._migrate = False
        configs = write_project(
            self.folder / "project",
            self._configs,
            name=self._name,
            variables=self._variables,
            dev_vars=self._dev_vars,
            live=self._live,
            edit=self._edit,
            overlay=self._overlay,
        )
        command = wrangler_command(
            *("dev", "--local", "--ip", HOST, "--port", str(self.port)),
            *("--inspector-port", str(free_port()), "--persist-to", self.state.resolve()),
            *("--infer-origin-from-routes", "false", "--show-interactive-dev-session", "false"),
            *(word for config in configs for word in ("--config", str(config))),
        )
        # A killed server leaves its entry there, and wrangler would not replace it.
        shutil.rmtree(self.registry, ignore_errors=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._group = ProcessGroup(
            command,
            cwd=configs[0].parent,
            env=wrangler_env(registry=self.registry),
            log=self.log,
        )
        try:
            self._wait_until_ready(self._group)
        except BaseException:
            self.kill()
            raise
        return self

    @property
    def process_group(self) -> int:
        """The id of the group of the server's processes.

        :raises ServerError: the server does not run.
        """
        if self._group is None:
            raise ServerError("the server is not started")
        return self._group.id

    def stop(self) -> None:
        """Stop the server and all its processes. The state stays."""
        if self._group is not None:
            self._group.stop()
            self._group = None

    def kill(self) -> None:
        """Kill all processes with SIGKILL, like a crash. The state stays."""
        if self._group is not None:
            self._group.kill()
            self._group = None

    def restart(self) -> Self:
        """Stop the server if it runs, and start it with the same state, port and name."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stop the server and remove the folders that it created."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def log_tail(self, lines: int = 40) -> str:
        """The end of wrangler's output."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def sent_mails(self) -> list[dict[str, Any]]:
        """All mails sent with `send_email` since the start, oldest first.

        Each mail has those of these members that were set: from, to, cc, bcc, replyTo, subject,
        headers, messageId, attachments and sentAt. A restart empties the list.
        """
        mails: list[dict[str, Any]] = []
        query = {"per_page": "100"}
        while True:
            path = "/cdn-cgi/local/explorer/api/local/email/sending"
            response = json.loads(self._get(path, query))
            mails.extend(response["result"])
            cursor = response["result_info"].get("cursor")
            if not response["result_info"]["has_more"] or not cursor:
                return mails[::-1]
            query["cursor"] = cursor

    def mail_bodies(self, mail: Mapping[str, Any], *, seconds: float = 10) -> MailBodies:
        """Read the bodies and attachments of one entry of `sent_mails`.

        Wrangler writes these files shortly after its response. This method waits until they are
        complete.

        :raises ServerError: the files are not complete within `seconds`.
        """
        message = glob.escape(mail["messageId"].strip("<>"))
        store = self.folder / "project" / "0" / ".wrangler" / "tmp" / "email"
        expected = sorted(part["size"] for part in mail.get("attachments", ()))
        deadline = time.monotonic() + seconds
        seen: dict[Path, int] = {}
        while True:
            texts = list(store.glob(f"*/email-text/{message}.*"))
            pages = list(store.glob(f"*/email-html/{message}.*"))
            parts = list(store.glob(f"*/email-attachment/{message}-*"))
            now = {path: path.stat().st_size for path in (*texts, *pages, *parts)}
            whole = sorted(now[path] for path in parts) == expected
            filled = all(now[path] for path in (*texts, *pages))  # no mail has an empty body
            if (texts or pages) and filled and whole and now == seen:
                parts.sort(key=lambda path: int(path.stem.rpartition("-")[2]))
                return MailBodies(
                    text=_read(texts),
                    html=_read(pages),
                    attachments=tuple(path.read_bytes() for path in parts),
                )
            if time.monotonic() > deadline:
                raise ServerError(f"no complete body of {mail['messageId']} in {store}")
            seen = now
            time.sleep(0.03)

    def run_cron(self, cron: str = "* * * * *") -> str:
        """Run the Worker's cron handler and return the outcome that wrangler reports."""
        return self._get("/cdn-cgi/handler/scheduled", {"cron": cron}, timeout=120)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request with the options of `requests.request`."""
        return requests.request(method, self.url + path, **{"timeout": 60, **options})

    def log_lines(self) -> list[dict[str, Any]]:
        """The log lines of the Worker so far, decoded."""
        written = self.log.read_text().splitlines()
        return [json.loads(line) for line in written if line.startswith('{"event"')]

    def sql(self, sql: str, params: Sequence[Value] = ()) -> list[Row]:
        """Run one statement, with `?` for parameters, on the local database; return its rows.

        Safe while the Worker runs: reads use the file, writes the running server.
        """
        rows = query_file(self.state, sql, params, read_only=self.is_running)
        if rows is None:
            rows = query_server(self.url, sql, params)
        return rows

    def _get(self, path: str, query: Mapping[str, str], *, timeout: float = 30) -> str:
        try:
            response = self.request("GET", path, params=query, timeout=timeout)
        except requests.RequestException as exc:
            raise ServerError(f"GET {path} failed: {exc}") from exc
        text = response.content.decode(errors="replace")
        if not response.ok:
            raise ServerError(f"GET {path} returned {response.status_code}: {text}")
        return text

    def _wait_until_ready(self, group: ProcessGroup) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if group.exit_status is not None:
                raise ServerError(
                    f"wrangler ended with status {group.exit_status}:\n{self.log_tail()}"
                )
            try:
                self.request("GET", "/health_check", timeout=_START_SECONDS)
                return
            except requests.RequestException:
                time.sleep(0.1)
        raise ServerError(f"no response within {_START_SECONDS} s:\n{self.log_tail()}")


def _read(paths: Sequence[Path]) -> str | None:
    # Bytes, because reading as text would translate the line ends of a mail.
    return paths[0].read_bytes().decode() if paths else None
