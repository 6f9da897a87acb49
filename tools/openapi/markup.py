"""Helpers that build HTML. Arguments are text and are escaped, unless they are `Html`."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any


class Html(str):
    """A string that is already HTML."""


def escape(text: object) -> Html:
    """`text` as HTML."""
    return text if isinstance(text, Html) else Html(html.escape(str(text)))


def tag(name: str, *content: object, **attributes: str) -> Html:
    """An element. The argument `class_` sets the attribute class, and `data_x` sets data-x."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{given}>{''.join(map(escape, content))}</{name}>")


def prose(text: str) -> Html:
    """`text` as HTML, with code in backticks as in Markdown."""
    return Html(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


def paragraphs(text: str) -> Html:
    """`text` as HTML paragraphs, which empty lines separate."""
    return Html("\n".join(tag("p", prose(part)) for part in text.split("\n\n")))


def table(head: tuple[str, ...], rows: Sequence[tuple[Html, ...]]) -> Html:
    """A table that scrolls horizontally if it is too wide."""
    titles = tag("tr", *(tag("th", title, scope="col") for title in head))
    # A narrow page shows cells inline. The spaces between the cells then allow line breaks.
    body = "\n".join(tag("tr", Html(" ".join(tag("td", cell) for cell in row))) for row in rows)
    whole = tag("table", tag("thead", titles), "\n", tag("tbody", "\n", Html(body)))
    return tag("div", whole, class_="scrolls", tabindex="0")


def listing(text: object) -> Html:
    """A code block."""
    return tag("pre", tag("code", text), tabindex="0")


def json_text(value: Any) -> str:
    """A JSON value as indented text; a string unchanged."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
