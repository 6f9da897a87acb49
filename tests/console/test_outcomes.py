"""Every list shows one status for a message, and the page explains a failure."""

import time

import pytest
from playwright.sync_api import expect

from tests.console.person import Person
from tests.e2e.api import Sender

pytestmark = pytest.mark.slow

OUTCOMES = {
    "delivered@test.invalid": ("Delivered", "good"),
    "bounced@test.invalid": ("Bounced", "bad"),
    "complained@test.invalid": ("Reported as spam", "bad"),
    "suppressed@test.invalid": ("Failed", "bad"),
    "somebody@example.net": ("Sent", "good"),
}


def search(person: Person, address: str) -> None:
    person.page.get_by_role("searchbox").fill(address)
    person.page.get_by_role("searchbox").press("Enter")


# The recipients whose outcome is a delivery event.
REPORTED = ("delivered@test.invalid", "bounced@test.invalid", "complained@test.invalid")


def wait_for_event(person: Person, sender: Sender, message_id: str) -> None:
    """Wait until the last delivery event has arrived. Events arrive by a queue."""
    final = {"delivered", "bounced", "complained"}
    while person.api.message(sender, message_id)["delivery_status"] not in final:
        time.sleep(0.2)


@pytest.fixture
def sender(person: Person) -> Sender:
    sender = person.sign_in()
    sent = {
        to_mail: person.api.send(sender, subject=f"To {to_mail}", to_mail=to_mail)
        for to_mail in OUTCOMES
    }
    for to_mail in REPORTED:
        wait_for_event(person, sender, sent[to_mail].json()["id"])
    return sender


def test_the_list_shows_what_became_of_each_message(person: Person, sender: Sender) -> None:
    person.open("sent")
    for to_mail, (text, kind) in OUTCOMES.items():
        badge = person.messages().filter(has_text=f"To {to_mail}").locator(".badge")
        expect(badge).to_have_text(text)
        expect(badge).to_contain_class(kind)


def test_the_list_of_the_administrator_shows_it_too(person: Person, sender: Sender) -> None:
    person.enter_administration()
    person.open("admin/sent")
    person.field("Search").fill(sender.address)
    rows = person.messages()
    expect(rows).to_have_count(len(OUTCOMES))
    for to_mail, (text, kind) in OUTCOMES.items():
        badge = rows.filter(has_text=f"To {to_mail}").locator(".badge")
        expect(badge).to_have_text(text)
        expect(badge).to_contain_class(kind)


def test_a_message_that_is_delivered_says_so_at_the_top(person: Person, sender: Sender) -> None:
    person.open("sent")
    person.page.get_by_role("link", name="To delivered@test.invalid").click()
    expect(person.page.locator(".page-head .badge")).to_have_text("Delivered")
    expect(person.page.locator(".recipients .badge")).to_have_count(0)


def test_a_failure_is_explained_in_words(person: Person, sender: Sender) -> None:
    person.open("sent")
    person.page.get_by_role("link", name="To suppressed@test.invalid").click()
    notice = person.page.get_by_role("alert")
    expect(notice).to_contain_text("The recipient is on the mail provider's suppression list")
    expect(notice).to_contain_text("Ask the recipient for another address")
    expect(notice).to_contain_text("It was not charged")
    expect(notice.get_by_role("link")).to_have_attribute(
        "href", "guides/errors#E_RECIPIENT_SUPPRESSED"
    )
    expect(person.page.locator(".history")).to_contain_text("suppression list")
    # Sending the message again unchanged can't succeed, so another action comes first.
    names = person.page.locator("main .row button").all_inner_texts()
    assert names.index("Copy as new") < names.index("Send again")


def test_a_repetition_that_fails_is_shown(person: Person, sender: Sender) -> None:
    person.open("sent")
    person.page.get_by_role("link", name="To suppressed@test.invalid").click()
    expect(person.heading("History")).to_be_visible()
    old = person.page.url
    person.button("Send again").click()
    dialog = person.page.get_by_role("dialog")
    expect(dialog).to_contain_text("suppression list")
    dialog.get_by_role("button", name="Send again").click()
    expect(dialog).not_to_be_visible()
    expect(person.page.get_by_text("This message repeats another one")).to_be_visible()
    assert person.page.url != old
    expect(person.page.get_by_role("alert")).to_contain_text("suppression list")


def test_the_reason_is_explained_in_chinese(person: Person, sender: Sender) -> None:
    person.open("sent")
    person.page.get_by_role("link", name="To suppressed@test.invalid").click()
    person.page.get_by_label("Language").select_option("zh")
    expect(person.page.get_by_role("alert")).to_contain_text("抑制名单")


def test_the_administrator_sees_the_whole_message(person: Person, sender: Sender) -> None:
    person.api.send(
        sender,
        subject="Whole",
        to_mail=None,
        to=["suppressed@test.invalid", "suppressed+2@test.invalid"],
        cc="suppressed+3@test.invalid",
    )
    person.enter_administration()
    person.open("admin/sent")
    person.field("Search").fill(sender.address)
    person.page.get_by_role("link", name="Whole").click()
    page = person.page.get_by_role("main")
    expect(page).to_contain_text("suppressed+3@test.invalid")
    expect(page).to_contain_text("The recipient is on the mail provider's suppression list")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.locator(".history")).to_contain_text("Rejected")


def test_the_history_names_the_transports(person: Person) -> None:
    sender = person.sign_in()
    sent = person.api.send(sender, to_mail="somebody@example.net").json()["id"]
    person.api.server.sql(
        "UPDATE events SET transport = 'main', next_transport = 'send_email'"
        " WHERE message_id = ? AND kind = 'sent'",
        [sent],
    )
    person.open(f"sent/{sent}")
    history = person.page.locator("ol.history")
    expect(history).to_contain_text("through main")
    expect(history).to_contain_text("so the next one was tried: send_email")
