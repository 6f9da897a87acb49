"""The start screen: create an address, sign in, and sign out without leftovers."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.console.person import HeldRequest, Person
from tests.e2e.api import ADMIN_PASSWORD, unique_name


def test_a_new_address_can_send_at_once(person: Person) -> None:
    name = unique_name()
    person.open()
    person.page.get_by_label("Name").fill(name)
    person.page.get_by_label("Domain").select_option("@example.org")
    person.button("Create address").click()
    expect(person.page.get_by_text(f"{name}@example.org").first).to_be_visible()
    person.write_first_message()
    person.write()
    person.send()
    expect(person.heading("History")).to_be_visible()
    (mail,) = [m for m in person.api.server.sent_mails() if f"{name}@example.org" in m["from"]]
    assert mail["subject"] == "Hello"


@pytest.mark.slow
def test_an_address_without_a_name_is_random(person: Person) -> None:
    person.open()
    person.button("Create a random address").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    assert re.fullmatch(r"\w+@example\.(com|org)", person.session()["address"])


@pytest.mark.slow
def test_a_taken_name_is_an_error(person: Person) -> None:
    name, _, domain = person.api.new_sender().address.partition("@")
    person.open()
    person.page.get_by_label("Name").fill(name)
    person.page.get_by_label("Domain").select_option(f"@{domain}")
    person.button("Create address").click()
    expect(person.page.get_by_role("alert")).to_contain_text("Address already exists")


@pytest.mark.slow
def test_a_new_address_whose_response_breaks_off_is_reported(person: Person) -> None:
    person.open()
    person.break_off("/api/new_address")
    person.button("Create a random address").click()
    expect(person.page.get_by_role("alert")).to_contain_text("may have been created")
    expect(person.page.get_by_role("alert")).to_contain_text("with another name")
    expect(person.button("Create a random address")).to_be_enabled()


@pytest.mark.slow
def test_the_credential_is_in_the_session_storage_only(person: Person) -> None:
    person.create_address()
    person.write_first_message()
    jwt = person.session()["jwt"]
    assert person.page.evaluate("localStorage.length") == 0
    for place in ("compose", "sent", "password", "usage"):
        person.open(place)
        assert jwt not in person.page.url
    other = person.page.context.new_page()
    other.goto(person.url)
    expect(other.get_by_role("link", name="Start")).to_be_visible()


@pytest.mark.slow
def test_keep_me_signed_in_applies_to_other_tabs(person: Person) -> None:
    person.open()
    person.page.get_by_label("Keep me signed in").check()
    person.button("Create a random address").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    assert person.page.evaluate("sessionStorage.length") == 0
    other = person.page.context.new_page()
    other.goto(person.url)
    expect(other.get_by_role("heading", name="New message")).to_be_visible()


@pytest.mark.slow
def test_signing_out_leaves_nothing_in_any_tab(person: Person) -> None:
    person.open()
    person.page.get_by_label("Keep me signed in").check()
    person.button("Create a random address").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    other = person.page.context.new_page()
    other.goto(f"{person.url}/#/compose")
    other.get_by_label("Subject").fill("A secret draft")
    expect(other.get_by_text("Draft saved")).to_be_visible()
    person.write_first_message()
    person.sign_out_and_discard()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    expect(other.get_by_role("tab", name="Credential")).to_be_visible()
    assert person.page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert person.page.evaluate(DRAFTS) == 0


DRAFTS = """() => new Promise((resolve) => {
  indexedDB.open("drafts").onsuccess = (event) => {
    const table = event.target.result.transaction("drafts").objectStore("drafts");
    table.count().onsuccess = (count) => resolve(count.target.result);
  };
})"""


def test_signing_in_with_a_credential(person: Person) -> None:
    sender = person.api.new_sender()
    person.open()
    person.page.get_by_role("tab", name="Credential").click()
    person.field("Credential").fill(f"  Bearer {sender.jwt}\n")
    person.button("Sign in").click()
    expect(person.heading("New message")).to_be_visible()
    expect(person.page.get_by_text(sender.address).first).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("credential", "sentence"),
    [
        ("something else", "This is not a credential"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJhZGRyZXNzIjoiYUBiLmMifQ.AAAA", "Invalid address credential"),
    ],
)
def test_a_wrong_credential_is_rejected(person: Person, credential: str, sentence: str) -> None:
    person.open()
    person.page.get_by_role("tab", name="Credential").click()
    person.field("Credential").fill(credential)
    person.button("Sign in").click()
    expect(person.page.get_by_role("tabpanel")).to_contain_text(sentence)
    assert person.session() == {}


@pytest.mark.slow
def test_missing_values_are_errors_of_their_fields(person: Person) -> None:
    person.open()
    person.field("Name").fill("x" * 80)
    person.button("Create address").click()
    assert person.error_at("Name")
    expect(person.page.get_by_role("alert")).to_have_count(0)
    person.page.get_by_role("tab", name="Credential").click()
    person.button("Sign in").click()
    assert "This is not a credential" in person.error_at("Credential")
    expect(person.field("Credential")).to_be_focused()
    person.page.get_by_role("tab", name="Password").click()
    person.button("Sign in").click()
    assert person.error_at("Address") == "This field is required."


def test_signing_in_with_address_and_password(person: Person) -> None:
    address = person.create_address()
    password = person.page.get_by_label("Password", exact=True).inner_text()
    person.button("Sign out").click()
    person.confirm_stored()
    person.page.get_by_role("tab", name="Password").click()
    person.field("Address").fill(address)
    person.field("Password").fill("not this one")
    person.button("Sign in").click()
    expect(person.page.get_by_role("alert")).to_contain_text("Invalid email or password")
    person.field("Password").fill(password)
    person.button("Sign in").click()
    expect(person.heading("New message")).to_be_visible()


@pytest.mark.slow
def test_a_late_rejection_does_not_end_a_new_credential(person: Person) -> None:
    person.sign_in()
    person.open("usage")
    held = HeldRequest(person.page, "**/api/sendbox*")
    person.open("sent")
    late = held()
    person.open("password")
    person.button("Replace credential").click()
    with person.page.expect_response("**/api/rotate_credential"):
        person.page.get_by_role("dialog").get_by_role("button", name="Replace credential").click()
    expect(person.heading("You have a new credential")).to_be_visible()
    with person.page.expect_response("**/api/sendbox*") as late_response:
        late.continue_()
    assert late_response.value.status == 401
    person.page.wait_for_timeout(300)
    expect(person.heading("You have a new credential")).to_be_visible()
    assert "jwt" in person.session()


@pytest.mark.slow
def test_a_session_in_a_tab_is_separate_from_a_kept_one(person: Person) -> None:
    """A change of one session does not change the other one."""
    alone = person.sign_in()
    person.open("password")
    kept = person.api.new_sender()
    other = Person(person.page.context.new_page(), person.api)
    other.open()
    other.page.get_by_role("tab", name="Credential").click()
    other.field("Credential").fill(kept.jwt)
    other.page.get_by_label("Keep me signed in").check()
    other.button("Sign in").click()
    expect(other.heading("New message")).to_be_visible()
    person.button("Replace credential").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Replace credential").click()
    expect(person.heading("You have a new credential")).to_be_visible()
    person.button("Done").click()
    person.confirm_stored()
    in_the_browser = json.loads(person.page.evaluate("localStorage.session"))
    assert in_the_browser == {"address": kept.address, "jwt": kept.jwt}
    assert person.session()["address"] == alone.address
    expect(other.page.get_by_text(kept.address).first).to_be_visible()
    # A value removed from the tab does not come back from the browser's storage.
    person.api.server.sql("DELETE FROM addresses WHERE id = ?", [alone.address_id])
    person.open("sent")
    expect(person.page.get_by_text("no longer valid")).to_be_visible()
    person.page.reload()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    expect(other.page.get_by_text(kept.address).first).to_be_visible()


@pytest.mark.slow
def test_keeping_the_admin_password_keeps_no_credential(person: Person) -> None:
    sender = person.sign_in()
    person.open("admin")
    person.field("Admin password").fill(ADMIN_PASSWORD)
    person.page.get_by_label("Keep me signed in").check()
    person.button("Sign in").click()
    expect(person.field("Admin password")).not_to_be_visible()
    in_the_browser = json.loads(person.page.evaluate("localStorage.session"))
    assert in_the_browser == {"adminPassword": ADMIN_PASSWORD}
    assert person.session() == {"address": sender.address, "jwt": sender.jwt}


@pytest.mark.slow
def test_an_ended_credential_returns_to_the_start(person: Person) -> None:
    sender = person.sign_in()
    person.api.post("/api/rotate_credential", headers=sender.headers)
    person.page.goto(f"{person.url}/#/sent")
    expect(person.page.get_by_text("no longer valid")).to_be_visible()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    assert person.session() == {}
