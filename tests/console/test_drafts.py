"""No draft is lost or overwritten without a question."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.console.person import Person

pytestmark = pytest.mark.slow

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


# The texts of the stored drafts, and the number of stored files.
STORED = """() => new Promise((resolve) => {
  indexedDB.open("drafts").onsuccess = ({ target }) => {
    const transaction = target.result.transaction(["drafts", "files"]);
    const drafts = transaction.objectStore("drafts").getAll();
    const files = transaction.objectStore("files").count();
    transaction.oncomplete = () => resolve([drafts.result.map(({ body }) => body), files.result]);
  };
})"""


TYPE_ON = """() => {
  const field = document.querySelector("textarea");
  setInterval(() => {
    field.value += "a";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, 50);
}"""


def test_a_draft_is_stored_while_it_is_typed_without_a_pause(composing: Person) -> None:
    composing.page.evaluate(TYPE_ON)
    for _ in range(100):
        composing.page.wait_for_timeout(100)
        if composing.page.evaluate(STORED)[0]:
            return
    raise TimeoutError("The draft was not stored")


RELOAD_AT_ONCE = """(text) => {
  const field = document.querySelector("textarea");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  location.reload();
}"""


def test_text_typed_just_before_a_reload_is_kept(composing: Person) -> None:
    composing.write(subject="Kept")
    composing.attach("old.txt", b"old")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    with composing.page.expect_navigation():
        composing.page.evaluate(RELOAD_AT_ONCE, "Typed last")
    expect(composing.field("Subject")).to_have_value("Kept")
    expect(composing.field("Message")).to_have_value("Typed last")
    expect(composing.button("Remove old.txt")).to_be_visible()


def test_a_file_chosen_just_before_a_reload_is_kept(composing: Person) -> None:
    composing.write(subject="Kept")
    composing.attach("old.txt", b"old")
    expect(composing.page.get_by_text("Draft saved")).to_be_visible()
    composing.page.clock.install()
    composing.page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    composing.button("Remove old.txt").click()
    composing.attach("new.txt", b"new")
    with composing.page.expect_navigation():
        composing.page.evaluate("location.reload()")
    composing.page.clock.resume()
    expect(composing.button("Remove new.txt")).to_be_visible()
    expect(composing.button("Remove old.txt")).to_have_count(0)
    assert composing.page.evaluate(STORED) == [["Hello, Bob"], 1]
