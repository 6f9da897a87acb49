"""No page scrolls sideways, or down into an empty area."""

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.console.screens import used

pytestmark = pytest.mark.slow

# The bottom of the lowest visible element, in pixels from the top of the document.
BOTTOM = """Math.max(...[...document.querySelectorAll('.frame, .frame *')]
  .filter((element) => !element.closest('.hidden') && element.getClientRects().length)
  .map((element) => element.getBoundingClientRect().bottom + scrollY))"""


@pytest.mark.parametrize("width", [320, 1200])
def test_no_empty_area_follows_a_chart(person: Person, width: int) -> None:
    person.page.set_viewport_size({"width": width, "height": 700})
    sender = person.sign_in()
    for back in range(28):
        used(person, sender, back, 12 + back, back % 3)
    person.open("usage")
    expect(person.page.get_by_role("img")).to_be_visible()
    expect(person.page.get_by_role("table")).to_be_attached()
    height = person.page.evaluate("document.documentElement.scrollHeight")
    assert height <= max(person.page.evaluate(BOTTOM) + 1, 700)
    assert not person.is_wider_than_the_screen()
