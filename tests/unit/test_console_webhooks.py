"""The console knows the events, statuses and reasons of the webhooks."""

import re
from typing import get_args

import pytest

from handlers.webhook_types import DisabledReason
from mail.webhook_events import EVENTS
from store.webhook_log import DeliveryStatus
from tests.unit.source import SRC

CONSOLE = SRC.parent / "console"
TYPES = (CONSOLE / "api" / "webhooks.ts").read_text("utf-8")


def _listed(name: str) -> list[str]:
    (listed,) = re.findall(rf"{name} = \[(.*?)\]", TYPES, re.DOTALL)
    return re.findall(r'"([\w.]+)"', listed)


def test_the_console_has_the_events_and_statuses_of_the_api() -> None:
    assert _listed("EVENTS") == [*EVENTS]
    assert _listed("DELIVERY_STATUSES") == [*get_args(DeliveryStatus)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_console_has_words_for_all_of_them(language: str) -> None:
    text = (CONSOLE / "texts" / f"webhooks.{language}.ts").read_text("utf-8")
    every = {
        "kinds": EVENTS,
        "deliveries": get_args(DeliveryStatus),
        "reasons": get_args(DisabledReason),
    }
    for name, known in every.items():
        (words,) = re.findall(rf"\n  {name}: {{\n(.*?)\n  }}", text, re.DOTALL)
        assert re.findall(r'^    "?([\w.]+)"?:', words, re.MULTILINE) == [*known]
