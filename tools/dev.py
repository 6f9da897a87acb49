"""The development server behind `make dev`.

python -m tools.dev        reads PORT (8787) and STATE (.wrangler/state) from the environment
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TextIO

import requests

from settings import Settings, doubtful_settings, read_settings
from tools.dev_output import WranglerOutput, python_error
from tools.dev_vars import DevVarsError, read_dev_vars
from tools.event import SERVER_FILE
from tools.local_server import HOST, LocalServer, ServerError
from tools.prepare import CONSOLE, LOGS, ROOT, PrepareError, rebuild_static_files
from tools.settings_check import NO_DOMAINS, misspelled_settings, unreadable_settings
from tools.wrangler import CONFIG, WranglerError, apply_migrations, load_config

DEV_VARS = ROOT / ".dev.vars"

_EXAMPLE = ROOT / ".dev.vars.example"
_LOG = LOGS / "dev.log"
_SOURCE = ROOT / "src"


class DevError(Exception):
    """The development server can't start. The message says why, and what to do."""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        port = _port(os.environ.get("PORT") or "8787")
        state = _state(os.environ.get("STATE") or ".wrangler/state")
        with _claimed(state):
            _ensure_dev_vars()
            settings, warnings = checked_settings(DEV_VARS, CONFIG)
            print("Applying the local migrations ...", flush=True)
            apply_migrations(state)
            _serve(port, state, settings, warnings)
    except KeyboardInterrupt:
        print("\nStopped. The local database stays.")
    except ServerError:
        print(_no_start(_LOG.read_text(errors="replace")), file=sys.stderr)
        return 1
    except (DevError, DevVarsError, WranglerError) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _serve(port: int, state: Path, settings: Settings, warnings: list[str]) -> None:
    """Run the server until it is interrupted. If it ends, restart it after the next edit."""
    LOGS.mkdir(parents=True, exist_ok=True)
    _LOG.write_text("")
    threading.Thread(target=_follow, args=(_LOG,), daemon=True).start()
    print("Starting the server (about 6 s) ...", flush=True)
    local = {"ENABLE_LOCAL_WEBHOOKS": "true"}  # .dev.vars can set it to false
    with LocalServer(
        port=port, state=state, variables=local, dev_vars=DEV_VARS, log=_LOG, live=True
    ) as server:
        _check_health(server)
        about = {"url": server.url, "registry": str(server.registry)}
        (state / SERVER_FILE).write_text(json.dumps(about))
        time.sleep(0.3)  # Let wrangler print its own lines first.
        for warning in warnings:
            print(f"WARNING: {warning}", flush=True)
        if settings.disable_admin_password_check:
            _warn_of_open_admin()
        print(_what_next(server.url), flush=True)
        while True:
            _attend(server)
            _restart_after_edit(server)


def _attend(server: LocalServer) -> None:
    """Run the cron every minute, as Cloudflare does, and rebuild the static files after edits.

    Returns when the server has ended.
    """
    due = time.monotonic() + 60 - time.time() % 60
    sources = _static_sources()
    while server.is_running:
        if (now := _static_sources()) != sources:
            sources = now
            try:
                rebuild_static_files()
            except PrepareError as exc:
                print(exc, file=sys.stderr)
        if time.monotonic() >= due:
            due += 60
            try:
                server.run_cron()
            except ServerError as exc:
                print(f"The cron handler failed: {exc}", file=sys.stderr)
        time.sleep(0.5)


def _restart_after_edit(server: LocalServer) -> None:
    """Restart the server after the next edit. It has ended, because it can't load the Worker."""
    while not server.is_running:
        time.sleep(0.3)
        print("\nThe server has stopped. It restarts after the next edit below src/.", flush=True)
        before = _source_times(_SOURCE)
        while _source_times(_SOURCE) == before:
            time.sleep(0.5)
        try:
            server.restart()
        except ServerError:
            continue  # Wrangler has printed the reason.
        print("The server is running again.", flush=True)


def _static_sources() -> dict[Path, int]:
    """The source files of the static files, with their modification times."""
    return _source_times(CONSOLE) | _source_times(_SOURCE) | _source_times(ROOT / "docs")


def _source_times(folder: Path) -> dict[Path, int]:
    times = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime_ns
    return times


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DevError(f"PORT is {text!r}. It must be a number from 1 to 65535.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as exc:
            raise DevError(
                f"Port {port} is not available ({exc.strerror}). Stop the program that uses it, or "
                "choose another port, for example `make dev PORT=8799`."
            ) from exc
    return port


def _state(text: str) -> Path:
    state = (ROOT / text).resolve()
    try:
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state):
            return state
    except OSError as exc:
        raise DevError(
            f"STATE is {text!r}, and {state} can't be used as a folder ({exc.strerror}). Choose a "
            "folder that you can write to, for example `make dev STATE=.wrangler/state-2`."
        ) from exc


def _claimed(state: Path) -> TextIO:
    """Lock the state folder, because two servers would block each other's database.

    The lock lasts until the returned file is closed.
    """
    lock = (state / ".dev.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DevError(
            f"Another `make dev` uses the state in {state}. Stop it, or choose another folder, for "
            "example `make dev PORT=8788 STATE=.wrangler/state-2`."
        ) from None
    return lock


def _ensure_dev_vars() -> None:
    if not DEV_VARS.exists():
        shutil.copyfile(_EXAMPLE, DEV_VARS)
        print(f"Created {DEV_VARS.name} from {_EXAMPLE.name}. It contains the local settings.")


def checked_settings(dev_vars: Path, config: Path) -> tuple[Settings, list[str]]:
    """The settings in `[vars]` and `.dev.vars`, and warnings about them.

    :raises DevError: JWT_SECRET is missing, or variables can't be read. The message names them.
    """
    variables, file = load_config(config).get("vars", {}), read_dev_vars(dev_vars)
    values = {**variables, **{name: variable.value for name, variable in file.items()}}

    def place(name: str) -> str:
        if name in file:
            return f"{dev_vars.name}, line {file[name].line}"
        return f"[vars] in {config.name}"

    problems = unreadable_settings(values, place)
    warnings = [
        f"{place(name)}: {name} is set in line {variable.earlier_line} too. The last value counts. "
        "Remove one of these lines."
        for name, variable in file.items()
        if variable.earlier_line is not None
    ]
    warnings += misspelled_settings(values, place)
    if not values.get("JWT_SECRET"):
        problems.append(
            f"{dev_vars.name}: JWT_SECRET is missing. Add a line JWT_SECRET=... with a text of 32 "
            "characters or more; `make secret` prints one."
        )
    if problems:
        raise DevError(
            "\n".join([*problems, *warnings, "Correct this, then run `make dev` again."])
        )
    settings = read_settings(values)
    no_domains = f"{NO_DOMAINS} Add a line like DOMAINS=example.com to {dev_vars.name}."
    warnings += [f"{sentence}." for sentence in doubtful_settings(settings)]
    return settings, warnings if settings.domains else [*warnings, no_domains]


def _check_health(server: LocalServer) -> None:
    """Check that the Worker can serve requests.

    :raises DevError: it can't, or it does not respond.
    """
    try:
        response = server.request("GET", "/health_check", headers={"Accept": "text/plain"})
    except requests.RequestException as exc:
        raise DevError(f"The server stopped responding: {exc}") from exc
    if not response.ok:
        raise DevError(
            f"The Worker runs, but can't serve requests: {response.text.strip()} "
            f"(GET /health_check returned {response.status_code}). "
            f"The log is {_LOG.relative_to(ROOT)}."
        )


def _no_start(output: str) -> str:
    """The error message after a failed start. Wrangler has already printed a longer one."""
    reason = python_error(output) or "wrangler's lines above say why"
    return (
        f"\nThe server did not start: {reason}.\n"
        f"Correct this, then run `make dev` again. The log is {_LOG.relative_to(ROOT)}."
    )


def _warn_of_open_admin() -> None:
    lines = (
        "WARNING: DISABLE_ADMIN_PASSWORD_CHECK is true.",
        "Anyone who can reach this server can read, change and send without a password.",
        "Never deploy with this setting.",
    )
    width = max(map(len, lines)) + 4
    banner = "\n".join(["!" * width, *(f"! {line:<{width - 4}} !" for line in lines), "!" * width])
    print(f"\033[1;31m{banner}\033[0m" if sys.stdout.isatty() else banner, flush=True)


def _what_next(url: str) -> str:
    json_type = "-H 'Content-Type: application/json'"
    return f"""
Ready. The console: {url}/

  Create an address:
    curl {url}/api/new_address {json_type} -d '{{"name": "alice"}}'

  Send a mail from it. JWT is "jwt" in that response:
    curl {url}/api/send_mail {json_type} -H 'Authorization: Bearer JWT' \\
      -d '{{"to_mail": "bob@example.org", "subject": "Hello", "content": "Hello, Bob"}}'

  List what was sent (no mail leaves this machine; the lines below name the files with the bodies):
    curl {url}/cdn-cgi/local/explorer/api/local/email/sending

  Let a delivery event of a mail arrive. ID is "id" in the response:
    make event ID=... KIND=bounced

  The admin password is ADMIN_PASSWORDS in .dev.vars.
  The cron runs every minute. Edits below src/ and console/ apply at once, edits of wrangler.toml
  and .dev.vars at the next start. Ctrl-C stops the server.
"""


def _follow(path: Path) -> None:
    """Print the lines appended to the file that `WranglerOutput` shows. Never returns."""
    unfinished, output = "", WranglerOutput()
    with path.open(errors="replace") as log:
        while True:
            *lines, unfinished = (unfinished + log.read()).split("\n")
            for line in lines:
                if output.shows(line):
                    print(line, flush=True)
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
