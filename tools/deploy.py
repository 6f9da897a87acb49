"""Deploy the worker to the Cloudflare account that wrangler is logged in to.

First create the D1 databases and queues that `wrangler.toml` declares, if the account lacks them,
and set the secret JWT_SECRET, if the worker has none. `wrangler.toml` declares databases by name,
without an id, so it works for every account: wrangler finds them by name for migrations and for the
deployment.

A new JWT_SECRET is random. To move an existing service, set its JWT_SECRET in the environment.
Wrangler reads the secret from a temporary file that only this user can read. It is never printed.

Last, subscribe the queue of delivery events to each sending domain. What is not possible is printed
as a warning: mail is sent without these events.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from settings import doubtful_settings, read_settings
from tools.prepare import ROOT
from tools.settings_check import NO_DOMAINS, misspelled_settings, unreadable_settings
from tools.subscriptions import subscribe
from tools.wrangler import CONFIG, WranglerError, load_config, wrangler_command, wrangler_env

_SECRET = "JWT_SECRET"
_SHORTEST_SECRET = 32
_NO_SUCH_WORKER = re.compile(r"Worker \"[^\"]*\" not found|code: 10007")


class DeployError(Exception):
    """The deployment failed. The message names the failed step and says what to do."""


def main() -> int:
    try:
        config = load_config(CONFIG)
        check_variables(config.get("vars", {}))
        _check_login()
        _make_databases(database_names(config))
        _make_queues(queue_names(config))
        secret = _missing_secret()
        for binding in database_bindings(config):
            arguments = ("d1", "migrations", "apply", binding, "--remote")
            _show(f"Applying the migrations of {binding}", *arguments)
        _deploy(secret)
        for problem in subscribe(sending_domains(config.get("vars", {})), _run):
            print(f"WARNING: {problem}")
    except (DeployError, WranglerError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run `make deploy` again: it continues with what is missing.")
        return 130
    return 0


def database_names(config: dict[str, Any]) -> list[str]:
    """The names of the D1 databases without an id. Wrangler finds these by name."""
    return [d["database_name"] for d in config.get("d1_databases", ()) if "database_id" not in d]


def database_bindings(config: dict[str, Any]) -> list[str]:
    """The bindings of all D1 databases."""
    return [database["binding"] for database in config.get("d1_databases", ())]


def queue_names(config: dict[str, Any]) -> list[str]:
    """The names of all queues in the configuration, once each, dead letter queues first."""
    queues = config.get("queues", {})
    consumers = queues.get("consumers", ())
    names = [c["dead_letter_queue"] for c in consumers if "dead_letter_queue" in c]
    names += [q["queue"] for q in (*consumers, *queues.get("producers", ()))]
    return list(dict.fromkeys(names))


def sending_domains(variables: dict[str, Any]) -> tuple[str, ...]:
    """The domains from which the provider sends."""
    settings = read_settings(variables)
    return settings.send_mail_domains or settings.domains


def check_variables(variables: dict[str, Any]) -> None:
    """Check `[vars]`, and print a warning about each setting that is probably a mistake.

    :raises DeployError: a variable can't be read. The message names each such variable.
    """
    where = f"[vars] in {CONFIG.name}"
    for typo in misspelled_settings(variables, lambda _: where):
        print(f"WARNING: {typo}")
    problems = unreadable_settings(variables, lambda _: where)
    if problems:
        raise DeployError("\n".join([*problems, "Correct this, then run `make deploy` again."]))
    # Secrets are not in the configuration. This check assumes that they are set.
    secret_key = {"CF_TURNSTILE_SECRET_KEY": variables.get("CF_TURNSTILE_SITE_KEY")}
    for sentence in doubtful_settings(read_settings({**secret_key, **variables})):
        print(f"WARNING: {where}: {sentence}.")
    if not variables.get("DOMAINS"):
        print(f"WARNING: {NO_DOMAINS} Set DOMAINS in {where}, then run `make deploy` again.")


def _check_login() -> None:
    if _run("whoami", "--json").returncode != 0:
        raise DeployError(
            "Wrangler is not logged in to Cloudflare. Run `. .venv/bin/activate` and `npx wrangler "
            "login`, or set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID), then run `make "
            "deploy` again."
        )


def _make_databases(names: list[str]) -> None:
    if not names:
        return
    listed = _checked("listing the D1 databases", "d1", "list", "--json")
    existing = {database["name"] for database in _json(listed)}
    for name in names:
        if name not in existing:
            print(f"Creating the D1 database {name} ...", flush=True)
            _checked(f"creating the D1 database {name}", "d1", "create", name)


def _make_queues(names: list[str]) -> None:
    for name in names:
        if _run("queues", "info", name).returncode != 0:
            print(f"Creating the queue {name} ...", flush=True)
            _checked(f"creating the queue {name}", "queues", "create", name)


def _missing_secret() -> str | None:
    """A value for JWT_SECRET if the deployed Worker has none, otherwise None."""
    listed = _run("secret", "list", "--format", "json")
    if listed.returncode == 0:
        if any(entry["name"] == _SECRET for entry in _json(listed.stdout)):
            return None
    elif not _NO_SUCH_WORKER.search(listed.stdout + listed.stderr):
        raise _failure("listing the Worker's secrets", listed)
    given = os.environ.get(_SECRET)
    if given is None:
        print(f"{_SECRET} is not set yet. Using a random one, which only Cloudflare will keep.")
        return secrets.token_urlsafe(48)
    if len(given) < _SHORTEST_SECRET:
        raise DeployError(
            f"{_SECRET} in the environment is too short: it needs at least {_SHORTEST_SECRET} "
            "characters. `make secret` prints a good one."
        )
    print(f"{_SECRET} is not set yet. Using the one in the environment.")
    return given


def _deploy(secret: str | None) -> None:
    if secret is None:
        _show("Deploying", "deploy")
        return
    with tempfile.TemporaryDirectory() as folder:  # Only this user can read it.
        file = Path(folder) / "secrets.json"
        file.write_text(json.dumps({_SECRET: secret}))
        _show("Deploying", "deploy", "--secrets-file", file)


def _show(title: str, *arguments: str | Path) -> None:
    """Run wrangler and show its output."""
    print(f"{title} ...", flush=True)
    result = subprocess.run(
        wrangler_command(*arguments), cwd=ROOT, env=_env(), stdin=subprocess.DEVNULL, check=False
    )
    if result.returncode != 0:
        raise DeployError(
            f"{title} failed. See wrangler's output above, then run `make deploy` again."
        )


def _checked(what: str, *arguments: str) -> str:
    """Run wrangler and return its standard output.

    :raises DeployError: if it fails.
    """
    result = _run(*arguments)
    if result.returncode != 0:
        raise _failure(what, result)
    return result.stdout


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        wrangler_command(*arguments),
        cwd=ROOT,
        env=_env(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _env() -> dict[str, str]:
    # Wrangler reads the secret from a file, so its environment must not contain it.
    return {name: value for name, value in wrangler_env().items() if name != _SECRET}


def _failure(what: str, result: subprocess.CompletedProcess[str]) -> DeployError:
    output = f"{result.stdout}\n{result.stderr}".strip()
    return DeployError(f"Stopped: {what} failed.\n{output}")


def _json(text: str) -> list[dict[str, Any]]:
    """The JSON list in wrangler's output, which may start with notices."""
    start = text.find("[")
    try:
        parsed: list[dict[str, Any]] = json.loads(text[start:]) if start >= 0 else []
    except ValueError as exc:
        raise DeployError(f"Stopped: wrangler's output is not JSON:\n{text}") from exc
    return parsed


if __name__ == "__main__":
    sys.exit(main())
