"""The documents for people: their links have targets, and the README stays short."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.source import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MOST_WORDS = 1_200

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

_LINK = re.compile(r"!?\[[^][]*\]\(([^()\s]+)\)|^\[[^]]+\]: (\S+)$", re.MULTILINE)


def without_code(text: str) -> str:
    text = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "`code`", text)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them, and those of HTML elements."""
    text = page.read_text("utf-8")
    found: dict[str, int] = {}
    anchors = {*re.findall(r'<a id="([^"]+)"></a>', text)}
    blocks = re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#{1,6} (.+)$", blocks, flags=re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = found.get(name, 0)
        found[name] = count + 1
        anchors.add(f"{name}-{count}" if count else name)
    return anchors


@every_page
def test_every_link_has_a_target(page: Path) -> None:
    lost = []
    for match in _LINK.finditer(without_code(page.read_text("utf-8"))):
        link = match[1] or match[2]
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@every_page
def test_a_page_names_no_make_target_that_is_missing(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}
    text = page.read_text("utf-8")
    shell = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL))
    used = {*re.findall(r"`make ([a-z-]+)", text)}
    used |= {*re.findall(r"^ *make ([a-z-]+)", shell, re.MULTILINE)}
    assert used <= targets


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_readme_is_short(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8").split()) <= MOST_WORDS


def commands(name: str) -> list[str]:
    """The lines of code in a page, without comments."""
    text = (ROOT / name).read_text("utf-8")
    blocks = re.findall(r"^ *```\w+\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(r" +# .*", "", line) for block in blocks for line in block.splitlines()]


def test_the_chinese_readme_has_the_same_commands() -> None:
    assert commands("README.zh.md") == commands("README.md")


INDEX = (ROOT / "docs" / "README.md").read_text("utf-8")


def test_the_index_lists_every_page_once() -> None:
    listed = re.findall(r"^- \[[^]]+\]\(([\w-]+\.md)\)", INDEX, re.MULTILINE)
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert sorted(listed) == sorted(pages)


def test_the_index_has_the_five_parts() -> None:
    parts = re.findall(r"^## (.+)$", INDEX, re.MULTILINE)
    assert parts == ["Start", "Guides", "Reference", "Operations", "Why"]
