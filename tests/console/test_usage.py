"""Usage: what was sent, what is left, and requesting access."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.console.screens import used


def test_the_chart_and_its_table(person: Person) -> None:
    sender = person.sign_in()
    person.api.send(sender)
    used(person, sender, 3, 12, 1)
    used(person, sender, 89, 5, 0)
    person.open("usage")
    expect(person.page.get_by_role("img", name="Messages of the last 30 days")).to_be_visible()
    then = datetime.now(UTC) - timedelta(days=3)
    shown = person.page.get_by_role("table").get_by_role("row").all_inner_texts()
    days = [row.rsplit(maxsplit=2) for row in shown[1:]]
    assert [numbers for _, *numbers in days] == [["12", "1"], ["1", "0"]]
    assert days[0][0] == f"{then.day} {then:%b}"
    hints = person.page.locator(".chart title").all_text_contents()
    assert f"{then.day} {then:%b}: Sent 12, Failed 1" in hints


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
