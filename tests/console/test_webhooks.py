"""Webhooks in the console: of an address, and of the deployment."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from mail.webhook_events import EVENTS
from tests.console.person import HeldRequest, Person, watched
from tests.console.test_in_chinese import SAME, english_words
from tests.console.test_layout import CUT
from tests.console.webhook_screens import (
    ENDPOINT,
    WEBHOOK_SCREENS,
    Owner,
    administrator,
    disable,
    fill_log,
    open_webhook,
    owner,
    webhook_delivery,
)
from tests.e2e.api import Api
from tests.e2e.webhook_receiver import Receiver, receiver


@pytest.fixture(scope="module")
def hooks() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def dialog(person: Person, title: str | None = None) -> Locator:
    """The open dialog, or the one with this title."""
    return person.page.get_by_role("dialog", name=title)


def add(person: Person, endpoint: str, *events: str) -> None:
    """Fill in and submit the dialog that adds a webhook."""
    person.button("Add a webhook").click()
    person.field("Endpoint").fill(endpoint)
    for event in events:
        person.page.get_by_label(event, exact=True).check()
    dialog(person).get_by_role("button", name="Add a webhook").click()


def opened(person: Person, endpoint: str = ENDPOINT) -> tuple[Owner, str]:
    """Sign in as a new address, and open its only webhook."""
    of = owner(person)
    webhook_id = of.create(endpoint)
    open_webhook(person, of, webhook_id)
    return of, webhook_id


def deliveries(person: Person) -> Locator:
    """The rows of the log."""
    return person.page.get_by_role("table", name="Deliveries").locator("tbody tr")


@pytest.mark.slow
def test_the_code_is_loaded_when_a_screen_is_opened(person: Person) -> None:
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.sign_in()
    person.open("password")
    assert [url for url in asked if "Webhooks-" in url] == []
    person.page.get_by_role("link", name="Webhooks").click()
    expect(person.heading("No webhooks yet")).to_be_visible()
    assert len([url for url in asked if "Webhooks-" in url]) == 1


# Adding


def test_a_webhook_is_added_and_its_secret_can_be_seen_again(person: Person) -> None:
    of = owner(person)
    person.open("webhooks")
    add(person, f" {ENDPOINT} ", "email.sent", "email.bounced")
    ready = dialog(person, "The webhook is ready")
    (made,) = of.webhooks()
    secret = of.call("GET", f"/{made['id']}")["signing_secret"]
    expect(ready.locator("code")).to_have_text(secret)
    ready.get_by_role("button", name="Copy").click()
    expect(person.page.get_by_text("Copied")).to_be_visible()
    assert person.clipboard() == secret
    assert (made["endpoint"], made["events"]) == (ENDPOINT, ["email.sent", "email.bounced"])
    person.button("Open the webhook").click()
    expect(person.heading("hooks.example.net")).to_be_focused()
    for _ in range(2):
        expect(person.page.get_by_text(secret)).to_have_count(0)
        person.button("Show").click()
        expect(person.page.get_by_text(secret)).to_be_visible()
        person.page.reload()
    person.page.get_by_role("link", name="All webhooks").click()
    expect(person.page.get_by_role("row").nth(1)).to_contain_text("2 events")


@pytest.mark.slow
def test_errors_are_at_their_fields(person: Person) -> None:
    of = owner(person)
    person.open("webhooks")
    add(person, "")
    expect(person.field("Endpoint")).to_be_focused()
    assert person.error_at("Endpoint").endswith("This field is required.")
    expect(dialog(person).get_by_role("alert")).to_have_text("Choose at least one event.")
    person.field("Endpoint").fill("http://192.0.2.1/")
    dialog(person).get_by_role("button", name="Choose all").click()
    dialog(person).get_by_role("button", name="Add a webhook").click()
    assert "must begin with https://" in person.error_at("Endpoint")
    expect(dialog(person).get_by_role("alert")).to_have_count(0)
    person.field("Endpoint").fill(ENDPOINT)
    dialog(person).get_by_role("button", name="Add a webhook").click()
    expect(dialog(person, "The webhook is ready")).to_be_visible()
    (made,) = of.webhooks()
    assert made["events"] == [*EVENTS]


@pytest.mark.slow
def test_the_limit_is_explained(person: Person) -> None:
    of = owner(person)
    for number in range(10):
        of.create(f"{ENDPOINT}/{number}")
    person.open("webhooks")
    expect(person.page.get_by_role("row")).to_have_count(11)
    add(person, ENDPOINT, "email.sent")
    expect(dialog(person).get_by_role("alert")).to_contain_text("too many webhooks (max 10)")
    assert len(of.webhooks()) == 10


@pytest.mark.slow
def test_a_webhook_whose_response_breaks_off_is_reported(person: Person) -> None:
    owner(person)
    person.open("webhooks")
    person.break_off("/webhooks")
    add(person, ENDPOINT, "email.sent")
    expect(dialog(person).get_by_role("alert")).to_contain_text("may have been added")
    person.page.reload()
    expect(person.page.get_by_role("link", name=ENDPOINT)).to_be_visible()


# Changes


@pytest.mark.slow
def test_the_endpoint_and_the_events_are_changed(person: Person) -> None:
    of, webhook_id = opened(person)
    person.button("Change").click()
    expect(person.field("Endpoint")).to_have_value(ENDPOINT)
    person.field("Endpoint").fill("https://other.example.net:8443/")
    person.button("Choose none").click()
    person.page.get_by_label("email.failed", exact=True).check()
    person.button("Save").click()
    expect(person.heading("other.example.net:8443")).to_be_visible()
    found = of.call("GET", f"/{webhook_id}")
    assert found["events"] == ["email.failed"]
    assert found["endpoint"] == "https://other.example.net:8443/"


@pytest.mark.slow
def test_a_replaced_secret_is_shown_and_both_are_valid_for_a_day(person: Person) -> None:
    of, webhook_id = opened(person)
    old = of.call("GET", f"/{webhook_id}")["signing_secret"]
    person.button("Replace secret").click()
    expect(dialog(person)).to_contain_text("For 24 hours, events are signed with both")
    dialog(person).get_by_role("button", name="Replace secret").click()
    expect(person.page.get_by_text("events are signed with both secrets")).to_be_visible()
    new = of.call("GET", f"/{webhook_id}")["signing_secret"]
    assert new != old
    expect(person.page.get_by_text(new)).to_be_visible()


@pytest.mark.slow
def test_a_replacement_whose_response_breaks_off_is_reported(person: Person) -> None:
    of, webhook_id = opened(person)
    person.break_off(f"/webhooks/{webhook_id}/rotate_secret")
    person.button("Replace secret").click()
    dialog(person).get_by_role("button", name="Replace secret").click()
    expect(dialog(person).get_by_role("alert")).to_contain_text("may have been replaced")
    dialog(person).get_by_role("button", name="Cancel").click()
    person.button("Show").click()
    secret = of.call("GET", f"/{webhook_id}")["signing_secret"]
    expect(person.page.get_by_text(secret)).to_be_visible()


@pytest.mark.slow
def test_a_webhook_is_disabled_and_enabled(person: Person) -> None:
    of, webhook_id = opened(person)
    person.button("Disable").click()
    dialog(person).get_by_role("button", name="Disable").click()
    expect(person.page.get_by_text("It was disabled by hand.")).to_be_visible()
    expect(person.heading("hooks.example.net")).to_be_focused()
    assert of.call("GET", f"/{webhook_id}")["status"] == "disabled"
    person.button("Enable").click()
    expect(person.button("Disable")).to_be_visible()
    expect(person.heading("hooks.example.net")).to_be_focused()
    assert of.call("GET", f"/{webhook_id}")["status"] == "enabled"


@pytest.mark.slow
@pytest.mark.parametrize(("reason", "words"), [("gone", "410"), ("failing", "for three days")])
def test_the_service_says_why_it_disabled_a_webhook(
    person: Person, reason: str, words: str
) -> None:
    of, webhook_id = opened(person)
    fill_log(person, webhook_id)
    disable(person, webhook_id, reason)
    person.page.reload()
    expect(person.page.get_by_text(words)).to_be_visible()
    deliveries(person).first.get_by_role("button").click()
    expect(dialog(person)).to_contain_text("enable the webhook first")
    expect(dialog(person).get_by_role("button", name="Send again")).to_be_disabled()
    person.page.keyboard.press("Escape")
    person.button("Enable").click()
    expect(person.page.get_by_text(words)).to_have_count(0)
    assert of.call("GET", f"/{webhook_id}")["disabled_reason"] is None


@pytest.mark.slow
def test_a_webhook_is_removed_after_a_question(person: Person) -> None:
    of, _ = opened(person)
    person.button("Remove").click()
    asked = dialog(person, "Remove this webhook?")
    expect(asked).to_contain_text(ENDPOINT)
    asked.get_by_role("button", name="Cancel").click()
    assert len(of.webhooks()) == 1
    person.button("Remove").click()
    asked.get_by_role("button", name="Remove").click()
    expect(person.heading("No webhooks yet")).to_be_visible()
    assert of.webhooks() == []


@pytest.mark.slow
def test_an_unknown_webhook_is_not_found(person: Person) -> None:
    owner(person)
    person.open("webhooks/nowhere")
    expect(person.heading("There is no such webhook").first).to_be_visible()
    person.page.get_by_role("main").get_by_role("link", name="All webhooks").click()
    expect(person.heading("No webhooks yet")).to_be_visible()


# Tests


def test_a_test_shows_the_response(person: Person, hooks: Receiver) -> None:
    opened(person, hooks.url("/200/console"))
    person.button("Send a test").click()
    dialog(person).get_by_label("Event").select_option("email.bounced")
    dialog(person).get_by_role("button", name="Send").click()
    expect(dialog(person)).to_contain_text("The endpoint accepted the event.")
    expect(dialog(person)).to_contain_text("Status 200")
    expect(dialog(person)).to_contain_text("thank you")
    expect(dialog(person)).to_contain_text('"diagnosticCode"')
    assert [one.type for one in hooks.at("/200/console")] == ["email.bounced"]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "words"), [("/500", "Status 500"), ("/garbage", "No response")])
def test_a_test_that_fails_says_why(person: Person, hooks: Receiver, path: str, words: str) -> None:
    opened(person, hooks.url(path))
    person.button("Send a test").click()
    dialog(person).get_by_role("button", name="Send").click()
    expect(dialog(person)).to_contain_text("The endpoint did not accept the event.")
    expect(dialog(person)).to_contain_text(words)


# The log


def test_the_log_shows_attempts_and_is_filtered(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    fill_log(person, webhook_id)
    open_webhook(person, of, webhook_id)
    expect(deliveries(person)).to_have_count(6)
    person.field("Status").select_option("Accepted")
    expect(deliveries(person)).to_have_count(2)
    person.field("Event").select_option("email.delivery_delayed")
    expect(deliveries(person)).to_have_count(1)
    person.page.reload()
    expect(deliveries(person)).to_have_count(1)
    expect(person.field("Status")).to_have_value("success")
    person.page.get_by_role("button", name="Details of email.delivery_delayed").click()
    attempts = dialog(person).locator("section")
    expect(attempts).to_have_count(2)
    expect(attempts.nth(0)).to_contain_text("Attempt 2")
    expect(attempts.nth(0)).to_contain_text("Status 200")
    expect(attempts.nth(1)).to_contain_text("<b>please</b> try again later")
    person.page.keyboard.press("Escape")
    person.field("Status").select_option("Failed")
    expect(person.heading("Nothing found")).to_be_visible()
    person.page.get_by_role("link", name="Show all").click()
    expect(deliveries(person)).to_have_count(6)


@pytest.mark.slow
def test_a_long_log_has_pages(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    fill_log(person, webhook_id, times=6)
    open_webhook(person, of, webhook_id)
    expect(deliveries(person)).to_have_count(30)
    person.button("Show more").click()
    expect(deliveries(person)).to_have_count(36)
    expect(person.button("Show more")).to_have_count(0)


@pytest.mark.slow
def test_a_page_without_matches_may_have_a_next_one(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    fill_log(person, webhook_id)
    person.page.route(
        re.compile(r"/deliveries\?.*status=failed(?!.*cursor)"),
        lambda route: route.fulfill(json={"results": [], "next_cursor": "0" * 36}),
    )
    person.page.route(
        re.compile(r"/deliveries\?.*cursor"),
        lambda route: route.continue_(url=re.sub("&cursor=[^&]*", "", route.request.url)),
    )
    person.open(f"webhooks/{webhook_id}?status=failed")
    expect(person.page.get_by_text("Older deliveries were not searched yet.")).to_be_visible()
    person.button("Show more").click()
    expect(deliveries(person)).to_have_count(1)


@pytest.mark.slow
def test_a_delivery_is_sent_again(person: Person, hooks: Receiver) -> None:
    of = owner(person)
    webhook_id = of.create(hooks.url("/200/again"), ("email.sent",))
    assert of.sender
    person.api.send(of.sender)
    hooks.wait_for(lambda: hooks.at("/200/again"))
    open_webhook(person, of, webhook_id)
    deliveries(person).get_by_role("button").click()
    dialog(person).get_by_role("button", name="Send again").click()
    hooks.wait_for(lambda: len(hooks.at("/200/again")) == 2)
    expect(dialog(person).locator("section")).to_have_count(2)  # without a press on Refresh
    first, second = hooks.at("/200/again")
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


@pytest.mark.slow
def test_a_delivery_without_a_body_is_not_sent_again(person: Person) -> None:
    webhook_delivery(person)
    person.api.server.sql("UPDATE webhook_deliveries SET facts = NULL, body = NULL")
    dialog(person).get_by_role("button", name="Send again").click()
    expect(dialog(person).get_by_role("alert")).to_contain_text("body of this delivery")


@pytest.mark.slow
def test_a_lost_response_can_be_requested_again(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    pattern = re.compile("/deliveries")
    person.page.route(pattern, lambda route: route.fulfill(status=503, body="{}"))
    open_webhook(person, of, webhook_id)
    expect(person.page.get_by_role("alert")).to_contain_text("503")
    person.page.unroute(pattern)
    person.button("Try again").click()
    expect(person.heading("No deliveries yet")).to_be_visible()


@pytest.mark.slow
def test_a_late_response_to_another_filter_is_ignored(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    fill_log(person, webhook_id)
    open_webhook(person, of, webhook_id)
    held = HeldRequest(person.page, "**/deliveries?*status=failed*")
    person.field("Status").select_option("Failed")
    route = held()
    person.field("Status").select_option("Accepted")
    expect(deliveries(person)).to_have_count(2)
    route.continue_()
    person.page.wait_for_load_state("networkidle")
    expect(deliveries(person)).to_have_count(2)


# The administration


@pytest.mark.slow
def test_administrators_manage_the_webhooks_of_the_deployment(
    person: Person, hooks: Receiver
) -> None:
    of = administrator(person)
    person.open("admin/webhooks")
    add(person, hooks.url("/200/all"), "email.sent")
    person.button("Open the webhook").click()
    person.api.send(person.api.new_sender())
    hooks.wait_for(lambda: hooks.at("/200/all"))
    person.button("Refresh").click()
    expect(deliveries(person)).to_have_count(1)
    person.button("Remove").click()
    dialog(person).get_by_role("button", name="Remove").click()
    expect(person.heading("No webhooks yet")).to_be_visible()
    assert of.webhooks() == []


@pytest.mark.slow
def test_administrators_see_the_webhooks_that_the_service_disabled(person: Person) -> None:
    sender = person.api.new_sender()
    disable(person, Owner(person, sender).create(), "failing")
    administrator(person)
    person.open("admin")
    notice = person.page.locator(".notice", has_text="disabled a webhook")
    notice.get_by_role("link", name="Look at it").click()
    row = person.page.get_by_role("row").filter(has_text=sender.address)
    expect(row).to_contain_text("No delivery has succeeded for three days")


# All screens


@pytest.mark.slow
@pytest.mark.parametrize("screen", WEBHOOK_SCREENS)
def test_a_screen_has_no_serious_fault(person: Person, screen: str) -> None:
    WEBHOOK_SCREENS[screen](person)
    assert person.violations() == []
    person.page.emulate_media(color_scheme="dark")
    person.page.wait_for_timeout(200)  # until the colour transitions have ended
    assert person.violations() == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("screen", WEBHOOK_SCREENS)
def test_nothing_is_cut_off_at_any_width(person: Person, screen: str, language: str) -> None:
    person.page.add_init_script(f"localStorage.lang = '{language}'")
    WEBHOOK_SCREENS[screen](person)
    for width in (1920, 1200, 900, 840, 768, 660, 360, 320):
        person.page.set_viewport_size({"width": width, "height": 800})
        person.page.wait_for_function(f"() => {CUT}.length === 0")
        assert not person.is_wider_than_the_screen()


@pytest.mark.slow
def test_the_dialogs_have_no_serious_fault(person: Person, hooks: Receiver) -> None:
    # Dialogs appear at once, so their colours are right at once.
    person.page.emulate_media(reduced_motion="reduce")
    owner(person)
    person.open("webhooks")
    add(person, hooks.url("/200/dialogs"), "email.sent")
    expect(dialog(person, "The webhook is ready")).to_be_visible()
    assert person.violations() == []
    person.button("Open the webhook").click()
    for button in ("Change", "Disable", "Replace secret"):
        person.button(button).click()
        assert person.violations() == []
        person.page.keyboard.press("Escape")
        expect(person.button(button)).to_be_focused()
    person.button("Send a test").click()
    dialog(person).get_by_role("button", name="Send").click()
    expect(dialog(person)).to_contain_text("accepted the event")
    assert person.violations() == []
    person.page.keyboard.press("Escape")
    person.button("Replace secret").click()
    dialog(person).get_by_role("button", name="Replace secret").click()
    expect(person.page.get_by_text("events are signed with both secrets")).to_be_visible()
    assert person.violations() == []


@pytest.mark.slow
def test_a_webhook_is_added_with_the_keyboard_alone(person: Person) -> None:
    of = owner(person)
    person.open("webhooks")
    keys = person.page.keyboard
    person.page.locator("h1").focus()
    for key in ("Tab", "Enter"):
        keys.press(key)
    expect(dialog(person)).to_be_visible()
    person.field("Endpoint").focus()
    keys.insert_text(ENDPOINT)
    for key in ("Tab", "Tab", "Space", "Tab", "Space", "Enter"):
        keys.press(key)
    expect(dialog(person, "The webhook is ready")).to_be_visible()
    (made,) = of.webhooks()
    assert made["events"] == ["email.queued", "email.scheduled"]
    person.button("Open the webhook").press("Enter")
    expect(person.heading("hooks.example.net")).to_be_focused()


@pytest.mark.slow
def test_every_screen_is_in_chinese(browser: Browser, api: Api) -> None:
    others = r"https?:\S+|hooks\.\S+|(?:email|suppression|address)\.\w+|The conn.*"
    same = re.compile(f"{SAME.pattern}|{others}")
    with browser.new_context(locale="zh-CN") as context, watched(context, api):
        person = Person(context.new_page(), api)
        for name, screen in WEBHOOK_SCREENS.items():
            screen(person)
            assert english_words(person, same) == [], name
