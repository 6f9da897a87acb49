"""The guides and the API reference in the browser."""

import pytest
from playwright.sync_api import expect

from tests.console.person import Person

pytestmark = pytest.mark.slow

WIDTHS = (360, 768, 1200, 1920)


def check(person: Person) -> None:
    """No fault of accessibility in both themes, and no sideways scroll at any width."""
    for scheme in ("light", "dark"):
        person.page.emulate_media(color_scheme=scheme)
        person.page.wait_for_timeout(300)
        assert person.violations() == []
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 900})
        assert not person.is_wider_than_the_screen()


def test_the_search_leads_to_the_entry_of_an_error(person: Person) -> None:
    page = person.page
    page.goto(f"{person.api.server.url}/guides/")
    page.get_by_role("searchbox").fill("E_RECIPIENT_SUPPRESSED")
    expect(page.get_by_role("status")).to_contain_text("results")
    page.get_by_role("searchbox").fill("mail did not arrive")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My mail did not arrive")).to_be_in_viewport()
    page.get_by_role("link", name="no_balance").first.click()
    expect(page.locator("#no_balance")).to_be_in_viewport()
    check(person)


def test_examples_have_tabs_of_languages_and_are_copied(person: Person) -> None:
    page = person.page
    page.goto(f"{person.api.server.url}/guides/api")
    tab = page.get_by_role("tab", name="Python").first
    tab.click()
    panel = page.get_by_role("tabpanel", name="Python").first
    expect(panel).to_contain_text("import requests")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tabpanel", name="curl").first).to_contain_text("curl")
    page.get_by_role("tab", name="Python").first.click()
    page.reload()
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="Copy").click()
    assert "import requests" in person.clipboard()
    check(person)


def test_the_reference_begins_with_a_quick_start_for_this_origin(person: Person) -> None:
    page = person.page
    page.goto(f"{person.api.server.url}/docs")
    expect(page.get_by_role("heading", name="Quick start")).to_be_visible(timeout=30_000)
    expect(page.locator("#reference")).to_be_visible(timeout=30_000)
    expect(page.get_by_text(f"curl {person.api.server.url}/api/new_address").first).to_be_visible()
    for name, path in (("Console", "/"), ("Guides", "/guides/")):
        link = page.get_by_role("navigation", name="Site").get_by_role("link", name=name)
        expect(link).to_have_attribute("href", path)
    check(person)


def test_the_reference_shows_a_call_in_several_languages_and_finds_it(person: Person) -> None:
    page = person.page
    page.goto(f"{person.api.server.url}/docs#tag/sending/POST/api/send_mail")
    expect(page.get_by_role("heading", name="Send a message").first).to_be_in_viewport(
        timeout=30_000
    )
    expect(page.locator("#reference")).to_contain_text("curl")
    page.get_by_role("button", name="Search").first.click()
    page.get_by_role("combobox").first.fill("Replace the credential")
    expect(page.get_by_role("option").first).to_contain_text("Replace the credential")
