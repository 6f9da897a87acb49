"""`make dev` reports mistakes before the server starts. These tests start no server."""

import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings import read_settings
from tools import dev
from tools.dev_output import WranglerOutput, python_error
from tools.dev_vars import DevVarsError, read_dev_vars
from tools.local_server import ServerError, free_port
from tools.prepare import ROOT
from tools.settings_check import misspelled_settings, unreadable_settings

SECRETS = {"JWT_SECRET": "a-secret-of-the-tests-0123456789abcdef"}
GOOD = (ROOT / ".dev.vars.example").read_text()


class Stopped(Exception):
    """Ends `make dev` when the development server is ready."""


class Scene:
    """`make dev` with a stand-in for the server."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.variables: Mapping[str, str] = {}
        self.health = SimpleNamespace(ok=True, status_code=200, text="OK")
        self._capsys = capsys
        self._dev_vars = folder / ".dev.vars"
        self.config = folder / "wrangler.toml"
        self.config.write_text("[vars]\nDOMAINS = []\n")
        monkeypatch.setenv("STATE", str(folder / "state"))
        monkeypatch.setenv("PORT", str(free_port()))
        for name, value in {
            "DEV_VARS": self._dev_vars,
            "CONFIG": self.config,
            "ROOT": folder,
            "LOGS": folder,
            "_LOG": folder / "dev.log",
            "LocalServer": self._server,
            "apply_migrations": lambda state: None,
            "_attend": self._attend,
        }.items():
            monkeypatch.setattr(dev, name, value)

    def _server(self, *, variables: Mapping[str, str], **_: Any) -> AbstractContextManager[Any]:
        self.variables = variables
        return nullcontext(
            SimpleNamespace(
                url="http://localhost:1",
                registry=self.folder / "registry",
                request=lambda *_, **__: self.health,
            )
        )

    def _attend(self, server: Any) -> None:
        raise Stopped

    def run(self, dev_vars: str | bytes = GOOD) -> str:
        """Everything that `make dev` prints. It ends with "Ready" if the server was ready."""
        content = dev_vars.encode() if isinstance(dev_vars, str) else dev_vars
        self._dev_vars.write_bytes(content)
        try:
            assert dev.main() == 1
            ready = ""
        except Stopped:
            ready = "Ready"
        printed = self._capsys.readouterr()
        assert ("\nReady. " in printed.out) == bool(ready)
        return printed.out + printed.err + ready


@pytest.fixture
def scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scene:
    return Scene(tmp_path, monkeypatch, capsys)


def test_the_example_is_good(scene: Scene) -> None:
    printed = scene.run()
    assert printed.endswith("Ready")
    assert "WARNING" not in printed


def test_webhooks_may_be_on_this_machine(scene: Scene) -> None:
    scene.run()
    assert read_settings({**SECRETS, **scene.variables}).enable_local_webhooks


def test_a_variable_that_cannot_be_read_stops_it(scene: Scene) -> None:
    printed = scene.run(f"{GOOD}MIN_ADDRESS_LEN=two\nENABLE_USER_DELETE_EMAIL=yes # please\n")
    assert "Ready" not in printed
    lines = GOOD.count("\n")
    assert f".dev.vars, line {lines + 1}: MIN_ADDRESS_LEN can't be read. " in printed
    assert f".dev.vars, line {lines + 2}: ENABLE_USER_DELETE_EMAIL can't be read. " in printed
    assert "It must be a whole number, at least 1 and at most 999999999999999." in printed
    assert "run `make dev` again" in printed


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^([a-z]+[0-9]*)*$", "(a|a)*$", "(ab|a|b)+$", ".*.*.*.*x"]
)
def test_a_pattern_that_takes_very_long_stops_it(scene: Scene, pattern: str) -> None:
    printed = scene.run(f"{GOOD}ADDRESS_CHECK_REGEX={pattern}\n")
    line = GOOD.count("\n") + 1
    assert f".dev.vars, line {line}: ADDRESS_CHECK_REGEX can't be used: it takes very" in printed
    assert "Ready" not in printed


@pytest.mark.parametrize(
    "pattern", ["[^a-z0-9.]", r"^[a-z]+(\.[a-z]+)*$", "^[a-z][a-z0-9._-]{2,29}$", r"\d+|[aeiou]+x"]
)
def test_a_usual_pattern_does_not_stop_it(scene: Scene, pattern: str) -> None:
    printed = scene.run(f"{GOOD}ADDRESS_REGEX={pattern}\n")
    assert printed.endswith("Ready")
    assert "WARNING" not in printed


def test_doubtful_variables_are_warned_of(scene: Scene) -> None:
    printed = scene.run(
        f"{GOOD}DOMAINS=example.com,a.example\nDEFAULT_DOMAINS=b.example\nJWT_SECRET=short\n"
        "CF_TURNSTILE_SITE_KEY=1\n"
    )
    assert printed.endswith("Ready")
    last, first = GOOD.count("\n") + 1, GOOD[: GOOD.index("\nDOMAINS=")].count("\n") + 2
    assert f".dev.vars, line {last}: DOMAINS is set in line {first} too." in printed
    assert "WARNING: DEFAULT_DOMAINS contains b.example, but DOMAINS does not" in printed
    assert "WARNING: JWT_SECRET or JWT_SECRET_PREVIOUS is shorter than 32 bytes" in printed
    assert "WARNING: Turnstile is off, because only one of its keys is set" in printed


def test_a_variable_of_the_configuration_too(scene: Scene) -> None:
    scene.config.write_text("[vars]\nRETRY_HOURS = true\n")
    printed = scene.run()
    assert "[vars] in wrangler.toml: RETRY_HOURS can't be read. It must be a whole num" in printed


@pytest.mark.parametrize("line", ["", "JWT_SECRET=", "# JWT_SECRET=x", "JWT_SECERT=" + "x" * 40])
def test_without_a_secret_it_stops_and_names_the_file(scene: Scene, line: str) -> None:
    rest = "".join(one for one in GOOD.splitlines(True) if not one.startswith("JWT_SECRET"))
    printed = scene.run(f"{rest}{line}\n")
    assert ".dev.vars: JWT_SECRET is missing. Add a line JWT_SECRET=" in printed
    assert ("Did you mean JWT_SECRET?" in printed) == line.startswith("JWT_SECERT")
    assert "x" * 40 not in printed


def test_a_name_that_looks_like_a_setting(scene: Scene) -> None:
    printed = scene.run(f"{GOOD}DOMAIN=example.org\nMY_OWN=1\n")
    assert printed.endswith("Ready")
    assert "there is no setting DOMAIN. Did you mean DOMAINS?" in printed
    assert "MY_OWN" not in printed


def test_without_domains_it_says_so(scene: Scene) -> None:
    printed = scene.run(GOOD.replace("DOMAINS=example.com", "DOMAINS=", 1))
    assert printed.endswith("Ready")
    assert "DOMAINS is empty: no sender domain is configured" in printed
    assert "DOMAINS=example.com to .dev.vars" in printed


def test_a_warning_about_an_open_administration_is_printed(scene: Scene) -> None:
    printed = scene.run(f"{GOOD}DISABLE_ADMIN_PASSWORD_CHECK=TRUE\n")
    assert "! WARNING: DISABLE_ADMIN_PASSWORD_CHECK is true." in printed


def test_a_worker_that_cannot_serve_is_not_ready(scene: Scene) -> None:
    scene.health = SimpleNamespace(ok=False, status_code=503, text="The database does not respond")
    printed = scene.run()
    assert "can't serve requests: The database does not respond" in printed


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[vars\n", "wrangler.toml is not valid TOML: "),
        ("[vars]\nDOMAINS = [\n", "wrangler.toml is not valid TOML: "),
        (None, "wrangler.toml can't be read: No such file"),
    ],
)
def test_a_configuration_that_cannot_be_read(
    scene: Scene, content: str | None, sentence: str
) -> None:
    if content is None:
        scene.config.unlink()
    else:
        scene.config.write_text(content)
    assert sentence in scene.run()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"JWT_SECRET=\xff\n", ".dev.vars is not UTF-8 text"),
        (b"A=1\nsomething secret\n", ".dev.vars, line 2: 'something se' is not of the form"),
        (b"A=1\n\n# x\nB", ".dev.vars, line 4: 'B' is not of the form NAME=value"),
    ],
)
def test_a_file_of_another_form(scene: Scene, content: bytes, sentence: str) -> None:
    assert sentence in scene.run(content)


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DevVarsError, match="can't be read: Is a directory"):
        read_dev_vars(tmp_path)


@pytest.mark.parametrize("port", ["http", "0", "65536", "80 80", "²"])
def test_a_port_that_is_no_number(scene: Scene, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    assert "It must be a number from 1 to 65535." in scene.run()


def test_a_port_that_is_taken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        assert "choose another port, for example `make dev PORT=8799`" in scene.run()


def test_a_state_that_is_a_file(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE", str(scene.config))
    assert "can't be used as a folder" in scene.run()


def test_the_file_is_read_as_wrangler_reads_it(tmp_path: Path) -> None:
    file = tmp_path / ".dev.vars"
    file.write_text(
        "\ufeffA=1\n"
        "  export B = two words # a comment\r\n"
        "C='#3' # x\n"
        'D="a\\nb"\n'
        "E: yaml\n"
        "F=\n"
        'G="over\ntwo lines"\n'
        "H=a=b\n"
        "A=again\n",
        newline="",
    )
    read = {name: (one.value, one.line) for name, one in read_dev_vars(file).items()}
    assert read == {
        "A": ("again", 10),
        "B": ("two words", 2),
        "C": ("#3", 3),
        "D": ("a\nb", 4),
        "E": ("yaml", 5),
        "F": ("", 6),
        "G": ("over\ntwo lines", 7),
        "H": ("a=b", 9),
    }


def test_every_unreadable_setting_is_found() -> None:
    given = {"DOMAINS": "a b", "PREFIX": "@", "MIN_ADDRESS_LEN": 40}
    found = unreadable_settings(given, lambda name: f"the place of {name}")
    assert [sentence.partition(":")[0] for sentence in found] == [
        "the place of DOMAINS",
        "the place of PREFIX",
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("domains", "DOMAINS"),
        ("ENABLE_CREATE_EMAIL", "ENABLE_USER_CREATE_EMAIL"),
        ("ADMIN_PASSWORD", "ADMIN_PASSWORDS"),
        ("DOMAINS", None),
        ("NODE_ENV", None),
    ],
)
def test_likeness(name: str, meant: str | None) -> None:
    place = "the place"
    sentence = f"{place}: there is no setting {name}. Did you mean {meant}?"
    assert misspelled_settings([name], lambda _: place) == ([sentence] if meant else [])


OUTPUT = """
 ⛅️ wrangler 4.164.0
Your Worker has access to the following bindings:
Binding                                  Resource                  Mode
env.DB (send-mail-api)                   D1 Database               local
env.JWT_SECRET ("(hidden)")              Environment Variable      local

Attaching additional modules:
┌────────────┐
│ log.py     │
└────────────┘
⎔ Starting local server...
\x1b[33m▲ [WARNING]\x1b[0m Scheduled Workers are not automatically triggered during development.

  To manually trigger a scheduled event, run:
    curl "http://localhost:1/cdn-cgi/local/scheduled"
  For more details, see a page

⎔ Connection status updated
Your Worker has access to the following bindings:
Binding                                  Resource                  Mode
env.DB (send-mail-api)                   D1 Database               local

[wrangler:info] Ready on http://localhost:1
✘ [ERROR] Uncaught Error: no module named x

  at env.DB (entry.py)
"""


def test_misleading_lines_of_wrangler_are_left_out() -> None:
    output = WranglerOutput()
    assert [line for line in OUTPUT.split("\n") if output.shows(line)] == [
        "",
        " ⛅️ wrangler 4.164.0",
        "",
        "⎔ Starting local server...",
        "⎔ Connection status updated",
        "",
        "[wrangler:info] Ready on http://localhost:1",
        "✘ [ERROR] Uncaught Error: no module named x",
        "",
        "  at env.DB (entry.py)",
        "",
    ]


def test_the_reason_of_a_worker_that_does_not_start() -> None:
    output = """
[41;97mERROR[0m Uncaught Error: PythonError: Traceback (most recent call last):
    File "/lib/python314.zip/_pyodide/_base.py", line 666, in pyimport_impl
    File "/session/metadata/entry.py", line 10, in <module>
    File "/session/metadata/store/sweep.py", line 29
      def (
          ^
  SyntaxError: invalid syntax
[31mThe Workers runtime failed to start.[0m
"""
    assert python_error(output) == "src/store/sweep.py, line 29: SyntaxError: invalid syntax"
    assert python_error("Address already in use") is None


def test_a_server_that_does_not_start(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def server(**_: Any) -> Any:
        (scene.folder / "dev.log").write_text("  ModuleNotFoundError: No module named 'x'\n")
        raise ServerError("wrangler ended with status 1")

    monkeypatch.setattr(dev, "LocalServer", server)
    printed = scene.run()
    assert "The server did not start: ModuleNotFoundError: No module named 'x'.\n" in printed
    assert "The log is dev.log." in printed
