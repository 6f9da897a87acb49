"""The private project folder from which one local server runs.

Wrangler reads `.dev.vars` and `python_modules` from the folder of its configuration file, and
writes temporary files there. So each local server gets a folder of its own, with a copy of the
configuration in which every path is absolute. Servers of one clone do not interfere, tests do not
read the developer's `.dev.vars`, and a test's configuration can be in any folder.
"""

import json
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.prepare import PYTHON_MODULES
from tools.subscriptions import EVENTS_QUEUE

# Changes a loaded configuration in place.
Edit = Callable[[dict[str, Any]], None]

# Makes workerd load its Pyodide bundle from the engine's folder instead of the internet.
ENGINE_FLAG = "python_workers_development"

_LOCAL_RATE_LIMIT = 1_000_000


def write_project(
    folder: Path,
    configs: Sequence[Path],
    *,
    name: str,
    variables: Mapping[str, str],
    dev_vars: Path | None,
    live: bool,
    edit: Edit | None = None,
    overlay: Mapping[str, Path] | None = None,
) -> list[Path]:
    """Write a project below `folder` for each configuration. Return the new configuration files.

    The first configuration is that of the Worker that serves requests. Each Worker is named
    `NAME-<its own name>`, and service bindings between them are kept. The rate limits of the first
    Worker are raised, because tests create many addresses a minute. It gets the binding `EVENTS`,
    so the delivery events of sandbox recipients go through the queue. Locally, they arrive at once.

    :param variables: set in every Worker.
    :param dev_vars: linked as the first Worker's `.dev.vars`.
    :param live: use the Workers' source instead of a copy. With a copy, an edit does not restart a
        server during a test.
    :param edit: changes the first configuration, for example its bindings.
    :param overlay: files that replace files in the copy of the first Worker's source. The keys are
        paths in the copy.
    """
    shutil.rmtree(folder, ignore_errors=True)
    loaded = [tomllib.loads(path.read_text()) for path in configs]
    _loosen_rate_limits(loaded[0])
    _bind_events(loaded[0])
    if edit is not None:
        edit(loaded[0])
    names = {config["name"]: f"{name}-{config['name']}" for config in loaded}
    written = []
    for number, (path, config) in enumerate(zip(configs, loaded, strict=True)):
        project = folder / str(number)
        project.mkdir(parents=True)
        _rewrite(config, path.parent.resolve(), names, variables)
        if "python_workers" in config.get("compatibility_flags", ()):
            config["compatibility_flags"].append(ENGINE_FLAG)
            (project / "python_modules").symlink_to(PYTHON_MODULES)
            if not live:
                files = overlay if number == 0 and overlay else {}
                config["main"] = _copy_source(Path(config["main"]), project / "source", files)
        if number == 0 and dev_vars is not None:
            (project / ".dev.vars").symlink_to(dev_vars.resolve())
        target = project / "wrangler.json"
        target.write_text(json.dumps(config, indent=2))
        written.append(target)
    return written


def _loosen_rate_limits(config: dict[str, Any]) -> None:
    for limiter in config.get("ratelimits", ()):
        limiter["simple"]["limit"] = _LOCAL_RATE_LIMIT


def _bind_events(config: dict[str, Any]) -> None:
    queues = config.get("queues", {})
    for consumer in queues.get("consumers", ()):
        if consumer["queue"] == EVENTS_QUEUE:
            consumer["max_batch_timeout"] = 0
            queues.setdefault("producers", []).append({"binding": "EVENTS", "queue": EVENTS_QUEUE})


def _rewrite(
    config: dict[str, Any], base: Path, names: Mapping[str, str], variables: Mapping[str, str]
) -> None:
    config["name"] = names[config["name"]]
    config["vars"] = {**config.get("vars", {}), **variables}
    config["main"] = str(base / config["main"])
    if "assets" in config:
        config["assets"]["directory"] = str(base / config["assets"]["directory"])
    for database in config.get("d1_databases", ()):
        database["migrations_dir"] = str(base / database.get("migrations_dir", "migrations"))
    for service in config.get("services", ()):
        service["service"] = names.get(service["service"], service["service"])


def _copy_source(main: Path, target: Path, overlay: Mapping[str, Path]) -> str:
    shutil.copytree(main.parent, target, ignore=shutil.ignore_patterns("__pycache__"))
    for path, file in overlay.items():
        shutil.copyfile(file, target / path)
    return str(target / main.name)
