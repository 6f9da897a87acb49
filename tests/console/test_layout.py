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


# The tables that scroll sideways, and the labels of charts that are cut off.
CUT = """[
  ...[...document.querySelectorAll('.table-frame')].filter((it) => it.scrollWidth > it.clientWidth),
  ...[...document.querySelectorAll('.chart text')].filter((it) => {
    const [own, all] = [it, it.ownerSVGElement].map((one) => one.getBoundingClientRect());
    return own.left < all.left - 0.5 || own.right > all.right + 0.5;
  }),
].map((it) => it.outerHTML.slice(0, 200))"""

LONG_DOMAIN = ".".join(["a" * 60] * 3) + ".example"


def fill_lists(person: Person) -> None:
    """Fill the lists of the administration with long words and large numbers."""
    sql = person.api.server.sql
    to = [f"recipient-{number}@example.net" for number in range(5)]
    sent = person.api.send(person.api.new_sender(balance=5), to_mail=None, to=to).json()
    sql(
        "UPDATE messages SET delivery_status = 'complained', delivery_count = 1 WHERE id = ?",
        [sent["id"]],
    )
    for domain in (LONG_DOMAIN, "news.example"):
        sql(
            "INSERT OR REPLACE INTO usage_days"
            " (day, address_id, domain, sent, failed, unknown, cancelled, recipients)"
            " VALUES (date('now'), 0, ?, 1, 1, 0, 0, 1234567)",
            [domain],
        )
        sql(
            "INSERT OR REPLACE INTO delivery_days (day, domain, delivered, bounced)"
            " VALUES (date('now'), ?, 1111111, 123456)",
            [domain],
        )
    suppression = {"address": "gone@example.net", "scope": LONG_DOMAIN}
    assert person.api.admin("POST", "/admin/suppressions", json=suppression).status_code == 200


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("place", ["balances", "sent", "domains", "suppressions"])
def test_nothing_is_cut_off_at_any_width(person: Person, place: str, language: str) -> None:
    fill_lists(person)
    person.enter_administration()
    person.open(f"admin/{place}")
    person.page.locator("select").first.select_option(language)
    expect(person.page.locator(".table-frame").first).to_be_visible()
    for width in (1280, 1024, 900, 840, 768, 660, 360, 320):
        person.page.set_viewport_size({"width": width, "height": 800})
        person.page.wait_for_function(f"() => {CUT}.length === 0")
        assert not person.is_wider_than_the_screen()
