"""The administration in the console."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.console.admin_screens import SECTIONS
from tests.console.person import HeldRequest, Person
from tests.console.screens import used
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, unique_name
from tools.local_server import LocalServer

HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "W" * 180


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A separate deployment, because lists and limits affect all addresses. Balances are 0."""
    variables = {
        **DEPLOYMENT,
        "DEFAULT_SEND_BALANCE": "0",
        "ENABLE_ADDRESS_PASSWORD": "true",
        "PASSWORD_PEPPER": "a-pepper-of-the-tests-0123456789abcdef",
        "PREFIX": "x-",
    }
    with LocalServer(variables=variables) as running:
        yield running


@pytest.fixture
def admin(person: Person) -> Person:
    """A person who is signed in as the administrator."""
    person.enter_administration()
    return person


def row(person: Person, text: str) -> Locator:
    """The table row with this text."""
    return person.page.get_by_role("row").filter(has_text=text)


def dialog(person: Person, title: str | None = None) -> Locator:
    """The open dialog. If several are open, the one with this ``title``."""
    return person.page.get_by_role("dialog", name=title)


def settings(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = api.admin("GET", "/admin/account_settings").json()
    return body


def manage(person: Person, sender: Sender) -> Locator:
    """Open the dialog of an address."""
    person.open(f"admin/addresses?q={sender.address}")
    person.button(f"Manage {sender.address}").click()
    return dialog(person)


def asks_for_access(api: Api) -> Sender:
    sender = api.new_sender()
    response = api.post("/api/request_send_mail_access", headers=sender.headers)
    assert response.status_code == 200, response.text
    return sender


@pytest.mark.slow
def test_empty_sections_say_that_they_are_empty(admin: Person) -> None:
    """This is the first test, so the database is empty."""
    for place, title in {
        "admin": "No messages yet",
        "admin/addresses": "No addresses yet",
        "admin/balances": "No balances yet",
        "admin/sent": "Nothing sent yet",
        "admin/suppressions": "No suppressed recipients",
        "admin/pauses": "No paused addresses",
        "admin/audit": "No entries yet",
    }.items():
        admin.open(place)
        expect(admin.heading(title)).to_be_visible()


# Signing in


def test_the_admin_password_is_required(person: Person) -> None:
    person.open("admin")
    person.field("Admin password").fill("not this one")
    person.button("Sign in").click()
    expect(person.field("Admin password")).to_be_focused()
    assert "password" in person.error_at("Admin password").lower()
    person.field("Admin password").fill(ADMIN_PASSWORD)
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("navigation", name="Sections")).to_be_visible()
    assert person.session() == {"adminPassword": ADMIN_PASSWORD}
    assert person.page.evaluate("localStorage.length") == 0
    person.button("Sign out").click()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    assert person.session() == {}


@pytest.mark.slow
def test_the_admin_password_can_be_kept(person: Person) -> None:
    person.open("admin")
    person.field("Admin password").fill(ADMIN_PASSWORD)
    person.page.get_by_label("Keep me signed in").check()
    person.button("Sign in").click()
    expect(person.page.get_by_role("navigation", name="Sections")).to_be_visible()
    assert person.page.evaluate("sessionStorage.length") == 0
    assert person.session() == {"adminPassword": ADMIN_PASSWORD}


@pytest.mark.slow
def test_an_expired_admin_password_is_requested_again(admin: Person) -> None:
    admin.page.evaluate("sessionStorage.session = JSON.stringify({ adminPassword: 'old' })")
    admin.open("admin/pauses")
    expect(admin.field("Admin password")).to_be_visible()
    assert admin.session() == {}


@pytest.mark.slow
def test_a_lost_response_can_be_requested_again(admin: Person) -> None:
    pattern = "**/admin/pauses"
    admin.page.route(pattern, lambda route: route.fulfill(status=503, body="{}"))
    admin.open("admin/pauses")
    expect(admin.page.get_by_role("alert")).to_contain_text("503")
    admin.page.unroute(pattern)
    admin.button("Try again").click()
    expect(admin.heading("No paused addresses")).to_be_visible()


# Addresses


@pytest.mark.slow
def test_addresses_are_found_sorted_and_paged(admin: Person) -> None:
    part = unique_name()
    for number in range(21):
        body = {"name": f"{part}-{number:02}", "domain": "example.com"}
        assert admin.api.admin("POST", "/admin/new_address", json=body).status_code == 200
    admin.open("admin/addresses")
    rows = admin.page.get_by_role("row")
    expect(rows.nth(1)).to_contain_text(f"{part}-20@")
    admin.page.get_by_role("searchbox").fill(part)
    admin.field("Sorted by").select_option("Name")
    expect(admin.page).to_have_url(re.compile(f"q={part}&sort=name|sort=name&q={part}"))
    expect(admin.page.get_by_text("1 to 20 of 21")).to_be_visible()
    expect(rows.nth(1)).to_contain_text(f"{part}-00@")
    admin.page.get_by_role("link", name="Next").click()
    expect(admin.page.get_by_text("21 to 21 of 21")).to_be_visible()
    expect(rows.nth(1)).to_contain_text(f"{part}-20@")
    admin.open(f"admin/addresses?q={part}&page={'9' * 40}")
    expect(admin.page.get_by_text("21 to 21 of 21")).to_be_visible()
    admin.page.get_by_role("searchbox").fill("nobody-has-this")
    expect(admin.heading("Nothing found")).to_be_visible()
    admin.page.get_by_role("link", name="Show all").click()
    expect(row(admin, "@example.com").first).to_be_visible()


def test_an_address_is_created(admin: Person) -> None:
    name = unique_name()
    admin.open("admin/addresses")
    admin.button("New address").click()
    dialog(admin).get_by_role("button", name="New address").click()
    assert admin.error_at("Name").endswith("This field is required.")
    admin.field("Name").fill(name)
    admin.field("Domain").select_option("@example.org")
    admin.page.get_by_label("in front of the name").check()
    dialog(admin).get_by_role("button", name="New address").click()
    expect(admin.heading("The address is ready")).to_be_visible()
    expect(dialog(admin)).to_contain_text(f"x-{name}@example.org")
    password = dialog(admin).locator("code").inner_text()
    digest = hashlib.sha256(password.encode()).hexdigest()
    body = {"email": f"x-{name}@example.org", "password": digest}
    assert admin.api.post("/api/address_login", body).status_code == 200
    admin.button("Done").click()
    expect(row(admin, f"x-{name}@example.org")).to_be_visible()
    admin.button("New address").click()
    admin.field("Name").fill(f"x-{name}")
    admin.field("Domain").select_option("@example.org")
    dialog(admin).get_by_role("button", name="New address").click()
    expect(dialog(admin).get_by_role("alert")).to_contain_text("already exists")


@pytest.mark.slow
def test_a_new_address_whose_response_breaks_off_is_reported(admin: Person) -> None:
    name = unique_name()
    admin.open("admin/addresses")
    admin.break_off("/admin/new_address")
    admin.button("New address").click()
    admin.field("Name").fill(name)
    dialog(admin).get_by_role("button", name="New address").click()
    expect(dialog(admin).get_by_role("alert")).to_contain_text("may have been created")
    admin.page.reload()
    expect(row(admin, name)).to_be_visible()


@pytest.mark.slow
def test_a_new_password_is_not_closed_without_a_question(admin: Person) -> None:
    admin.open("admin/addresses")
    admin.button("New address").click()
    admin.field("Name").fill(unique_name())
    dialog(admin).get_by_role("button", name="New address").click()
    expect(admin.heading("The address is ready")).to_be_visible()
    password = dialog(admin).locator("code").inner_text()
    question = dialog(admin, "Have you stored the password?")
    for close in (
        lambda: admin.page.keyboard.press("Escape"),
        lambda: dialog(admin).get_by_role("button", name="Close").click(),
        lambda: admin.page.evaluate("location.hash = '#/admin/audit'"),
    ):
        close()
        question.get_by_role("button", name="Cancel").click()
        expect(dialog(admin).locator("code")).to_have_text(password)
    admin.page.keyboard.press("Escape")
    question.get_by_role("button", name="I have stored it").click()
    expect(dialog(admin)).to_have_count(0)


@pytest.mark.slow
def test_a_credential_is_hidden_until_requested(admin: Person) -> None:
    sender = admin.api.new_sender()
    opened = manage(admin, sender)
    expect(opened.locator("code")).to_have_count(0)
    admin.button("Show credential").click()
    jwt = opened.locator("code").inner_text()
    own = {"Authorization": f"Bearer {jwt}"}
    assert admin.api.get("/api/settings", headers=own).json()["address"] == sender.address
    opened.get_by_role("button", name="Copy").click()
    expect(admin.page.get_by_text("Copied")).to_be_visible()
    assert admin.clipboard() == jwt
    # The dialog makes everything behind it inert. The toast is in front of the dialog.
    opened.get_by_role("status").get_by_role("button", name="Close").click()
    expect(admin.page.get_by_text("Copied")).to_have_count(0)
    admin.button("Hide credential").click()
    expect(opened.locator("code")).to_have_count(0)
    admin.open("admin/audit")
    expect(row(admin, "Credential shown").first).to_contain_text(sender.address)


@pytest.mark.slow
def test_a_password_is_reset(admin: Person) -> None:
    sender = admin.api.new_sender()
    manage(admin, sender)
    admin.field("New password").fill("short")
    admin.button("Set password").click()
    assert admin.error_at("New password").endswith("At least 10 characters.")
    admin.field("New password").fill("a much better one")
    admin.button("Set password").click()
    expect(admin.page.get_by_text("The password is set")).to_be_visible()
    digest = hashlib.sha256(b"a much better one").hexdigest()
    body = {"email": sender.address, "password": digest}
    assert admin.api.post("/api/address_login", body).status_code == 200


@pytest.mark.slow
def test_sent_mail_is_cleared(admin: Person) -> None:
    sender = admin.api.new_sender(balance=5)
    admin.api.send(sender)
    manage(admin, sender)
    admin.button("Clear sent mail").click()
    asked = dialog(admin, "Clear the sent mail of this address?")
    asked.get_by_role("button", name="Clear sent mail").click()
    expect(admin.page.get_by_text("The sent mail is cleared")).to_be_visible()
    assert admin.api.get("/api/sendbox", headers=sender.headers).json()["count"] == 0


@pytest.mark.slow
def test_an_address_is_deleted_after_a_question(admin: Person) -> None:
    sender = admin.api.new_sender()
    manage(admin, sender)
    asked = dialog(admin, "Delete this address?")
    admin.button("Delete address").click()
    asked.get_by_role("button", name="Cancel").click()
    assert admin.api.get("/api/settings", headers=sender.headers).status_code == 200
    admin.button("Delete address").click()
    asked.get_by_role("button", name="Delete address").click()
    expect(admin.heading("Nothing found")).to_be_visible()
    assert admin.api.get("/api/settings", headers=sender.headers).status_code == 401


# Balances


@pytest.mark.slow
def test_a_request_is_granted(admin: Person) -> None:
    sender = asks_for_access(admin.api)
    admin.open("admin")
    expect(admin.page.get_by_text("for a balance")).to_be_visible()
    admin.open("admin/balances")
    expect(row(admin, sender.address)).to_contain_text("Requested")
    admin.button(f"Grant a balance to {sender.address}").click()
    admin.field("Balance").fill("-3")
    dialog(admin).get_by_role("button", name="Grant").click()
    assert admin.error_at("Balance").endswith("A whole number, 0 or more.")
    admin.field("Balance").fill("250")
    dialog(admin).get_by_role("button", name="Grant").click()
    expect(row(admin, sender.address)).to_contain_text("250")
    expect(admin.button(f"Grant a balance to {sender.address}")).to_have_count(0)
    assert admin.api.balance(sender) == 250


@pytest.mark.slow
def test_a_request_is_declined(admin: Person) -> None:
    sender = asks_for_access(admin.api)
    admin.open("admin/balances")
    admin.button(f"Decline the request of {sender.address}").click()
    dialog(admin).get_by_role("button", name="Remove").click()
    expect(row(admin, sender.address)).to_have_count(0)
    asked = admin.api.post("/api/request_send_mail_access", headers=sender.headers)
    assert asked.status_code == 200


@pytest.mark.slow
def test_a_disabled_balance_is_no_request(admin: Person) -> None:
    sender = asks_for_access(admin.api)
    body = {"address": sender.address, "address_id": 0, "balance": 0, "enabled": False}
    assert admin.api.admin("POST", "/admin/address_sender", json=body).status_code == 200
    admin.open("admin/balances")
    expect(row(admin, sender.address)).to_contain_text("Disabled")
    waiting = admin.page.locator(".card", has_text="Requests for access")
    expect(waiting.get_by_text(sender.address)).to_have_count(0)


@pytest.mark.slow
def test_requests_are_paged_from_the_oldest_on(admin: Person) -> None:
    requests = "DELETE FROM send_balances WHERE requested_at > 0"
    admin.api.server.sql(requests)
    senders = [asks_for_access(admin.api) for _ in range(21)]
    order = "UPDATE send_balances SET requested_at = ? WHERE address_id = ?"
    for place, sender in enumerate(reversed(senders)):
        admin.api.server.sql(order, [1_795_000_000_000 + place, sender.address_id])
    admin.open("admin")
    expect(admin.page.get_by_text("21 addresses ask for a balance.")).to_be_visible()
    admin.page.get_by_role("link", name="Look at it").first.click()
    waiting = admin.page.locator(".card", has_text="Requests for access")
    expect(waiting.get_by_role("listitem")).to_have_count(20)
    expect(waiting.get_by_role("listitem").first).to_contain_text(senders[-1].address)
    waiting.get_by_role("link", name="Next").click()
    expect(waiting.get_by_role("listitem")).to_have_count(1)
    admin.button(f"Decline the request of {senders[0].address}").click()
    dialog(admin).get_by_role("button", name="Remove").click()
    expect(waiting.get_by_role("listitem")).to_have_count(20)
    admin.api.server.sql(requests)


def test_a_balance_can_be_found_changed_and_removed(admin: Person) -> None:
    sender = admin.api.new_sender(balance=5)
    admin.open("admin/balances")
    admin.page.get_by_role("searchbox").fill(sender.address.upper())
    admin.button("Find").click()
    expect(admin.page.get_by_text("1 to 1 of 1")).to_be_visible()
    admin.button(f"Change the balance of {sender.address}").click()
    admin.page.get_by_label("Enabled").uncheck()
    admin.button("Save").click()
    expect(row(admin, sender.address)).to_contain_text("Disabled")
    assert admin.api.send(sender).status_code == 400
    admin.button(f"Remove the balance of {sender.address}").click()
    dialog(admin).get_by_role("button", name="Remove").click()
    expect(admin.heading("Nothing found")).to_be_visible()


@pytest.mark.slow
def test_a_balance_is_set_for_any_address(admin: Person) -> None:
    sender = admin.api.new_sender()
    admin.open("admin/balances")
    admin.button("Set a balance").click()
    admin.field("Address").fill("nobody@example.com")
    admin.button("Save").click()
    expect(dialog(admin).get_by_role("alert")).to_contain_text("no such address")
    admin.field("Address").fill(sender.address)
    admin.field("Balance").fill("7")
    admin.button("Save").click()
    expect(admin.page.get_by_text("The balance is set")).to_be_visible()
    assert admin.api.balance(sender) == 7


# Lists and limits


def test_lists_are_changed(admin: Person) -> None:
    admin.open("admin/lists")
    admin.field("Blocked recipients").fill("\n@spam.example \n\nBob@example.net\n")
    expect(admin.page.get_by_text("2 entries")).to_be_visible()
    admin.button("Save").click()
    expect(admin.page.get_by_text("The lists are saved")).to_be_visible()
    assert settings(admin.api)["sendBlockList"] == ["@spam.example", "Bob@example.net"]
    expect(admin.field("Blocked recipients")).to_have_value("@spam.example\nBob@example.net")
    admin.field("Blocked recipients").fill("")
    admin.button("Save").click()
    expect(admin.page.get_by_text("All saved")).to_be_visible()
    assert settings(admin.api)["sendBlockList"] == []


@pytest.mark.slow
def test_an_entry_may_contain_a_comma(admin: Person) -> None:
    admin.open("admin/lists")
    admin.field("Blocked names").fill("boss,root")
    admin.button("Save").click()
    expect(admin.page.get_by_text("All saved")).to_be_visible()
    assert settings(admin.api)["blockList"] == ["boss,root"]
    admin.field("Blocked names").fill("boss\nroot")
    admin.button("Save").click()
    expect(admin.page.get_by_text("All saved")).to_be_visible()
    assert settings(admin.api)["blockList"] == ["boss", "root"]
    admin.api.admin("POST", "/admin/account_settings", json={"blockList": []})


@pytest.mark.slow
def test_the_error_of_an_entry_names_its_line(admin: Person) -> None:
    admin.open("admin/lists")
    admin.field("Verified recipients").fill("bob@example.net\n\nnobody\n")
    admin.button("Save").click()
    assert "Line 3: " in admin.error_at("Verified recipients")
    expect(admin.field("Verified recipients")).to_be_focused()
    assert settings(admin.api)["verifiedAddressList"] == []


@pytest.mark.slow
def test_leaving_with_unsaved_changes_needs_a_decision(admin: Person) -> None:
    page = admin.page
    admin.open("admin/audit")
    admin.open("admin/lists")
    admin.field("Blocked names").fill("boss")
    for leave in (lambda: page.get_by_role("link", name="Pauses").click(), page.go_back):
        leave()
        expect(dialog(admin)).to_contain_text("Leave without saving?")
        admin.button("Cancel").click()
        expect(admin.field("Blocked names")).to_have_value("boss")
        assert page.url.endswith("#/admin/lists")
    page.get_by_role("link", name="Pauses").click()
    admin.button("Leave").click()
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("Pauses")
    page.get_by_role("link", name="Lists").click()
    expect(admin.field("Blocked names")).to_have_value("")
    page.get_by_role("link", name="Pauses").click()
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("Pauses")


@pytest.mark.slow
def test_text_typed_during_a_save_stays(admin: Person) -> None:
    held = HeldRequest(admin.page, "**/admin/account_settings")
    admin.open("admin/lists")
    held().continue_()
    admin.field("Blocked names").fill("boss")
    held = HeldRequest(admin.page, "**/admin/account_settings")
    admin.button("Save").click()
    held()
    admin.field("Verified recipients").fill("bob@example.net")
    held().continue_()
    expect(admin.page.get_by_text("The lists are saved")).to_be_visible()
    expect(admin.field("Verified recipients")).to_have_value("bob@example.net")
    admin.button("Save").click()
    expect(admin.page.get_by_text("All saved")).to_be_visible()
    assert settings(admin.api)["blockList"] == ["boss"]
    empty: dict[str, list[str]] = {"blockList": [], "verifiedAddressList": []}
    admin.api.admin("POST", "/admin/account_settings", json=empty)


@pytest.mark.slow
def test_signing_out_with_unsaved_changes_needs_a_decision(admin: Person) -> None:
    admin.open("admin/lists")
    admin.field("Blocked names").fill("boss")
    admin.button("Sign out").click()
    expect(dialog(admin)).to_contain_text("Leave without saving?")
    admin.button("Cancel").click()
    expect(admin.field("Blocked names")).to_have_value("boss")
    admin.button("Sign out").click()
    admin.button("Leave").click()
    expect(admin.page.get_by_role("tab", name="Credential")).to_be_visible()
    assert admin.session() == {}


@pytest.mark.slow
def test_limits_are_set(admin: Person) -> None:
    admin.open("admin/limits")
    limit = admin.page.get_by_label("Limit what is sent")
    limit.first.check()
    admin.button("Save").click()
    assert admin.error_at("Recipients per day").endswith("A whole number, 0 or more.")
    admin.field("Recipients per day").fill("5000")
    limit.last.check()
    admin.page.get_by_label("Unlimited").last.check()
    admin.button("Save").click()
    expect(admin.page.get_by_text("The limits are saved")).to_be_visible()
    assert settings(admin.api)["sendMailLimitConfig"] == {
        "dailyEnabled": True,
        "dailyLimit": 5000,
        "monthlyEnabled": True,
        "monthlyLimit": -1,
    }
    expect(admin.page.get_by_text("left now")).to_be_visible()
    limit.first.uncheck()
    admin.button("Save").click()
    expect(admin.page.get_by_text("All saved")).to_be_visible()
    assert settings(admin.api)["sendMailLimitConfig"]["dailyEnabled"] is False


# Suppressions and pauses


@pytest.mark.slow
def test_a_suppression_can_be_added_found_and_removed(admin: Person) -> None:
    address = f"{unique_name()}@example.net"
    admin.open("admin/suppressions")
    admin.button("Add a recipient").click()
    admin.field("Address").fill("nobody")
    dialog(admin).get_by_role("button", name="Add a recipient").click()
    assert admin.error_at("Address")
    admin.field("Address").fill(address)
    admin.field("Sending domain").fill("example.com")
    admin.field("Reason").select_option("complaint")
    admin.field("Until").fill("2999-01-01T12:00")
    dialog(admin).get_by_role("button", name="Add a recipient").click()
    for words in ("example.com", "reported as spam", "by admin#1", "2999"):
        expect(row(admin, address)).to_contain_text(words)
    sender = admin.api.new_sender(balance=5)
    assert admin.api.send(sender, to_mail=address).status_code == 400
    admin.page.get_by_role("searchbox").fill(address)
    admin.page.keyboard.press("Enter")
    expect(admin.page.get_by_text("Rows shown: 1")).to_be_visible()
    admin.button(f"Remove {address}").click()
    dialog(admin).get_by_role("button", name="Remove").click()
    expect(admin.heading("Nothing found")).to_be_visible()
    assert admin.api.send(sender, to_mail=address).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "error"),
    [("01012999", "This value is incomplete"), ("99999", "The end must be")],
    ids=["a date without a time", "the year 10000"],
)
def test_an_end_that_is_no_time_is_an_error_of_its_field(
    admin: Person, typed: str, error: str
) -> None:
    address = f"{unique_name()}@example.net"
    admin.open("admin/suppressions")
    admin.button("Add a recipient").click()
    admin.field("Address").fill(address)
    if typed == "99999":  # the field itself takes no such year
        admin.field("Until").evaluate(
            "field => { field.value = '10000-01-01T00:00';"
            " field.dispatchEvent(new Event('input', { bubbles: true })) }"
        )
    else:
        admin.field("Until").press_sequentially(typed)
    dialog(admin).get_by_role("button", name="Add a recipient").click()
    assert error in admin.error_at("Until")
    path = f"/admin/suppressions?address={address}"
    assert admin.api.admin("GET", path).json()["results"] == []


def test_a_file_of_suppressions_is_imported_in_steps(admin: Person, tmp_path: Path) -> None:
    name = unique_name()
    lines = [f"{name}{number}@example.net,complaint" for number in range(1200)]
    lines[700] = "nobody"
    file = tmp_path / "suppressions.csv"
    file.write_text("address,reason\r\n" + "\r\n".join(lines) + "\r\n")
    admin.open("admin/suppressions")
    admin.page.get_by_label("Import CSV").set_input_files(file)
    expect(dialog(admin)).to_contain_text("1,201 of 1,201 lines")
    expect(dialog(admin)).to_contain_text("Rows imported: 1,199")
    expect(dialog(admin)).to_contain_text("Line 702: This is not one mail address")
    dialog(admin).get_by_role("button", name="Close").last.click()
    expect(admin.page.get_by_role("row").nth(1)).to_contain_text("imported")
    with admin.page.expect_download() as download:
        admin.button("Export CSV").click()
    exported = Path(download.value.path()).read_text().split()
    assert exported[0] == "address,reason,scope,expires_at"
    expected = {f"{line},," for line in lines if line != "nobody"}
    assert {line for line in exported if line.startswith(name)} == expected


@pytest.mark.slow
def test_a_file_may_have_100_000_rows_below_its_header(admin: Person, tmp_path: Path) -> None:
    rows = ["a@example.net"] * 100_000
    file = tmp_path / "suppressions.csv"
    admin.page.route("**/admin/suppressions/import", lambda route: route.abort())
    admin.open("admin/suppressions")
    file.write_text("\n".join(["", "address,reason", *rows, "", "a@example.net"]))
    admin.page.get_by_label("Import CSV").set_input_files(file)
    expect(admin.page.get_by_text("A file can have at most 100,000 rows.")).to_be_visible()
    file.write_text("\n".join(["", "address,reason", *rows, ""]))
    admin.page.get_by_label("Import CSV").set_input_files(file)
    expect(dialog(admin)).to_contain_text("0 of 100,002 lines")


@pytest.mark.slow
def test_no_part_of_a_long_line_is_imported(admin: Person, tmp_path: Path) -> None:
    address = f"{unique_name()}@example.net"
    file = tmp_path / "suppressions.csv"
    file.write_text(f"{address}{' ' * 1000},complaint,,2999-01-01\n" * 2)
    admin.open("admin/suppressions")
    admin.page.get_by_label("Import CSV").set_input_files(file)
    expect(dialog(admin)).to_contain_text("Rows imported: 0")
    expect(dialog(admin)).to_contain_text("Line 2: The line has more than 1000 characters")


@pytest.mark.slow
def test_an_import_continues_after_a_lost_connection(admin: Person, tmp_path: Path) -> None:
    lines = [f"{unique_name()}{number}@example.net" for number in range(900)]
    file = tmp_path / "suppressions.csv"
    file.write_text("\n".join(lines))
    admin.open("admin/suppressions")
    steps = 0

    def lose_the_second(route: Route) -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            route.abort()
        else:
            route.continue_()

    admin.page.route("**/admin/suppressions/import", lose_the_second)
    admin.page.get_by_label("Import CSV").set_input_files(file)
    expect(dialog(admin).get_by_role("alert")).to_be_visible()
    dialog(admin).get_by_role("button", name="Try again").click()
    expect(dialog(admin)).to_contain_text("Rows imported: 900")


@pytest.mark.slow
def test_a_failed_search_is_repeated_without_the_rows_before_it(admin: Person) -> None:
    addresses = [f"{unique_name()}@example.net" for _ in range(31)]
    body = {"csv": "\n".join(addresses)}
    assert admin.api.admin("POST", "/admin/suppressions/import", json=body).status_code == 200
    admin.open("admin/suppressions")
    expect(admin.page.get_by_text("Rows shown: 30")).to_be_visible()
    pattern = re.compile("/admin/suppressions[?]")
    admin.page.route(pattern, lambda route: route.fulfill(status=503, body="{}"))
    admin.page.get_by_role("searchbox").fill(addresses[0])
    admin.page.keyboard.press("Enter")
    expect(admin.page.get_by_role("alert")).to_contain_text("503")
    admin.page.unroute(pattern)
    admin.button("Try again").click()
    expect(admin.page.get_by_text("Rows shown: 1", exact=True)).to_be_visible()
    expect(row(admin, addresses[0])).to_be_visible()


@pytest.mark.slow
def test_a_search_that_fails_after_an_empty_one_can_be_repeated(admin: Person) -> None:
    address = f"{unique_name()}@example.net"
    body = {"address": address}
    assert admin.api.admin("POST", "/admin/suppressions", json=body).status_code == 200
    admin.open("admin/suppressions?address=nobody@example.net")
    expect(admin.heading("Nothing found")).to_be_visible()
    pattern = re.compile("/admin/suppressions[?]")
    admin.page.route(pattern, lambda route: route.fulfill(status=503, body="{}"))
    admin.page.get_by_role("searchbox").fill(address)
    admin.page.keyboard.press("Enter")
    expect(admin.page.get_by_role("alert")).to_contain_text("503")
    expect(admin.heading("Nothing found")).to_have_count(0)
    admin.page.unroute(pattern)
    admin.button("Try again").click()
    expect(row(admin, address)).to_be_visible()


@pytest.mark.slow
def test_the_retry_repeats_the_load_that_failed(admin: Person) -> None:
    """A refresh loads the list from its start; Show more adds rows below."""

    def add(words: str, count: int) -> None:
        for number in range(count):
            body = {"address": f"{words}{number}@example.net"}
            assert admin.api.admin("POST", "/admin/suppressions", json=body).status_code == 200

    name = unique_name()
    add(f"{name}-old", 31)
    admin.open("admin/audit")
    expect(admin.page.get_by_text("Rows shown: 30")).to_be_visible()
    pattern = re.compile("/admin/audit[?]")
    for button in ("Refresh", "Show more"):
        admin.page.route(pattern, lambda route: route.fulfill(status=503, body="{}"))
        admin.button(button).click()
        expect(admin.page.get_by_role("alert")).to_contain_text("503")
        expect(row(admin, f"{name}-old30@")).to_be_visible()
        admin.page.unroute(pattern)
        if button == "Refresh":
            add(f"{name}-new", 1)
        admin.button("Try again").click()
        expect(admin.page.get_by_role("alert")).to_have_count(0)
        expect(row(admin, f"{name}-new0@")).to_be_visible()
    expect(row(admin, f"{name}-old0@")).to_be_visible()


@pytest.mark.slow
def test_a_pause_is_lifted(admin: Person) -> None:
    sender = admin.api.new_sender(balance=5)
    sql = "INSERT INTO send_pauses (address_id, paused, since) VALUES (?, 1, 0)"
    admin.api.server.sql(sql, [sender.address_id])
    assert admin.api.send(sender).json()["code"] == "address_paused"
    admin.open("admin")
    admin.page.get_by_role("link", name="Look at it").last.click()
    admin.button(f"Resume sending for {sender.address}").click()
    dialog(admin).get_by_role("button", name="Resume sending").click()
    expect(admin.heading("No paused addresses")).to_be_visible()
    assert admin.api.send(sender).status_code == 200


@pytest.mark.slow
def test_the_limits_of_the_day_are_restored(admin: Person) -> None:
    sender = admin.api.new_sender(balance=5)
    used(admin, sender, 0, 0, 1000)
    assert admin.api.send(sender).json()["code"] == "too_many_withdrawals"
    shown = manage(admin, sender)
    shown.get_by_role("button", name="Restore limits").click()
    expect(shown.get_by_text("The address can send again")).to_be_visible()
    assert admin.api.send(sender).status_code == 200
    shown.get_by_role("button", name="Restore limits").click()
    expect(shown.get_by_role("alert")).to_contain_text("is not paused")
    link = shown.get_by_role("link", name="About this error: not_paused")
    admin.page.goto(f"{admin.url}/{link.get_attribute('href')}")
    expect(admin.page.locator("code:target")).to_have_text("not_paused")


# Sent mail and audit log


@pytest.mark.slow
def test_all_sent_mail_is_shown_and_deleted(admin: Person) -> None:
    sender, other = admin.api.new_sender(balance=5), admin.api.new_sender(balance=5)
    html = "<p>Good <b onclick='alert(1)'>day</b></p><script>alert(1)</script>"
    admin.api.send(sender, subject="The one", content=html, is_html=True)
    admin.api.send(other, subject="The other", content="A plain text")
    admin.open("admin/sent")
    expect(admin.messages().filter(has_text="The one")).to_contain_text(sender.address)
    admin.page.get_by_role("link", name="The other").click()
    expect(admin.page.get_by_text("A plain text", exact=True)).to_be_visible()
    admin.page.go_back()
    admin.field("Search").fill(sender.address)
    expect(admin.messages()).to_have_count(1)
    admin.page.get_by_role("link", name="The one").click()
    expect(admin.preview().get_by_text("Good day")).to_be_visible()
    admin.button("Delete message").click()
    asked = dialog(admin, "Delete this message?")
    asked.get_by_role("button", name="Delete message").click()
    expect(admin.heading("Sent mail")).to_be_visible()
    assert admin.api.get("/api/sendbox", headers=sender.headers).json()["count"] == 0


@pytest.mark.slow
def test_audit_rows_are_sentences(admin: Person) -> None:
    sender = admin.api.new_sender()
    body = {"address": sender.address, "address_id": 0, "balance": 1200, "enabled": False}
    admin.api.admin("POST", "/admin/address_sender", json=body)
    for number in range(30):
        body = {"address": f"gone{number}@example.net"}
        admin.api.admin("POST", "/admin/suppressions", json=body)
    admin.open("admin/audit")
    expect(admin.page.get_by_text("Rows shown: 30")).to_be_visible()
    expect(row(admin, "gone29@")).to_contain_text("Suppression added")
    admin.button("Show more").click()
    for words in ("Administrator 1", "Balance set", "1,200, Disabled"):
        expect(row(admin, sender.address).first).to_contain_text(words)
    expect(row(admin, sender.address).last).to_contain_text("Anonymous")


@pytest.mark.slow
def test_usage_is_a_chart(admin: Person) -> None:
    sender = admin.api.new_sender(balance=5)
    admin.api.send(sender)
    admin.open("admin")
    expect(admin.page.get_by_role("img", name="Messages of the last 30 days")).to_be_visible()
    expect(admin.page.get_by_role("table", name="Messages of the last 30 days")).to_be_attached()


# Languages, accessibility, hostile data


@pytest.mark.slow
def test_the_administration_is_in_chinese(admin: Person) -> None:
    admin.open("admin/balances")
    admin.field("Language").select_option("中文")
    expect(admin.heading("余额").first).to_be_visible()
    admin.button("设置余额").click()
    admin.field("地址").fill("nobody@example.com")
    admin.button("保存").click()
    expect(dialog(admin).get_by_role("alert")).to_contain_text("地址")


@pytest.fixture
def crowded(admin: Person) -> Person:
    """The administrator of a service with data that could break pages."""
    sender = admin.api.new_sender(balance=5)
    sent = admin.api.send(sender, subject=HOSTILE, from_name="W" * 100, content=HOSTILE)
    assert sent.status_code == 200, sent.text
    wide = f"{'w' * 60}.example"
    body = {"address": f"{'w' * 60}@{wide}", "scope": wide, "reason": "complaint"}
    assert admin.api.admin("POST", "/admin/suppressions", json=body).status_code == 200
    return admin


@pytest.mark.slow
@pytest.mark.parametrize(("width", "colours"), [(1280, "dark"), (360, "light")])
def test_every_section_is_accessible_and_fits(crowded: Person, width: int, colours: Any) -> None:
    page = crowded.page
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    for place, title in SECTIONS.items():
        crowded.open(place)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.locator(".skeleton")).to_have_count(0)
        assert not crowded.is_wider_than_the_screen(), place
        assert crowded.violations() == [], place
    crowded.open("admin/sent")
    crowded.messages().first.get_by_role("link").click()
    expect(crowded.heading("Recipients")).to_be_visible()
    assert crowded.violations() == []
    assert not crowded.is_wider_than_the_screen()
