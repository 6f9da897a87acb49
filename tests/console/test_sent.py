"""The sent messages: the list, one message, and the actions on it."""

import json
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.console.person import SECONDS, Person
from tests.e2e.api import Sender


@pytest.fixture
def sender(person: Person) -> Sender:
    return person.sign_in()


def in_two_days() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).isoformat()


def send_many(person: Person, sender: Sender, number: int) -> None:
    """Send ``number`` messages with the subjects ``number 0``, ``number 1``, …"""
    for first in range(0, number, 100):
        emails = [
            {
                "from": sender.address,
                "to": "delivered@test.invalid",
                "subject": f"number {n}",
                "text": "A text",
            }
            for n in range(first, min(first + 100, number))
        ]
        response = person.api.post("/emails/batch", emails, headers=sender.headers)
        assert response.status_code == 200, response.text


def test_newest_first_with_status(person: Person, sender: Sender) -> None:
    person.api.send(sender, subject="The first", to_mail="delivered@test.invalid", to_name="Bob")
    person.api.send(sender, subject="The second", to_mail="suppressed@test.invalid", to_name="")
    person.open("sent")
    expect(person.messages()).to_have_count(2)
    expect(person.messages().first).to_contain_text("The second")
    expect(person.messages().first).to_contain_text("Failed")
    expect(person.messages().first).to_contain_text("suppressed@test.invalid")
    expect(person.messages().last).to_contain_text("Bob")
    expect(person.messages().last).to_contain_text("Delivered")


@pytest.mark.slow
def test_nothing_yet(person: Person, sender: Sender) -> None:
    person.open("sent")
    expect(person.heading("Nothing sent yet")).to_be_visible()
    person.page.get_by_role("main").get_by_role("link", name="Compose").click()
    expect(person.heading("New message")).to_be_visible()


@pytest.mark.slow
def test_changes_appear_without_a_reload(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, scheduled_at=in_two_days()).json()
    person.open("sent")
    expect(person.messages()).to_contain_text(["Scheduled"])
    person.api.post(f"/emails/{sent['id']}/cancel", headers=sender.headers)
    expect(person.messages()).to_contain_text(["Cancelled"])
    person.api.send(sender, subject="From elsewhere")
    expect(person.messages().first).to_contain_text("From elsewhere")


@pytest.mark.slow  # the second attempt comes half a minute later
def test_a_queued_message_becomes_sent_without_a_reload(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, to_mail="ratelimited@test.invalid").json()
    person.open(f"sent/{sent['id']}")
    expect(person.page.get_by_text("The message waits for its next attempt")).to_be_visible()
    expect(person.page.get_by_text("Deferred by the provider")).to_be_visible()
    expect(person.page.get_by_text("Delivered").first).to_be_visible(timeout=75 * SECONDS)


@pytest.mark.slow
def test_the_beginning_of_a_text_has_no_markup(person: Person, sender: Sender) -> None:
    content = "<style>p{}</style><p>What&#39;s new &amp; good: 1 &lt; 2</p>"
    person.api.send(sender, content=content, is_html=True)
    person.open("sent")
    expect(person.messages()).to_contain_text("What's new & good: 1 < 2")


def test_search(person: Person, sender: Sender) -> None:
    for subject in ("Your invoice", "A greeting", "Another invoice"):
        person.api.send(sender, subject=subject)
    person.open("sent")
    expect(person.messages()).to_have_count(3)
    person.field("Search").fill("invoice")
    expect(person.messages()).to_have_count(2)
    person.field("Search").fill("invoice greeting")
    expect(person.heading("Nothing found")).to_be_visible()
    person.button("Clear the search").click()
    expect(person.messages()).to_have_count(3)


@pytest.mark.slow
def test_a_search_on_another_page_starts_at_the_first(person: Person, sender: Sender) -> None:
    send_many(person, sender, 30)
    person.open("sent")
    person.page.get_by_role("link", name="Older").click()
    expect(person.messages()).to_have_count(5)
    search = person.field("Search")
    search.press_sequentially("number ", delay=20)
    expect(person.messages()).to_have_count(25)
    expect(search).to_be_focused()
    expect(search).to_have_value("number ")
    search.press_sequentially("29", delay=20)
    expect(person.messages()).to_have_count(1)
    expect(search).to_be_focused()


@pytest.mark.slow
def test_a_failed_search_shows_no_earlier_results(person: Person, sender: Sender) -> None:
    person.api.send(sender, subject="The old one")
    person.open("sent")
    expect(person.messages()).to_have_count(1)
    person.page.route("**/api/sendbox?*q=new*", lambda route: route.abort())
    person.field("Search").fill("new")
    expect(person.page.get_by_role("alert")).to_contain_text("The server did not respond")
    person.page.wait_for_timeout(200)
    expect(person.messages()).to_have_count(0)


@pytest.mark.slow
def test_a_page_without_open_messages_is_not_reloaded(person: Person, sender: Sender) -> None:
    send_many(person, sender, 30)
    person.open("sent")
    expect(person.messages()).to_have_count(25)
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.page.get_by_role("link", name="Older").click()
    expect(person.messages()).to_have_count(5)
    person.page.wait_for_timeout(3 * SECONDS)
    assert len([url for url in asked if "/api/sendbox" in url]) == 1


@pytest.mark.slow
def test_the_page_is_reloaded_after_the_retry_after_time(person: Person, sender: Sender) -> None:
    asked: list[float] = []

    def reject(route: Route) -> None:
        asked.append(time.monotonic())
        body = json.dumps({"code": "rate_limit_exceeded", "detail": "Too many requests"})
        route.fulfill(status=429, body=body, headers={"Retry-After": "5"})

    person.open("sent")
    expect(person.heading("Nothing sent yet")).to_be_visible()
    person.page.route("**/api/sendbox?*", reject)
    expect(person.page.get_by_role("alert")).to_contain_text("Too many requests")
    person.page.wait_for_timeout(4 * SECONDS)
    assert len(asked) == 1
    expect(person.heading("Nothing sent yet")).to_be_visible()


@pytest.mark.slow
def test_pages(person: Person, sender: Sender) -> None:
    send_many(person, sender, 60)
    person.open("sent")
    expect(person.messages()).to_have_count(25)
    older = person.page.get_by_role("link", name="Older")
    seen = person.messages().all_inner_texts()
    older.click()
    expect(person.messages().first).not_to_have_text(seen[0], use_inner_text=True)
    expect(person.heading("Sent")).to_be_focused()
    seen += person.messages().all_inner_texts()
    older.click()
    expect(person.messages()).to_have_count(10)
    seen += person.messages().all_inner_texts()
    assert len({line for text in seen for line in text.split("\n") if "number" in line}) == 60
    expect(older).not_to_be_visible()
    person.page.get_by_role("link", name="Newer").click()
    expect(person.messages()).to_have_count(25)
    person.page.get_by_role("link", name="Newest").click()
    expect(older).to_be_visible()
    expect(person.page.get_by_role("link", name="Newer")).not_to_be_visible()


def test_one_message_with_its_history(person: Person, sender: Sender) -> None:
    sent = person.api.send(
        sender,
        to_mail="bounced@test.invalid",
        subject="A whole one",
        reply_to="questions@example.com",
        tags=[{"name": "kind", "value": "invoice"}],
        headers={"X-Order": "4711"},
    ).json()
    person.open("sent")
    person.page.get_by_role("link", name="A whole one").click()
    main = person.page.get_by_role("main")
    for text in (
        "Returned by the recipient's server",
        "questions@example.com",
        "kind: invoice",
        sent["id"],
        sent["message_id"],
    ):
        expect(main).to_contain_text(text)
    expect(person.heading("A whole one")).to_be_focused()
    # The provider accepted the message, and then it bounced.
    expect(person.page.locator(".page-head .badge")).to_have_text("Bounced")


@pytest.mark.slow
@pytest.mark.parametrize("html", [None, "<p>Grüße &amp; <b>mehr</b></p>"], ids=["text", "both"])
def test_the_source_of_a_message_can_be_saved(
    person: Person, sender: Sender, tmp_path: Path, html: str | None
) -> None:
    subject = "Grüße aus München, 会议通知 und noch viel mehr, damit die Zeile lang wird"
    sent = person.api.post(
        "/emails",
        {
            "from": f"Alice Ä <{sender.address}>",
            "to": ["Bob Ü <bob@example.net>", "carol@example.org"],
            "bcc": "hidden@example.org",
            "subject": subject,
            "text": "Hé",
            "html": html,
            "headers": {"X-Order": "4711"},
        },
        headers=sender.headers,
    )
    person.open(f"sent/{sent.json()['id']}")
    person.page.get_by_role("tab", name="Header").click()
    expect(person.page.get_by_role("tabpanel")).to_contain_text("X-Order4711")
    expect(person.page.get_by_role("tabpanel")).not_to_contain_text("hidden@example.org")
    with person.page.expect_download() as saved:
        person.button("Download .eml").click()
    saved.value.save_as(tmp_path / "message.eml")
    source = (tmp_path / "message.eml").read_bytes()
    assert max(map(len, source.split(b"\r\n"))) <= 100
    mail = message_from_bytes(source, policy=policy.default)
    assert not mail.defects
    assert mail["Subject"] == subject
    assert [str(one) for one in mail["To"].addresses] == [
        "Bob Ü <bob@example.net>",
        "carol@example.org",
    ]
    assert mail["From"].addresses[0].display_name == "Alice Ä"
    assert (mail["X-Order"], mail["Bcc"]) == ("4711", None)
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "Hé"
    rich = mail.get_body(("html",))
    assert (rich and rich.get_content()) == html


@pytest.mark.slow
def test_ids_are_copied(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender).json()
    person.open(f"sent/{sent['id']}")
    for name in ("Id", "Message-ID", "Request id"):
        person.button(f"Copy: {name}").click()
        copied = person.page.evaluate("navigator.clipboard.readText()")
        assert copied in person.page.locator("dl.facts").last.inner_text()


@pytest.mark.slow
def test_the_history_shows_what_the_relay_has_changed(person: Person, sender: Sender) -> None:
    sentences = ["Delivered-To left out", "<b>a.txt</b> renamed"]
    sent = [person.api.send(sender, adaptations=given).json()["id"] for given in (sentences, [])]
    person.open(f"sent/{sent[0]}")
    changed = person.page.locator(".history > li", has_text="The SMTP relay changed the mail")
    expect(changed).to_have_count(1)
    expect(changed.get_by_role("listitem")).to_have_text(sentences)
    person.open(f"sent/{sent[1]}")
    expect(person.page.locator(".history > li")).to_have_count(2)
    expect(person.page.get_by_text("The SMTP relay")).to_have_count(0)


@pytest.mark.slow
def test_a_copy_is_a_new_message(person: Person, sender: Sender) -> None:
    sent = person.api.send(
        sender,
        subject="Once more",
        to=["Bob <bob@example.net>"],
        cc="carol@example.net",
        tags=[{"name": "kind", "value": "copy"}],
    ).json()
    person.open(f"sent/{sent['id']}")
    person.button("Copy as new").click()
    expect(person.page.get_by_text("Not copied: Tags")).to_be_visible()
    expect(person.field("Subject")).to_have_value("Once more")
    expect(person.chips("To")).to_have_text(
        ["A Recipient <recipient@example.net>", "Bob <bob@example.net>"]
    )
    expect(person.chips("Cc")).to_have_text(["carol@example.net"])
    person.send()
    expect(person.heading("History")).to_be_visible()
    assert len(person.api.sent_by(sender)) == 2


@pytest.mark.slow
def test_a_copy_asks_before_it_replaces_a_draft(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, subject="The copied one").json()
    person.open("compose")
    person.write(subject="The unfinished one")
    person.open(f"sent/{sent['id']}")
    person.button("Copy as new").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(person.button("Copy as new")).to_be_focused()
    person.button("Copy as new").click()
    dialog.get_by_role("button", name="Replace draft").click()
    expect(person.field("Subject")).to_have_value("The copied one")


@pytest.mark.slow
def test_a_scheduled_message_is_rescheduled_and_cancelled(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, scheduled_at=in_two_days()).json()
    person.open(f"sent/{sent['id']}")
    person.button("Change the time").click()
    dialog = person.page.get_by_role("dialog")
    person.field("Send at").fill("2199-01-01T00:00")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("30 days")
    later = datetime.now() + timedelta(days=3)
    person.field("Send at").fill(later.strftime("%Y-%m-%dT%H:%M"))
    dialog.get_by_role("button", name="Save").click()
    expect(person.page.get_by_text("Rescheduled")).to_be_visible()
    person.button("Cancel sending").click()
    dialog.get_by_role("button", name="Cancel sending").click()
    # The dialog closes when the message is loaded again. It has a button of the same name.
    expect(dialog).not_to_be_visible()
    expect(person.page.get_by_role("main").get_by_text("Cancelled").first).to_be_visible()
    assert person.api.message(sender, sent["id"])["status"] == "cancelled"
    expect(person.button("Cancel sending")).not_to_be_visible()


def test_deleting_one_and_all(person: Person, sender: Sender) -> None:
    for subject in ("One", "Two", "Three"):
        sent = person.api.send(sender, subject=subject).json()
    person.open(f"sent/{sent['id']}")
    person.button("Delete").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(person.messages()).to_have_count(2)
    person.page.locator("summary", has_text="More").click()
    person.button("Delete all").click()
    person.page.get_by_role("dialog").get_by_role("button", name="Delete all").click()
    expect(person.heading("Nothing sent yet")).to_be_visible()
    assert person.api.get("/api/sendbox", headers=sender.headers).json()["count"] == 0


@pytest.mark.slow
def test_a_message_with_an_unreadable_summary_is_shown(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, content="Still here").json()

    def spoil(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={**body, "raw": "{"})

    person.page.route("**/api/sendbox/*", spoil)
    person.open(f"sent/{sent['id']}")
    expect(person.heading("(no subject)")).to_be_visible()
    expect(person.page.get_by_text("Still here")).to_be_visible()


@pytest.mark.slow
def test_a_message_of_another_address_is_not_found(person: Person, sender: Sender) -> None:
    sent = person.api.send(person.api.new_sender()).json()
    person.open(f"sent/{sent['id']}")
    expect(person.heading("Message not found").first).to_be_visible()


@pytest.mark.slow
def test_the_text_of_a_message_is_shown_unchanged(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, content="Line 1\n  Line <b>2</b>\n").json()
    person.open(f"sent/{sent['id']}")
    shown = person.page.locator(".message-text")
    expect(shown).to_have_js_property("textContent", "Line 1\n  Line <b>2</b>\n")
    assert json.loads(person.api.message(sender, sent["id"])["raw"])["is_html"] is False


@pytest.mark.slow
def test_a_text_that_is_not_shown_whole_says_so_and_is_not_copied(
    person: Person, sender: Sender
) -> None:
    sent = person.api.send(sender, content="word " * 300_000).json()
    person.open(f"sent/{sent['id']}")
    expect(person.page.get_by_text("Only its beginning is shown here")).to_be_visible()
    person.button("Copy as new").click()
    expect(person.page.get_by_text("The message is not copied")).to_be_visible()
    person.open("compose")
    expect(person.field("Subject")).to_have_value("")


@pytest.mark.slow
def test_a_copy_without_the_text_says_so(person: Person, sender: Sender) -> None:
    sent = person.api.send(sender, subject="Once more").json()
    person.api.server.sql("DELETE FROM bodies WHERE message_id = ?", [sent["id"]])
    person.open(f"sent/{sent['id']}")
    expect(person.page.get_by_text("The text is no longer stored")).to_be_visible()
    person.button("Copy as new").click()
    expect(person.page.get_by_text("Not copied: Message")).to_be_visible()
