"""Usage: what was sent, what is left, and requesting access."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.console.screens import used

pytestmark = pytest.mark.slow


def test_the_chart_and_its_table(person: Person) -> None:
    sender = person.sign_in()
    person.api.send(sender)
    used(person, sender, 3, 12, 1, delivered=190, bounced=10, complained=1)
    used(person, sender, 89, 5, 0, delivered=5)
    person.open("usage")
    expect(person.page.get_by_role("img", name="Messages of the last 30 days")).to_be_visible()
    then = datetime.now(UTC) - timedelta(days=3)
    shown = person.page.get_by_role("table").get_by_role("row").all_inner_texts()
    days = [row.rsplit(maxsplit=5) for row in shown[1:]]
    numbers = [["12", "1", "190", "10", "1"], ["1", "0", "0", "0", "0"]]
    assert [shown for _, *shown in days] == numbers
    assert days[0][0] == f"{then.day} {then:%b}"
    hints = person.page.locator(".chart title").all_text_contents()
    hint = f"{then.day} {then:%b}: Sent 12, Failed 1, Delivered 190, Bounced 10, Reported as spam 1"
    assert hint in hints
    figures = person.page.locator(".deliveries")
    expect(figures).to_contain_text("190recipients in the last 30 days")
    expect(figures).to_contain_text("10recipients in the last 30 days, 5%")
    expect(figures).to_contain_text("1recipients in the last 30 days, 0.53%")


def test_the_scale_fits_the_highest_day(person: Person) -> None:
    sender = person.sign_in()
    used(person, sender, 3, 232, 0)
    person.open("usage")
    scale = person.page.locator(".chart text[text-anchor=end]")
    expect(scale).to_have_text(["250", "125", "0"])


def test_without_delivery_events_the_usage_says_so(person: Person) -> None:
    sender = person.sign_in()
    used(person, sender, 3, 12, 1)
    person.open("usage")
    text = "the mail provider has not reported what became of any mail"
    expect(person.page.get_by_text(text)).to_be_visible()
    expect(person.page.locator(".deliveries")).to_have_count(0)


@pytest.mark.slow
def test_balance_and_limits(person: Person) -> None:
    person.sign_in(person.api.new_sender(balance=42))
    person.open("usage")
    numbers = person.page.locator(".numbers")
    expect(numbers).to_contain_text("42")
    expect(numbers).to_contain_text("Unlimited")
    expect(person.heading("No messages yet")).to_be_visible()


def test_an_address_without_a_balance_can_request_one(person: Person) -> None:
    sender = person.api.new_sender(balance=0)
    person.sign_in(sender)
    person.open("usage")
    person.button("Request access").click()
    # The address already has a balance row, so it can't request access again.
    expect(person.page.get_by_text("The request was sent to the administrator")).to_be_visible()
    expect(person.button("Request access")).not_to_be_visible()


def test_an_address_that_is_switched_off_says_so(person: Person) -> None:
    sender = person.api.new_sender()
    body = {"address": sender.address, "address_id": 0, "balance": 5, "enabled": False}
    assert person.api.admin("POST", "/admin/address_sender", json=body).status_code == 200
    person.sign_in(sender)
    person.open("usage")
    expect(person.page.get_by_text("Sending is switched off for this address")).to_be_visible()
    expect(person.button("Request access")).to_have_count(0)
