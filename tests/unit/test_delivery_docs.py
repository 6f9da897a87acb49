"""docs/delivery.md and the console know the same delivery statuses as the code."""

import re
from pathlib import Path
from typing import get_args

import pytest

from mail.delivery import KINDS
from mail.lifecycle import Status
from tests.unit.source import SRC

ROOT = SRC.parent
TEXT = (ROOT / "docs" / "delivery.md").read_text("utf-8")
FILTERS = (ROOT / "console" / "screens" / "messages" / "filters.ts").read_text("utf-8")


def test_the_statuses_are_explained_in_the_order_of_their_ranks() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)
    assert explained == ["sent", *KINDS]


def test_the_console_filters_by_every_status() -> None:
    for name, statuses in (("DELIVERIES", KINDS), ("STATUSES", get_args(Status))):
        (listed,) = re.findall(rf"{name}: .*? = \[(.*?)\];", FILTERS, re.DOTALL)
        assert {*re.findall(r'"(\w+)"', listed)} == {*statuses}


@pytest.mark.parametrize("catalogue", ["en.ts", "zh.ts"])
def test_the_console_has_words_for_every_status(catalogue: str) -> None:
    text = Path(ROOT / "console" / "texts" / catalogue).read_text("utf-8")
    for name in ("delivery", "deliveryEvents", "stories"):
        (words,) = re.findall(rf"\n    {name}: {{\n(.*?)\n    }}", text, re.DOTALL)
        assert {*KINDS} <= {*re.findall(r"^      (\w+):", words, re.MULTILINE)}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((\S+?)\)", TEXT))))
def test_links_lead_to_sections(target: str) -> None:
    path, _, section = target.partition("#")
    text = (ROOT / "docs" / path).read_text("utf-8") if path else TEXT
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert not section or section in slugs
