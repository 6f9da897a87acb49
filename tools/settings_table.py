"""Generate the tables of settings in docs/configuration.md (``make settings-table``)."""

import re

from settings import DECLARED, Settings
from tools.prepare import ROOT

DOCUMENT = ROOT / "docs" / "configuration.md"


def updated(document: str) -> str:
    """Return ``document`` with tables generated from the declarations in src/settings.py."""
    return _with_table(_with_table(document, "Secrets", _secrets()), "Variables", _variables())


def _with_table(document: str, heading: str, rows: list[str]) -> str:
    table = "".join(f"| {row} |\n" for row in rows)
    before, found, after = document.partition(f"## {heading}\n\n|")
    if not found:
        raise ValueError(f"{DOCUMENT.name} has no table below the heading {heading!r}")
    _, _, after = after.partition("\n\n")
    return f"{before}## {heading}\n\n{table}\n{after}"


def _secrets() -> list[str]:
    rows = [
        f"`{setting.name.upper()}` | {setting.metadata['help']}"
        for setting in DECLARED
        if setting.metadata["secret"]
    ]
    return ["name | description", "--- | ---", *rows]


def _variables() -> list[str]:
    defaults = Settings()
    rows = [
        f"`{setting.name.upper()}` | {_shown(getattr(defaults, setting.name))}"
        f" | {setting.metadata['help']}"
        for setting in DECLARED
        if not setting.metadata["secret"]
    ]
    return ["name | default | description", "--- | --- | ---", *rows]


def _shown(default: object) -> str:
    if default is None or default == "" or default == ():
        return "empty"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default.pattern if isinstance(default, re.Pattern) else default}`"


if __name__ == "__main__":
    DOCUMENT.write_text(updated(DOCUMENT.read_text("utf-8")), "utf-8")
