"""The installation with `pip install '.[smtp]'`, and the separation of relay and worker."""

import dataclasses
import tomllib

from smtp_relay import __main__
from smtp_relay.message import adaptations, entity, parts
from smtp_relay.message.hidden_recipients import may_name_hidden
from smtp_relay.message.rules import (
    content_ids,
    filenames,
    headers,
    inline,
    names,
    structure,
    texts,
    values,
)
from smtp_relay.settings import Settings, settings_help
from tests.unit.source import ROOT
from tests.unit.test_repository import pins

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "smtp.md").read_text("utf-8")


def test_the_relay_is_tested_with_the_versions_it_requires() -> None:
    wanted = set(PYPROJECT["project"]["optional-dependencies"]["smtp"])
    assert all("==" in requirement for requirement in wanted)
    assert wanted <= pins("dev.txt")


def test_the_command_exists() -> None:
    assert PYPROJECT["project"]["scripts"] == {"send-mail-smtp": "smtp_relay.__main__:main"}
    assert callable(__main__.main)


def test_every_package_is_installed() -> None:
    packages = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "smtp_relay").rglob("__init__.py")
    }
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages


def test_the_worker_does_not_import_the_relay() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert "smtp_relay" not in path.read_text("utf-8")


def test_the_relay_does_not_import_the_worker() -> None:
    own = {path.name for path in (ROOT / "src").iterdir()}
    for path in (ROOT / "smtp_relay").rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith(("import ", "from ")):
                assert line.split()[1].partition(".")[0] not in own - {"__pycache__"}


def test_every_setting_is_explained() -> None:
    settings = {field.name.upper() for field in dataclasses.fields(Settings)}
    rows = "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert {name for name in settings if f"`{name}`" not in rows} == set()


def test_the_page_shows_every_setting_with_its_help() -> None:
    rows = [
        f"| `{name}` | {f'`{default}`' if default else ''} | {text} |"
        for name, default, text in settings_help()
    ]
    table = "\n".join(["| name | default | meaning |", "|---|---|---|", *rows, ""])
    assert table in PAGE, f"replace the table of settings by:\n\n{table}"


def test_the_page_lists_the_fields_that_are_left_out() -> None:
    shown = {*headers._LOCAL, *(f"{prefix}\\*" for prefix in headers._LOCAL_PREFIXES)}
    assert {name for name in shown if name not in PAGE.lower()} == set()


def test_the_page_lists_the_fields_that_can_name_hidden_recipients() -> None:
    start = PAGE.index("because they can name hidden recipients")
    listed = PAGE[start : PAGE.index(".\n", start)].partition("):")[2].replace("\n", " ")
    names = [name.strip().lower() for name in listed.split(",")]
    assert len(names) == 13
    assert [name for name in names if not may_name_hidden(name)] == []


def test_the_page_lists_the_types_that_are_left_out_and_the_names_of_files() -> None:
    shown = {*structure._CARRIED_BY, *structure._SIGNATURES.values(), structure._SMIME_NAME}
    assert {name for name in shown if name not in PAGE} == set()


def test_the_page_shows_the_limits() -> None:
    limits = {
        f"at most {adaptations.MAX_SENTENCES}",
        f"shortened to {names.MAX_NAME_CHARACTERS} characters",
        f"shortened to {texts.MAX_SUBJECT_CHARACTERS} characters",
        f"name is longer than {headers.MAX_NAME_BYTES} characters",
        f"longer than {values.MAX_VALUE_BYTES:,} bytes",
        f"After {headers.MAX_HEADERS} fields",
        f"exceed {headers.MAX_TOTAL_BYTES // 1024} KB",
        f"longer than {inline.MAX_HTML:,} characters",
        f"longer than {inline.MAX_TEXTS_IN_HTML:,} characters",
        f"shortened to {filenames.MAX_BYTES} bytes",
        f"content id of more than {content_ids.MAX_CHARACTERS} characters",
        f"more than {parts._MAX_DEPTH} levels of parts, {parts._MAX_PARTS:,} parts",
        f"{entity._MAX_FIELDS:,} header fields or {entity._MAX_ALL_HEADERS_BYTES // 1024} KiB",
    }
    text = " ".join(PAGE.split())
    assert {limit for limit in limits if limit not in text} == set()
