"""No draft is lost or overwritten without a question."""

import pytest
from playwright.sync_api import expect

from tests.console.person import Person

QUESTION = "Sign out and discard your draft?"


def test_signing_out_asks_about_the_draft(composing: Person) -> None:
    composing.write(subject="The quarterly report")
    composing.button("Sign out").click()  # at once, before the draft is stored
    dialog = composing.page.get_by_role("dialog", name=QUESTION)
    expect(dialog).to_contain_text("The quarterly report")
    dialog.get_by_role("button", name="Cancel").click()
    expect(composing.field("Subject")).to_have_value("The quarterly report")
    assert "jwt" in composing.session()
    composing.page.get_by_role("link", name="Usage").click()
    expect(composing.heading("Usage")).to_be_visible()
    composing.button("Sign out").click()
    expect(dialog).to_contain_text("The quarterly report")
    dialog.get_by_role("button", name="Sign out").click()
    expect(composing.page.get_by_role("tab", name="Credential")).to_be_visible()
    assert composing.session() == {}


def test_a_draft_without_a_subject_is_named_by_its_recipient(composing: Person) -> None:
    composing.field("To").fill("dave@example.net")
    composing.button("Sign out").click()
    dialog = composing.page.get_by_role("dialog", name=QUESTION)
    expect(dialog).to_contain_text("dave@example.net")


def test_without_a_draft_nothing_is_asked(composing: Person) -> None:
    composing.write(subject="To be discarded")
    composing.button("Discard draft").click()
    composing.page.get_by_role("dialog").get_by_role("button", name="Discard draft").click()
    composing.button("Sign out").click()
    expect(composing.page.get_by_role("tab", name="Credential")).to_be_visible()


def test_a_draft_of_another_address_is_named_too(composing: Person) -> None:
    composing.write(subject="Of the first address")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    composing.sign_in()
    composing.open("usage")
    composing.button("Sign out").click()
    dialog = composing.page.get_by_role("dialog", name=QUESTION)
    expect(dialog).to_contain_text("Of the first address")


def test_two_tabs_show_the_same_draft(composing: Person) -> None:
    sender = composing.session()
    other = Person(composing.page.context.new_page(), composing.api)
    other.page.goto(f"{other.url}/icon.svg")
    other.page.evaluate("kept => sessionStorage.session = JSON.stringify(kept)", sender)
    other.open("compose")
    composing.write(subject="Written in the first tab", message="A long text")
    expect(other.field("Subject")).to_have_value("Written in the first tab")
    other.field("Message").fill("A longer text")
    expect(composing.field("Message")).to_have_value("A longer text")
    expect(composing.field("Subject")).to_have_value("Written in the first tab")
    composing.page.reload()
    expect(composing.field("Message")).to_have_value("A longer text")
    expect(composing.field("Subject")).to_have_value("Written in the first tab")


def test_signing_out_in_one_tab_removes_the_draft_from_the_other(composing: Person) -> None:
    composing.write(subject="To be discarded")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    other = Person(composing.page.context.new_page(), composing.api)
    other.sign_in()
    other.open("usage")
    other.sign_out_and_discard()
    expect(composing.field("Subject")).to_have_value("")
    expect(composing.page.get_by_text("Draft saved")).not_to_be_visible()


@pytest.mark.slow
def test_a_draft_that_is_sent_in_one_tab_leaves_the_other(composing: Person) -> None:
    sender = composing.session()
    other = Person(composing.page.context.new_page(), composing.api)
    other.page.goto(f"{other.url}/icon.svg")
    other.page.evaluate("kept => sessionStorage.session = JSON.stringify(kept)", sender)
    other.open("compose")
    composing.write(subject="Sent once")
    expect(other.field("Subject")).to_have_value("Sent once")
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    expect(other.field("Subject")).to_have_value("")
    expect(other.field("To")).to_have_value("")
