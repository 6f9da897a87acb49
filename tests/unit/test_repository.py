"""Files of the repository besides the source: versions, pins, flags, and no local paths."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from settings import VERSION
from tests.unit.source import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WRANGLER = tomllib.loads((ROOT / "wrangler.toml").read_text("utf-8"))


def pins(file: str) -> set[str]:
    """The ``name==version`` lines of a requirements file."""
    lines = (ROOT / "requirements" / file).read_text("utf-8").splitlines()
    return {match[0] for line in lines if (match := re.match(r"[a-z0-9-]+==[^\s;\\]+", line))}


def _files() -> list[Path]:
    """Every file that git tracks, and every untracked file that it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def found_in_files(pattern: str) -> list[str]:
    """``path: match`` of the first match in each file."""
    expression = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _files()
        if (match := expression.search(path.read_text("utf-8", errors="replace")))
    ]


def test_the_version_is_the_same_everywhere() -> None:
    assert PYPROJECT["project"]["version"] == VERSION


def test_the_worker_depends_on_the_vendored_packages() -> None:
    wanted = [text.partition("; ") for text in PYPROJECT["project"]["dependencies"]]
    dependencies = {pin for pin, _, _ in wanted}
    assert {platform for _, _, platform in wanted} == {"sys_platform == 'emscripten'"}
    assert dependencies == pins("worker.in")
    assert dependencies <= pins("worker.txt")


def test_the_tests_run_with_the_versions_of_the_worker() -> None:
    only_there = {pin for pin in pins("worker.in") if pin.startswith("workers-runtime-sdk==")}
    assert pins("worker.in") - only_there <= pins("dev.txt")


@pytest.mark.parametrize("file", ["dev.txt", "worker.txt"])
def test_every_pin_has_a_hash(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text("utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text)
    unhashed = [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
    assert unhashed == []


def test_the_runtime_has_the_required_version() -> None:
    assert WRANGLER["main"] == "src/entry.py"
    assert WRANGLER["compatibility_date"] == "2026-11-01"
    assert WRANGLER["compatibility_flags"] == ["python_workers"]


def test_the_bindings_have_the_names_of_the_contract() -> None:
    assert [database["binding"] for database in WRANGLER["d1_databases"]] == ["DB"]
    assert [email["name"] for email in WRANGLER["send_email"]] == ["SEND_MAIL"]
    assert WRANGLER["assets"]["binding"] == "ASSETS"


def test_the_configuration_has_no_secret() -> None:
    secret = re.compile("SECRET|PASSWORD|PEPPER")
    assert [name for name in WRANGLER.get("vars", {}) if secret.search(name)] == []


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "migrations").glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers != []


# Regular expressions with backslashes, so that this file does not match itself.
_REGISTRIES = "|".join(
    (
        r"pypi\.(org|python\.org)",
        r"pythonhosted\.org",
        r"registry\.(npmjs\.org|npmmirror\.com|yarnpkg\.com)",
        r"crates\.io",
        r"proxy\.golang\.org",
        r"npm\.jsr\.io",
    )
)
_REGISTRY = rf"(?i)\b({_REGISTRIES})\b"
_LOCAL_PATH = r"(?<![\w.~*}\])/-])/(?:work|root|home/\w+|Users/\w+)/"


def test_the_patterns_find_their_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("see /" + "root/x at pypi." + "org")
    monkeypatch.setattr("tests.unit.test_repository.ROOT", tmp_path)
    monkeypatch.setattr("tests.unit.test_repository._files", lambda: [tmp_path / "file"])
    assert found_in_files(_REGISTRY) == ["file: pypi." + "org"]
    assert found_in_files(_LOCAL_PATH) == ["file: /" + "root/"]


def test_no_file_names_a_package_registry() -> None:
    assert found_in_files(_REGISTRY) == []


def test_no_file_names_a_local_path() -> None:
    assert found_in_files(_LOCAL_PATH) == []
