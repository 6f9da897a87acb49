"""The pages at /guides/: their links, what they load, and the index of their search."""

import json
import re
from html.parser import HTMLParser

import pytest

from tests.unit.source import ROOT
from tools.error_catalogue import ERRORS
from tools.guides.markdown import render
from tools.guides.site import made_files

FILES = made_files()
PAGES = {name.removesuffix(".html"): text for name, text in FILES.items() if ".html" in name}
SEARCH = json.loads(FILES["search.json"])
# Paths outside of /guides/ to which the pages link.
OUTSIDE = {"/", "/docs", "/guides/"}


class _Elements(HTMLParser):
    """The elements of a page: names with attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


ELEMENTS = {name: _Elements(text).found for name, text in PAGES.items()}
ANCHORS = {
    name: [str(given["id"]) for _, given in found if "id" in given]
    for name, found in ELEMENTS.items()
}

every_page = pytest.mark.parametrize("name", PAGES)


@every_page
def test_every_link_has_a_target(name: str) -> None:
    lost = []
    for link in {str(given["href"]) for tag, given in ELEMENTS[name] if tag == "a"}:
        path, _, anchor = link.partition("#")
        if re.match(r"https?:", link) or link in OUTSIDE:
            continue
        page = {"": name, "./": "index"}.get(path, path)
        if page not in PAGES or (anchor and anchor not in ANCHORS[page]):
            lost.append(link)
    assert lost == []


@every_page
def test_an_anchor_is_unique(name: str) -> None:
    assert len(set(ANCHORS[name])) == len(ANCHORS[name])


@every_page
def test_a_page_loads_only_local_files_and_has_nothing_inline(name: str) -> None:
    loaded = [str(given["src"]) for _, given in ELEMENTS[name] if "src" in given]
    loaded += [str(given["href"]) for tag, given in ELEMENTS[name] if tag == "link"]
    images = [file for file in loaded if file.startswith("images/")]
    assert all((ROOT / "docs" / file).is_file() for file in images)
    assert {*loaded} - {*images} == {"/icon.svg", "/assets/guides.js", "/assets/guides.css"}
    attributes = {key for _, given in ELEMENTS[name] for key in given}
    assert not [key for key in attributes if key == "style" or key.startswith("on")]
    assert "style" not in {tag for tag, _ in ELEMENTS[name]}
    assert re.findall(r"<script[^>]*>([^<]*)</script>", PAGES[name]) == [""]


def test_every_error_code_has_an_anchor() -> None:
    assert {code.partition(".")[0] for code in ERRORS} - {*ANCHORS["errors"]} == set()
    assert "E_RECIPIENT_SUPPRESSED" in ANCHORS["errors"]


def test_an_error_code_links_to_its_entry() -> None:
    assert '<a href="errors#no_balance"><code>no_balance</code></a>' in PAGES["troubleshooting"]


def test_every_page_and_section_can_be_found() -> None:
    addresses = {address for _, address, _, _ in SEARCH}
    assert {name for name in PAGES if name not in ("index", "zh")} <= addresses
    assert "operations#backup-and-restore" in addresses
    texts = " ".join(text for *_, text in SEARCH)
    assert "E_RECIPIENT_SUPPRESSED" in texts
    assert "<" not in SEARCH[0][3]


def test_a_diagram_of_states_becomes_a_table() -> None:
    text = "```mermaid\nstateDiagram-v2\n    [*] --> a: begun\n    a --> b\n    b --> [*]\n```\n"
    html = render(f"# Title\n\n{text}").html
    assert re.findall(r"<td[^>]*>(.*?)</td>", html) == ["", "a", "begun", "a", "b", ""]


def test_a_cell_names_its_column() -> None:
    html = render("# T\n\n| a | b | |\n|---|---|---|\n| 1 | 2 | 3 |\n").html
    cells = re.findall(r"<td.*?</td>", html.partition("<tbody>")[2])
    assert cells == ["<td>1</td>", '<td data-title="b">2</td>', "<td>3</td>"]


def test_a_link_that_the_site_does_not_have_becomes_text() -> None:
    html = render("# T\n\n[a](b.md) [c](d.md)", link=lambda t: None if t == "b.md" else "d").html
    assert '<p>a <a href="d">c</a></p>' in html


def test_html_in_markdown_is_text() -> None:
    assert "<script>" not in render("# T\n\n<script>x</script>").html
