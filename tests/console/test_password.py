"""The Password screen: the credential, snippets for programs, and replacing it."""

import os
import subprocess

import pytest
import requests
from playwright.sync_api import expect

from accounts.passwords import client_digest
from tests.console.person import Person
from tests.e2e.api import Sender, done
from tools.wrangler import node_binary


@pytest.fixture
def sender(person: Person) -> Sender:
    sender = person.sign_in()
    person.open("password")
    return sender


def copied(person: Person, place: str) -> str:
    person.page.get_by_role("tabpanel").get_by_role("button", name=place).click()
    expect(person.page.get_by_role("status").get_by_text("Copied").first).to_be_visible()
    return person.clipboard()


def test_the_credential_is_hidden_until_requested(person: Person, sender: Sender) -> None:
    expect(person.page.get_by_text(sender.jwt)).to_have_count(0)
    person.button("Show").click()
    expect(person.page.get_by_text(sender.jwt, exact=True)).to_be_visible()
    person.button("Hide").click()
    expect(person.page.get_by_text(sender.jwt)).to_have_count(0)
    person.button("Copy: Credential").click()
    expect(person.page.get_by_text("Copied").first).to_be_visible()
    assert person.clipboard() == sender.jwt


@pytest.mark.slow
def test_the_snippet_for_curl_sends(person: Person, sender: Sender) -> None:
    command = copied(person, "Copy")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert '"status":"ok"' in done.stdout
    assert len(person.api.sent_by(sender)) == 1


@pytest.mark.slow
def test_the_snippet_for_requests_sends(
    person: Person, sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    person.page.get_by_role("tab", name="Python, requests").click()
    exec(copied(person, "Copy"), {})
    assert "'status': 'ok'" in capsys.readouterr().out
    assert len(person.api.sent_by(sender)) == 1


@pytest.mark.slow
def test_the_snippet_for_javascript_sends(person: Person, sender: Sender) -> None:
    person.page.get_by_role("tab", name="JavaScript").click()
    done = subprocess.run(
        [str(node_binary()), "--input-type=module", "-e", copied(person, "Copy")],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        check=True,
    )
    assert "status: 'ok'" in done.stdout
    assert len(person.api.sent_by(sender)) == 1


@pytest.mark.slow
def test_the_snippet_for_smtplib_and_the_settings_name_the_server(
    person: Person, sender: Sender
) -> None:
    person.page.get_by_role("tab", name="Python, smtplib").click()
    code = copied(person, "Copy")
    compile(code, "snippet", "exec")
    assert 'smtplib.SMTP("smtp.example.com", 587)' in code
    assert "server.starttls()" in code
    assert f'server.login("{sender.address}", "{sender.jwt}")' in code
    person.page.get_by_role("tab", name="SMTP settings").click()
    panel = person.page.get_by_role("tabpanel")
    for text in ("smtp.example.com", "587", sender.address, "STARTTLS"):
        expect(panel).to_contain_text(text)


def test_a_new_credential_ends_the_old_one(person: Person, sender: Sender) -> None:
    person.button("Replace credential").click()
    dialog = person.page.get_by_role("dialog")
    expect(dialog).to_contain_text("stops sending until you give it the new one")
    dialog.get_by_role("button", name="Cancel").click()
    assert person.api.balance(sender) == 1000
    person.button("Replace credential").click()
    dialog.get_by_role("button", name="Replace credential").click()
    expect(person.heading("You have a new credential")).to_be_visible()
    assert person.api.get("/api/settings", headers=sender.headers).status_code == 401
    new = person.session()["jwt"]
    expect(person.page.get_by_label("Credential", exact=True)).to_have_text(new)
    person.page.get_by_role("link", name="Compose").click()
    expect(dialog).to_contain_text("Have you stored the credential?")
    dialog.get_by_role("button", name="Cancel").click()
    person.button("Done").click()
    person.confirm_stored()
    expect(person.page.get_by_text(new)).to_have_count(0)
    person.page.get_by_role("link", name="Compose").click()
    person.write()
    person.send()
    expect(person.heading("History")).to_be_visible()


@pytest.mark.slow
def test_a_new_credential_stays_if_another_tab_signs_out(person: Person) -> None:
    sender = person.api.new_sender()
    person.open()
    person.page.get_by_role("tab", name="Credential").click()
    person.field("Credential").fill(sender.jwt)
    person.page.get_by_label("Keep me signed in").check()
    person.button("Sign in").click()
    expect(person.heading("New message")).to_be_visible()
    person.open("password")
    person.button("Replace credential").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Replace credential").click()
    shown = person.page.get_by_label("Credential", exact=True)
    new = shown.inner_text()
    other = Person(person.page.context.new_page(), person.api)
    other.open("usage")
    other.button("Sign out").click()
    expect(other.page.get_by_role("tab", name="Credential")).to_be_visible()
    expect(person.page.get_by_text("This tab is signed out")).to_be_visible()
    expect(shown).to_have_text(new)
    person.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    person.confirm_stored()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()


@pytest.mark.slow
def test_a_lost_new_credential_is_reported(person: Person, sender: Sender) -> None:
    person.page.route("**/api/rotate_credential", lambda route: (route.fetch(), route.abort()))
    person.button("Replace credential").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Replace credential").click()
    expect(dialog.get_by_role("alert")).to_contain_text("may have been replaced")


@pytest.mark.slow
def test_a_new_credential_that_breaks_off_is_reported(person: Person, sender: Sender) -> None:
    person.break_off("/api/rotate_credential")
    person.button("Replace credential").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Replace credential").click()
    expect(dialog.get_by_role("alert")).to_contain_text("may have been replaced")


def set_password(person: Person, sender: Sender, password: str) -> None:
    """Set the password of the address as the administrator."""
    path = f"/admin/address/{sender.address_id}/reset_password"
    done(person.api.admin("POST", path, json={"password": client_digest(password)}))


def can_log_in(person: Person, sender: Sender, password: str) -> bool:
    body = {"email": sender.address, "password": client_digest(password)}
    return person.api.post("/api/address_login", body).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("is_given", [True, False])
def test_a_new_credential_keeps_the_password_that_is_given(
    person: Person, sender: Sender, is_given: bool
) -> None:
    person.api.server.sql(
        "UPDATE addresses SET password_hash = NULL WHERE id = ?", [sender.address_id]
    )
    body = {"new_password": client_digest("my own sentence")}
    done(person.api.post("/api/address_change_password", body, headers=sender.headers))
    person.button("Replace credential").click()
    dialog = person.page.get_by_role("dialog")
    if is_given:
        dialog.get_by_label("Present password").fill("a guess")
        dialog.get_by_role("button", name="Replace credential").click()
        expect(dialog.get_by_text("The present password is wrong")).to_be_visible()
        dialog.get_by_label("Present password").fill("my own sentence")
    dialog.get_by_role("button", name="Replace credential").click()
    expect(person.heading("You have a new credential")).to_be_visible()
    ended = person.page.get_by_text("The old password no longer works")
    expect(ended).to_have_count(0 if is_given else 1)
    assert can_log_in(person, sender, "my own sentence") is is_given


def test_the_password_is_changed(person: Person, sender: Sender) -> None:
    set_password(person, sender, "the first sentence")
    person.field("New password").fill("short")
    person.button("Change password").click()
    assert "At least 10" in person.error_at("New password")
    person.field("New password").fill("a long enough sentence")
    person.button("Change password").click()
    assert "are different" in person.error_at("Repeat the password")
    person.field("Repeat the password").fill("a long enough sentence")
    person.button("Change password").click()
    error = person.error_at("Present password")
    assert "has a password. Enter it here" in error
    assert "current_password" not in error
    person.field("Present password").fill("a guess")
    person.button("Change password").click()
    expect(person.page.get_by_text("The present password is wrong")).to_be_visible()
    person.field("Present password").fill("the first sentence")
    with person.page.expect_request("**/api/address_change_password") as asked:
        person.button("Change password").click()
    assert "sentence" not in (asked.value.post_data or "")
    expect(person.page.get_by_text("The password is changed")).to_be_visible()
    person.button("Sign out").click()
    person.page.get_by_role("tab", name="Password").click()
    person.field("Address").fill(sender.address)
    person.field("Password").fill("a long enough sentence")
    person.button("Sign in").click()
    expect(person.heading("New message")).to_be_visible()


@pytest.mark.slow
def test_a_long_wait_is_shown_in_minutes(person: Person, sender: Sender) -> None:
    set_password(person, sender, "the first sentence")
    body = {"new_password": client_digest("new"), "current_password": client_digest("a guess")}
    for _ in range(10):
        person.api.post("/api/address_change_password", body, headers=sender.headers)
    person.field("Present password").fill("the first sentence")
    person.field("New password").fill("a long enough sentence")
    person.field("Repeat the password").fill("a long enough sentence")
    person.button("Change password").click()
    expect(person.page.get_by_text("Try again in 15 minutes.")).to_be_visible()


@pytest.mark.slow
def test_a_replacement_without_the_password_is_offered_after_many_guesses(
    person: Person, sender: Sender
) -> None:
    set_password(person, sender, "the first sentence")
    body = {"current_password": client_digest("a guess")}
    for _ in range(10):
        person.api.post("/api/rotate_credential", body, headers=sender.headers)
    person.button("Replace credential").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_label("Present password").fill("the first sentence")
    dialog.get_by_role("button", name="Replace credential").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Try again in 15 minutes.")
    expect(dialog).to_contain_text("if you leave the present password empty")
    dialog.get_by_label("Present password").fill("")
    dialog.get_by_role("button", name="Replace credential").click()
    expect(person.heading("You have a new credential")).to_be_visible()


@pytest.mark.slow
def test_the_address_is_deleted(person: Person, sender: Sender) -> None:
    person.button("Delete address").click()
    dialog = person.page.get_by_role("dialog")
    expect(dialog).to_contain_text(sender.address)
    dialog.get_by_role("button", name="Delete address").click()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    response = requests.get(f"{person.url}/api/settings", headers=sender.headers, timeout=10)
    assert response.status_code == 401
