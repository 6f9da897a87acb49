"""Export and restore of the database, with the commands of docs/operations.md."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.api import DEPLOYMENT, Api
from tools.local_server import LocalServer, migrated_state
from tools.prepare import ROOT, VENV
from tools.wrangler import wrangler_env

_COMMANDS = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def commands(*, of: str, until: str) -> list[str]:
    """The blocks of commands in docs/operations.md from the heading ``of`` to ``until``."""
    document = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return _COMMANDS.findall(document.partition(f"# {of}\n")[2].partition(f"# {until}\n")[0])


def clone(folder: Path) -> Path:
    """Make ``folder`` a clone: with the files that the commands need, and separate databases."""
    folder.mkdir()
    for name in ("wrangler.toml", "migrations", "tools", "node_modules", "src", "public"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(script: str, *, folder: Path) -> None:
    """Run the commands unchanged."""
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=wrangler_env(extra={"PATH": f"{VENV}/bin{os.pathsep}{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow  # seven commands that each start Node.js and workerd
def test_a_restored_database_has_all_rows_and_sends_nothing_twice(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    state = migrated_state(folder / ".wrangler" / "state")
    with LocalServer(variables=DEPLOYMENT, state=state) as server:
        api = Api(server)
        sender = api.new_sender()
        sent = api.send(sender, subject="It's; -- 'quoted'", content="with\x00 a NUL, 你好").json()
        waits = api.send(sender, scheduled_at=LATER).json()
        before = api.message(sender, sent["id"])
        audit_rows = api.admin("GET", "/admin/audit").json()["results"]

    (export,) = commands(of="A copy of one's own", until="Restoring")
    run(export, folder=folder)
    for restore in commands(of="Restoring", until="Upgrading"):
        run(restore, folder=folder)

    with LocalServer(variables=DEPLOYMENT, state=folder / ".wrangler" / "restored") as server:
        api = Api(server)
        server.run_cron()
        assert api.message(sender, waits["id"])["status"] == "unknown"
        after = api.message(sender, sent["id"])
        without_text = {"raw": None, "text": None}  # The export does not contain the text.
        assert {**after, **without_text} == {**before, **without_text}
        assert api.balance(sender) == 998
        assert api.admin("GET", "/admin/audit").json()["results"] == audit_rows
        assert api.send(sender).status_code == 200
