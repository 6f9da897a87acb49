"""Markdown as HTML, with the anchors that GitHub makes, and links between the pages of the site.

Mermaid diagrams of states become tables, because a program that draws them is larger than all pages
together.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

# GitHub's rule: https://github.com/Flet/github-slugger
_NO_SLUG = re.compile(r"[^\w\- ]")
_TRANSITION = re.compile(r"^ *(\S+) --> (\S+?)(?:: (.*))?$", re.MULTILINE)
_CODE = re.compile(r"[a-z]+(?:_[a-z]+)+|E_[A-Z_]+|not_found|internal_error")
_ERRORS_PAGE = "errors"


@dataclass(frozen=True)
class Section:
    """A heading, its level and anchor, and the text below it up to the next heading."""

    level: int
    title: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Page:
    """A page as HTML, and its sections."""

    html: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        return self.sections[0].title


def slug(title: str) -> str:
    """The anchor of a heading, without the number of a repetition."""
    return _NO_SLUG.sub("", title.lower()).replace(" ", "-")


def render(
    text: str,
    *,
    link: Callable[[str], str | None] = lambda target: target,
    title: Callable[[str], str] = lambda words: words,
    has_error: Callable[[str], bool] = lambda code: False,
    defines_errors: bool = False,
) -> Page:
    """`text` as HTML.

    :param link: the target of a link on the site; None if the site does not have it.
    :param title: the words to show instead of the words of a link.
    :param has_error: whether a word is an error code. Codes become links to the page of errors.
    :param defines_errors: this is the page of errors: codes in tables get an anchor.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_states_as_table(text))
    anchors = _set_anchors(tokens)
    _set_links(tokens, link, title)
    if defines_errors:
        _define_errors(tokens, set(anchors))
    else:
        _link_errors(tokens, has_error)
    _mark_languages(tokens)
    _label_cells(tokens)
    html = parser.renderer.render(tokens, parser.options, {})
    html = html.replace("<th></th>", "<td></td>")  # a screen reader would announce an empty title
    html = html.replace("<table>", '<div class="scrolls" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>").replace("<pre ", '<pre tabindex="0" ')
    return Page(html, tuple(_sections(tokens)))


def _states_as_table(text: str) -> str:
    """`text` with the transitions of each Mermaid diagram as a table."""

    def table(diagram: re.Match[str]) -> str:
        rows = [
            f"| {source.replace('[*]', '')} | {target.replace('[*]', '')} | {when or ''} |"
            for source, target, when in _TRANSITION.findall(diagram[1])
            if target != "[*]"
        ]
        return "\n".join(["| from | to | when |", "|---|---|---|", *rows, ""])

    return re.sub(r"^```mermaid\n(.*?)^```\n", table, text, flags=re.MULTILINE | re.DOTALL)


def _plain(token: Token) -> str:
    parts = (child.content for child in token.children or () if child.type != "html_inline")
    return "".join(parts)


def _set_anchors(tokens: list[Token]) -> list[str]:
    """Give each heading its anchor, and return the anchors in order."""
    seen: dict[str, int] = {}
    anchors = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            anchor = slug(_plain(inline))
            count = seen.get(anchor, 0)
            seen[anchor] = count + 1
            anchors.append(f"{anchor}-{count}" if count else anchor)
            token.attrSet("id", anchors[-1])
    return anchors


def _set_links(
    tokens: list[Token], link: Callable[[str], str | None], title: Callable[[str], str]
) -> None:
    for token in tokens:
        open_links: list[bool] = []
        kept = []
        for child in token.children or ():
            if child.type == "image":
                child.attrSet("src", link(str(child.attrGet("src"))) or "")
            if child.type == "link_open":
                target = link(str(child.attrGet("href")))
                open_links.append(target is not None)
                child.attrSet("href", target or "")
            if child.type == "text" and open_links and open_links[-1]:
                child.content = title(child.content)
            is_kept = open_links[-1] if child.type in ("link_open", "link_close") else True
            if child.type == "link_close":
                open_links.pop()
            if is_kept:
                kept.append(child)
        if token.children is not None:
            token.children = kept


def _define_errors(tokens: list[Token], taken: set[str]) -> None:
    """Give each code in the first column of a table of codes an anchor."""
    column, is_table_of_codes = 0, False
    for token, inline in pairwise(tokens):
        if token.type == "tr_open":
            column = 0
        if token.type in ("th_open", "td_open"):
            column += 1
        if token.type == "th_open" and column == 1:
            is_table_of_codes = inline.content == "code"
        if token.type == "td_open" and column == 1 and is_table_of_codes:
            for child in inline.children or ():
                if child.type == "code_inline" and child.content not in taken:
                    taken.add(child.content)
                    child.attrSet("id", child.content)


def _link_errors(tokens: list[Token], has_error: Callable[[str], bool]) -> None:
    """Make each error code outside of a link and a heading a link to its entry."""
    is_heading = False
    for token in tokens:
        is_heading = token.type == "heading_open" or (is_heading and token.type == "inline")
        if is_heading or not token.children:
            continue
        children: list[Token] = []
        depth = 0
        for child in token.children:
            depth += child.type == "link_open"
            depth -= child.type == "link_close"
            is_code = child.type == "code_inline" and _CODE.fullmatch(child.content)
            if is_code and not depth and has_error(child.content):
                href = {"href": f"{_ERRORS_PAGE}#{child.content}"}
                children += [
                    Token("link_open", "a", 1, attrs={**href}),
                    child,
                    Token("link_close", "a", -1),
                ]
            else:
                children.append(child)
        token.children = children


def _label_cells(tokens: list[Token]) -> None:
    """Write the title of its column on each cell: a narrow page shows rows as paragraphs."""
    titles: list[str] = []
    column = 0
    for token, inline in pairwise(tokens):
        if token.type == "table_open":
            titles = []
        elif token.type == "th_open":
            titles.append(_plain(inline))
        elif token.type == "tr_open":
            column = 0
        elif token.type == "td_open":
            if column and titles[column]:
                token.attrSet("data-title", titles[column])
            column += 1


def _mark_languages(tokens: list[Token]) -> None:
    """Write the language of a block on its `pre`, so that the page can show tabs."""
    for token in tokens:
        if token.type == "fence":
            language = escape(token.info.strip() or "text")
            token.type, token.tag = "html_block", ""
            code = escape(token.content, quote=False)
            token.content = f'<pre data-language="{language}"><code>{code}</code></pre>\n'


def _sections(tokens: list[Token]) -> Iterator[Section]:
    level, title, anchor, texts = 0, "", "", list[str]()
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            if level:
                yield Section(level, title, anchor, " ".join(texts))
            level, texts = int(token.tag[1:]), []
            title, anchor = _plain(tokens[index + 1]), str(token.attrGet("id"))
        elif token.type == "inline" and tokens[index - 1].type != "heading_open":
            texts.append(" ".join(_plain(token).split()))
    if level:
        yield Section(level, title, anchor, " ".join(texts))
