"""The files of the site: pages with navigation, and the index of the search."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from tools.error_catalogue import ERRORS
from tools.guides.markdown import Page, render
from tools.prepare import ROOT

_DOCS = ROOT / "docs"
_CODES = {name.partition(".")[0] for name in ERRORS}
# Files that become pages, and the names of these pages. All other pages are docs/NAME.md.
_PAGES = {"README.md": "start", "README.zh.md": "zh", "docs/README.md": "index"}

HEAD = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/{sheet}.css">
<script type="module" src="/assets/{sheet}.js"></script>
</head>
"""
HEADER = """\
<nav class="site" aria-label="Site">
<a class="brand" href="/"><img src="/icon.svg" alt="" width="28" height="28"> Send Mail API</a>
<div>
<a href="/">Console</a>
<a href="/guides/">Guides</a>
<a href="/docs">API reference</a>
</div>
</nav>
"""
_PAGE = """\
<body class="guides">
<a class="skip" href="#content">Skip to content</a>
{header}<div class="columns">
<aside>
<form class="search" role="search" hidden>
<input type="search" placeholder="Search" aria-label="Search the guides" autocomplete="off">
<p class="hidden" role="status"></p>
<ol></ol>
</form>
<details class="pages" open>
<summary>Pages</summary>
<nav aria-label="Guides">
{navigation}
</nav>
</details>
</aside>
<main id="content" class="text" lang="{language}">
{content}
{next}
</main>
</div>
</body>
</html>
"""


@dataclass(frozen=True)
class _Entry:
    """A page in the navigation."""

    name: str
    title: str

    @property
    def url(self) -> str:
        return "./" if self.name == "index" else self.name


def made_files() -> dict[str, str]:
    """The names and contents of all files."""
    names = {f"docs/{name}.md": name for name in _doc_names()} | _PAGES
    pages = {name: _rendered(file, name) for file, name in names.items()}
    files = {f"{name}.html": _html(name, page) for name, page in pages.items()}
    return {**files, "search.json": json.dumps([*_index(pages)], ensure_ascii=False)}


def _rendered(file: str, name: str) -> Page:
    folder = file.rpartition("/")[0]
    titles = {entry.name: entry.title for entries in parts().values() for entry in entries}

    def link(target: str) -> str | None:
        return page_link(target, folder)

    def title(words: str) -> str:
        """The title of a page instead of the name of its file."""
        is_file = re.fullmatch(r"(?:docs/)?([\w-]+)\.md", words)
        return titles.get(is_file[1], words) if is_file else words

    return render(
        (ROOT / file).read_text("utf-8"),
        link=link,
        title=title,
        has_error=_has_error,
        defines_errors=name == "errors",
    )


def _has_error(word: str) -> bool:
    return word in _CODES or (word.startswith("E_") and word != "E_")


def _doc_names() -> list[str]:
    return sorted(path.stem for path in _DOCS.glob("*.md") if path.name != "README.md")


def page_link(target: str, folder: str) -> str | None:
    """The target on the site of a link in a file of `folder`; None if the site does not have it."""
    path, hash_, anchor = target.partition("#")
    if not path or re.match(r"\w+:", path):
        return target
    parts: list[str] = [part for part in folder.split("/") if part]
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    file = "/".join(parts)
    if file.startswith("docs/images/"):
        return file.removeprefix("docs/")
    if file in _PAGES:
        name = _PAGES[file]
    elif re.fullmatch(r"docs/[\w-]+\.md", file):
        name = file.removeprefix("docs/").removesuffix(".md")
    else:
        return None
    return ("./" if name == "index" else name) + hash_ + anchor


def parts() -> dict[str, list[_Entry]]:
    """The parts of the navigation and their pages, as docs/README.md lists them."""
    found: dict[str, list[_Entry]] = {}
    for line in (_DOCS / "README.md").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"## (.+)", line):
            found[heading[1]] = []
        elif item := re.match(r"- \[([^]]+)\]\(([^)]+)\)", line):
            title = "Quick start" if item[1] == "README" else item[1]
            name = str(page_link(item[2], "docs"))
            found[list(found)[-1]].append(_Entry(name, title))
    return found


def _html(name: str, page: Page) -> str:
    language = "zh-Hans" if name == "zh" else "en"
    head = HEAD.format(language="en", title=f"{escape(page.title)}: Send Mail API", sheet="guides")
    body = _PAGE.format(
        header=HEADER,
        navigation="\n".join(_navigation(name, page)),
        language=language,
        content=page.html,
        next=_next(name),
    )
    return head + body


def _navigation(name: str, page: Page) -> Iterator[str]:
    for part, entries in parts().items():
        yield f"<h2>{part}</h2>\n<ul>"
        for entry in entries:
            is_here = entry.name == name
            here = ' aria-current="page"' if is_here else ""
            yield f'<li><a href="{entry.url}"{here}>{escape(entry.title)}</a>'
            if is_here:
                yield "<ul>"
                for section in page.sections:
                    if section.level == 2:
                        title = escape(section.title)
                        yield f'<li><a href="#{section.anchor}">{title}</a></li>'
                yield "</ul>"
            yield "</li>"
        yield "</ul>"


def _next(name: str) -> str:
    entries = [entry for entries in parts().values() for entry in entries]
    for entry, following in pairwise(entries):
        if entry.name == name:
            return (
                f'<p class="next">Next: <a href="{following.url}">{escape(following.title)}</a></p>'
            )
    return ""


def _index(pages: dict[str, Page]) -> Iterator[list[str]]:
    """The sections of all pages: page, address, heading, text."""
    for name, page in pages.items():
        if name in ("index", "zh"):
            continue
        for section in page.sections:
            anchor = "" if section.level == 1 else f"#{section.anchor}"
            yield [page.title, f"{name}{anchor}", section.title, section.text]
