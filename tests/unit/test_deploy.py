"""``make deploy``, with a stand-in for wrangler that records its calls, because the tests have no
account.
"""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from tools import deploy
from tools.wrangler import CONFIG

STAND_IN = """
import json, sys
from pathlib import Path

arguments = sys.argv[2:]
with Path(sys.argv[1]).open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
account = json.loads(Path(sys.argv[1] + ".account").read_text())
if arguments == ["whoami", "--json"]:
    sys.exit(0 if account["logged_in"] else 1)
if arguments == ["d1", "list", "--json"]:
    print("a notice first", json.dumps([{"name": name} for name in account["databases"]]))
if arguments[:2] == ["queues", "info"]:
    sys.exit(0 if arguments[2] in account["queues"] else 1)
if arguments[:2] == ["secret", "list"]:
    if account["secrets"] is None:
        sys.exit('Worker "send-mail-api" not found. [code: 10007]')
    print(json.dumps([{"name": name} for name in account["secrets"]]))
if "--secrets-file" in arguments:
    secrets = json.loads(Path(arguments[-1]).read_text())
    Path(sys.argv[1] + ".secrets").write_text(json.dumps(secrets))
"""

QUEUES = ["send-mail-api-outbox", "send-mail-api-events"]

Account = dict[str, object]
EMPTY: Account = {"logged_in": True, "databases": [], "queues": [], "secrets": None}
COMPLETE: Account = {
    "logged_in": True,
    "databases": ["send-mail-api"],
    "queues": QUEUES,
    "secrets": ["JWT_SECRET"],
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    return Run(tmp_path / "calls", monkeypatch)


class Run:
    """Runs the deployment; ``calls`` and ``secrets`` are what the stand-in received."""

    def __init__(self, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls = calls
        self._monkeypatch = monkeypatch
        monkeypatch.delenv("JWT_SECRET", raising=False)

    def __call__(self, account: Account) -> int:
        script = self._calls.with_suffix(".py")
        script.write_text(STAND_IN)
        Path(f"{self._calls}.account").write_text(json.dumps(account))
        stand_in = [sys.executable, str(script), str(self._calls)]
        command = lambda *words: [*stand_in, *map(str, words)]  # noqa: E731
        self._monkeypatch.setattr(deploy, "wrangler_command", command)
        self._monkeypatch.setattr(deploy, "wrangler_env", lambda: {})
        return deploy.main()

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self._calls.read_text().splitlines()]

    @property
    def secrets(self) -> dict[str, str]:
        secrets: dict[str, str] = json.loads(Path(f"{self._calls}.secrets").read_text())
        return secrets


def test_the_configuration_declares_its_resources() -> None:
    config = tomllib.loads(CONFIG.read_text())
    assert deploy.database_names(config) == ["send-mail-api"]
    assert deploy.database_bindings(config) == ["DB"]
    assert deploy.queue_names(config) == QUEUES


def test_an_empty_account_gets_all_resources(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(EMPTY) == 0
    calls = run.calls
    assert ["d1", "create", "send-mail-api"] in calls
    assert all(["queues", "create", queue] in calls for queue in QUEUES)
    migrate = calls.index(["d1", "migrations", "apply", "DB", "--remote"])
    assert migrate == len(calls) - 2
    assert calls[-1][:2] == ["deploy", "--secrets-file"]
    assert len(run.secrets["JWT_SECRET"]) >= 43
    assert run.secrets["JWT_SECRET"] not in "".join(capfd.readouterr())


def test_a_complete_account_is_only_migrated_and_deployed(run: Run) -> None:
    assert run(COMPLETE) == 0
    assert not any("create" in call for call in run.calls)
    assert run.calls[-2:] == [["d1", "migrations", "apply", "DB", "--remote"], ["deploy"]]


def test_a_secret_from_the_environment_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "s" * 40)
    assert run({**COMPLETE, "secrets": []}) == 0
    assert run.secrets == {"JWT_SECRET": "s" * 40}


def test_a_short_secret_is_rejected(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JWT_SECRET", "short")
    assert run({**COMPLETE, "secrets": []}) == 1
    assert "too short" in capsys.readouterr().err
    assert not any("deploy" in call for call in run.calls)


def test_probable_mistakes_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    good = {"DOMAINS": "a.example", "CF_TURNSTILE_SITE_KEY": "1"}  # the other key is a secret
    deploy.check_variables(good)
    assert capsys.readouterr().out == ""
    deploy.check_variables({**good, "DEFAULT_DOMAINS": "b.example"})
    printed = capsys.readouterr().out
    assert printed.startswith("WARNING: [vars] in wrangler.toml: DEFAULT_DOMAINS contains b.exam")
    with pytest.raises(deploy.DeployError, match="ADDRESS_REGEX can't be used"):
        deploy.check_variables({**good, "ADDRESS_REGEX": "(a+)+$"})


def test_without_a_login_nothing_is_done(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({**EMPTY, "logged_in": False}) == 1
    assert "not logged in" in capsys.readouterr().err
    assert run.calls == [["whoami", "--json"]]
