"""``make deploy``, with a stand-in for wrangler that records its calls, because the tests have no
account.
"""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from tools import deploy
from tools.subscriptions import EVENTS_QUEUE
from tools.wrangler import CONFIG, load_config

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
if arguments[:3] == ["queues", "subscription", "list"]:
    if account["subscriptions"] is None:
        sys.exit("Authentication error [code: 10000]")
    start = (int(arguments[-3]) - 1) * int(arguments[-1])
    print(json.dumps(account["subscriptions"][start:start + int(arguments[-1])]))
if arguments[:3] == ["email", "sending", "settings"]:
    problem = account["sending"].get(arguments[3], f"Could not find a zone for `{arguments[3]}`.")
    sys.exit(problem or 0)
if arguments == ["email", "routing", "list"]:
    print("\u2502 zone \u2502 zone id \u2502 enabled \u2502")
    for name, number in account["zones"].items():
        print(f"\u2502 {name} \u2502 {number} \u2502 no \u2502")
if arguments[:3] == ["queues", "subscription", "create"]:
    sys.exit(account["refusal"] or 0)
if arguments[:2] == ["secret", "list"]:
    if account["secrets"] is None:
        sys.exit('Worker "send-mail-api" not found. [code: 10007]')
    print(json.dumps([{"name": name} for name in account["secrets"]]))
if "--secrets-file" in arguments:
    secrets = json.loads(Path(arguments[-1]).read_text())
    Path(sys.argv[1] + ".secrets").write_text(json.dumps(secrets))
"""

QUEUES = ["send-mail-api-outbox", "send-mail-api-webhooks", "send-mail-api-events"]

Account = dict[str, object]
EMPTY: Account = {"logged_in": True, "databases": [], "queues": [], "secrets": None}
COMPLETE: Account = {
    "logged_in": True,
    "databases": ["send-mail-api"],
    "queues": QUEUES,
    "secrets": ["JWT_SECRET"],
}

ZONE = "0123456789abcdef0123456789abcdef"
ONBOARDED: Account = {
    **COMPLETE,
    "subscriptions": [],
    "sending": {"example.com": "", "news.example.com": ""},
    "zones": {"example.com": ZONE, "example.org": "f" * 32},
    "refusal": "",
}
KINDS = ("delivered", "deferred", "bounced", "failed", "rejected", "complained")
EVENTS = ",".join(f"message.{kind}" for kind in KINDS)


def subscription(domain: str, **changed: object) -> dict[str, object]:
    """A subscription to the events of a sending domain."""
    return {
        "id": f"id of {domain}",
        "source": {"type": "email.sending", "zone_id": ZONE, "domain": domain},
        "events": EVENTS.split(","),
        "enabled": True,
        **changed,
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    return Run(tmp_path / "calls", monkeypatch)


class Run:
    """Runs the deployment; ``calls`` and ``secrets`` are what the stand-in received.

    ``domains`` are the sending domains in the settings.
    """

    def __init__(self, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.domains: list[str] = []
        self._calls = calls
        self._monkeypatch = monkeypatch
        monkeypatch.delenv("JWT_SECRET", raising=False)

    def __call__(self, account: Account) -> int:
        script = self._calls.with_suffix(".py")
        script.write_text(STAND_IN)
        Path(f"{self._calls}.account").write_text(json.dumps(account))
        config = {**load_config(CONFIG), "vars": {"DOMAINS": self.domains}}
        self._monkeypatch.setattr(deploy, "load_config", lambda _: config)
        stand_in = [sys.executable, str(script), str(self._calls)]
        command = lambda *words: [*stand_in, *map(str, words)]  # noqa: E731
        self._monkeypatch.setattr(deploy, "wrangler_command", command)
        self._monkeypatch.setattr(deploy, "wrangler_env", lambda: {})
        return deploy.main()

    @property
    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self._calls.read_text().splitlines()]

    def subscribed(self) -> list[list[str]]:
        """The arguments of the calls that create subscriptions, after the name of the queue."""
        return [call[4:] for call in self.calls if call[1:3] == ["subscription", "create"]]

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


def test_each_sending_domain_without_a_subscription_gets_one(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.domains = ["Example.com", "news.example.com"]
    assert run(ONBOARDED) == 0
    assert run.subscribed() == [
        [
            *("--source", "email.sending", "--domain", domain, "--events", EVENTS),
            *("--name", f"send-mail-api-events {domain}", "--zone-id", ZONE),
        ]
        for domain in ("example.com", "news.example.com")
    ]
    assert run.calls.index(["deploy"]) < len(run.calls) - 1
    printed = capsys.readouterr().out
    assert "Subscribed to the delivery events of news.example.com." in printed
    assert "WARNING" not in printed


def test_a_domain_with_a_subscription_is_left_alone(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.domains = ["example.com"]
    many = [subscription(f"d{number}.example") for number in range(120)]
    other = {**subscription("example.com"), "source": {"type": "r2", "domain": "example.com"}}
    assert run({**ONBOARDED, "subscriptions": [other, *many, subscription("example.com")]}) == 0
    assert run.subscribed() == []
    assert run.calls[-1][-3:] == ["2", "--per-page", "100"]
    assert "WARNING" not in capsys.readouterr().out


def test_without_domains_no_subscription_is_looked_for(run: Run) -> None:
    assert run(COMPLETE) == 0
    assert run.calls[-1] == ["deploy"]


@pytest.mark.parametrize(
    ("account", "sentences"),
    [
        ({"sending": {}}, ["not in this Cloudflare account", "remove it from DOMAINS"]),
        (
            {"sending": {"example.com": "No sending subdomain found for `example.com`."}},
            ["wrangler email sending enable example.com", "Workers Paid"],
        ),
        ({"sending": {"example.com": "code: 10000"}}, ["lack the permission", "code: 10000"]),
        ({"zones": {}}, ["id of its zone", "--domain example.com", "--zone-id ZONE_ID"]),
        ({"refusal": "not on this plan"}, ["On Workers Free", "not on this plan"]),
        ({"subscriptions": None}, ["can't be listed", "Authentication error"]),
        (
            {"subscriptions": [subscription("example.com", enabled=False)]},
            ["is disabled", "--id id of example.com"],
        ),
        (
            {"subscriptions": [subscription("example.com", events=["message.delivered"])]},
            ["lacks the events deferred, bounced, failed, rejected, complained."],
        ),
    ],
)
def test_a_missing_subscription_is_explained_and_stops_nothing(
    run: Run, capsys: pytest.CaptureFixture[str], account: Account, sentences: list[str]
) -> None:
    run.domains = ["example.com"]
    assert run({**ONBOARDED, **account}) == 0
    assert ["deploy"] in run.calls
    printed = capsys.readouterr().out
    assert printed.count("WARNING") == 1
    assert [sentence for sentence in sentences if sentence not in printed] == []


def test_the_events_go_to_the_queue_that_the_worker_consumes() -> None:
    assert EVENTS_QUEUE in deploy.queue_names(load_config(CONFIG))


def test_mail_is_sent_from_the_domains_of_the_binding() -> None:
    domains = {"DOMAINS": ["a.example", "b.example"]}
    assert deploy.sending_domains(domains) == ("a.example", "b.example")
    assert deploy.sending_domains({**domains, "SEND_MAIL_DOMAINS": ["b.example"]}) == ("b.example",)
