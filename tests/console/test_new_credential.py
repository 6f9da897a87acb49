"""The page of a new address shows its credential, and asks whether it is stored."""

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.console.person import Person
from tests.e2e.api import unique_name

QUESTION = "Have you stored the credential?"


@pytest.fixture
def created(person: Person) -> dict[str, Any]:
    """The response of the server for an address without a password."""
    answers: list[dict[str, Any]] = []

    def without_password(route: Route) -> None:
        answers.append({**route.fetch().json(), "password": None})
        route.fulfill(json=answers[-1])

    person.page.route("**/api/new_address", without_password)
    person.open()
    person.page.get_by_label("Name").fill(unique_name())
    person.button("Create address").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    return answers[0]


@pytest.mark.slow
def test_a_program_with_the_credential_is_shown(person: Person, created: dict[str, Any]) -> None:
    expect(person.page.get_by_label("Credential", exact=True)).to_have_text(created["jwt"])
    person.button("Copy: Credential").click()
    assert person.clipboard() == created["jwt"]
    person.button("Copy: curl").click()
    assert f"Authorization: Bearer {created['jwt']}" in person.clipboard()
    assert person.url in person.clipboard()


def test_the_page_asks_before_going_on(person: Person, created: dict[str, Any]) -> None:
    person.page.get_by_role("link", name="Write a message").click()
    dialog = person.page.get_by_role("dialog", name=QUESTION)
    dialog.get_by_role("button", name="Cancel").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    person.page.get_by_role("link", name="Write a message").click()
    dialog.get_by_role("button", name="I have stored it").click()
    expect(person.heading("New message")).to_be_visible()
    person.page.get_by_role("link", name="Sent").click()
    expect(person.heading("Nothing sent yet")).to_be_visible()


@pytest.mark.slow
def test_the_page_asks_before_signing_out(person: Person, created: dict[str, Any]) -> None:
    person.button("Sign out").click()
    dialog = person.page.get_by_role("dialog", name=QUESTION)
    dialog.get_by_role("button", name="Cancel").click()
    assert person.session()["jwt"] == created["jwt"]
    expect(person.page.get_by_label("Credential", exact=True)).to_have_text(created["jwt"])


@pytest.mark.slow
def test_keep_me_signed_in_comes_before_the_button(person: Person) -> None:
    person.open()
    order = person.page.evaluate(
        "[...document.querySelectorAll('main input[type=checkbox], main button[type=submit]')]"
        ".map((element) => element.type)"
    )
    assert order == ["checkbox", "submit"]
    person.page.get_by_role("tab", name="Credential").click()
    person.page.get_by_label("Keep me signed in").check()
    person.page.get_by_role("tab", name="New address").click()
    expect(person.page.get_by_label("Keep me signed in")).to_be_checked()
    person.button("Create a random address").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    assert "jwt" in json.loads(person.page.evaluate("localStorage.session"))


@pytest.mark.slow
def test_the_page_stays_if_another_tab_signs_out(person: Person) -> None:
    person.open()
    person.page.get_by_label("Name").fill(unique_name())
    person.page.get_by_label("Keep me signed in").check()
    person.button("Create address").click()
    expect(person.heading("Your address is ready")).to_be_visible()
    shown = person.page.locator("code").all_inner_texts()
    assert len(shown) == 3  # the credential, the password and the program
    other = Person(person.page.context.new_page(), person.api)
    other.open("usage")
    other.button("Sign out").click()
    expect(other.page.get_by_role("tab", name="Credential")).to_be_visible()
    expect(person.page.get_by_text("This tab is signed out")).to_be_visible()
    assert person.page.locator("code").all_inner_texts() == shown
    person.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    person.confirm_stored()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()


@pytest.mark.slow
def test_signing_out_in_the_same_tab_ends_the_page(person: Person, created: dict[str, Any]) -> None:
    person.button("Sign out").click()
    person.confirm_stored()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    expect(person.page.get_by_text(created["jwt"])).to_have_count(0)
