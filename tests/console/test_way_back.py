"""The way back: links for a signed-out person, and the place in the list of messages."""

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.console.test_sent import send_many


def test_a_link_to_a_message_is_followed_after_signing_in(person: Person) -> None:
    sender = person.api.new_sender()
    message_id = person.api.send(sender, subject="The linked one").json()["id"]
    person.open(f"sent/{message_id}")
    expect(person.page.get_by_role("tab", name="Credential")).to_have_attribute(
        "aria-selected", "true"
    )
    person.field("Credential").fill(sender.jwt)
    person.button("Sign in").click()
    expect(person.heading("The linked one")).to_be_visible()


@pytest.mark.slow
def test_after_signing_out_no_link_is_followed(person: Person) -> None:
    person.sign_in()
    person.open("usage")
    person.button("Sign out").click()
    expect(person.heading("Send mail by hand or from a program")).to_be_visible()
    expect(person.page).to_have_url(f"{person.url}/#/start")


@pytest.mark.slow
def test_the_newer_page_is_known_after_a_reload(person: Person) -> None:
    send_many(person, person.sign_in(), 60)
    person.open("sent")
    older = person.page.get_by_role("link", name="Older")
    older.click()
    expect(person.messages()).to_have_count(25)
    expect(person.page.get_by_role("link", name="Newer")).to_be_visible()
    older.click()
    expect(person.messages()).to_have_count(10)
    person.page.reload()
    person.page.get_by_role("link", name="Newer").click()
    expect(person.messages()).to_have_count(25)
