"""The screen Transports of the administration."""

import re

import pytest
from playwright.sync_api import expect

from tests.console.person import Person


@pytest.mark.slow
def test_a_transport_is_shown_and_tested(person: Person) -> None:
    person.enter_administration()
    person.open("admin/transports")
    row = person.page.get_by_role("row").filter(has_text="send_email")
    expect(row).to_contain_text("Cloudflare")
    expect(row).to_contain_text("example.com, example.org")
    expect(row).to_contain_text("Works")
    row.get_by_role("button", name="Send a test mail through send_email").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_label("Sender address").fill("me@elsewhere.example")
    dialog.get_by_label("Recipient").fill("you@example.net")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.locator(".error, [role=alert]").first).to_be_visible()
    dialog.get_by_label("Sender address").fill("me@example.com")
    dialog.get_by_role("button", name="Send", exact=True).click()
    status = dialog.locator("form").get_by_role("status")
    expect(status).to_contain_text("The provider has accepted the mail.")
    dialog.get_by_role("button", name="Close").last.click()
    cells = row.get_by_role("cell")
    expect(cells.nth(3)).to_have_text(re.compile("^[1-9]"))


@pytest.mark.slow
def test_a_failing_transport_has_its_last_error(person: Person) -> None:
    person.enter_administration()
    person.api.server.sql(
        "INSERT OR REPLACE INTO transport_states"
        " VALUES ('send_email', 2, unixepoch('now', '+1 hour') * 1000, 'no more today', 0)"
    )
    try:
        person.open("admin/transports")
        row = person.page.get_by_role("row").filter(has_text="send_email")
        expect(row).to_contain_text("Skipped")
        expect(row).to_contain_text("Last error, on")
        expect(row).to_contain_text("no more today")
    finally:
        person.api.server.sql("DELETE FROM transport_states")
