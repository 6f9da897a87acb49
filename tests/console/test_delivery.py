"""What became of sent messages: the badges, the filter, and the story of each recipient."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.person import Person
from tests.e2e.api import Sender

# Events of recipients: the kind, columns of the event, and the sentences that the page shows.
STORIES: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "bounced",
        {
            "is_permanent": 0,
            "smtp_code": "452",
            "enhanced_code": "4.2.2",
            "response": "452 4.2.2 <b>Over</b> quota",
        },
        "Mailbox full. The mail was not delivered. All attempts failed, but a later mail may "
        "arrive. The receiving server said: 452 4.2.2 <b>Over</b> quota",
    ),
    (
        "bounced",
        {"is_permanent": 1, "smtp_code": "550", "response": "550 5.1.1 No such user"},
        "The mailbox does not exist. The mail was not delivered, and another attempt would fail "
        "too. The receiving server said: 550 5.1.1 No such user",
    ),
    ("bounced", {"smtp_code": "550"}, "The mail was not delivered."),
    (
        "bounced",
        {"is_permanent": 1, "enhanced_code": "5.7.26"},
        "The receiving server could not verify the sender (SPF, DKIM or DMARC).",
    ),
    (
        "delayed",
        {"smtp_code": "450", "enhanced_code": "4.7.1"},
        "The receiving server is busy and accepts the mail later. The mail is not delivered yet. "
        "The mail provider tries again.",
    ),
    ("delayed", {}, "No receiving server answered. The mail is not delivered yet."),
    (
        "rejected",
        {"reason": "suppressed", "response": "on the list"},
        "The recipient is on the mail provider's suppression list. The mail provider did not send "
        "the mail to this recipient. The mail provider said: on the list",
    ),
    ("failed", {"reason": "delivery_failed"}, "The mail provider could not deliver the mail."),
    (
        "delivered",
        {"smtp_code": "250", "enhanced_code": "2.0.0", "response": "250 2.0.0 OK"},
        "The receiving server accepted the mail. The receiving server said: 250 2.0.0 OK",
    ),
    ("complained", {"reason": "abuse"}, "The recipient reported the mail as spam."),
)


@pytest.fixture
def sender(person: Person) -> Sender:
    return person.sign_in()


def sent(person: Person, sender: Sender, subject: str, recipients: int = 1) -> str:
    """Send a message to ``recipients`` addresses and return its id."""
    to = [f"r{n}@example.net" for n in range(recipients)]
    response = person.api.send(sender, subject=subject, to_mail=None, to=to)
    message_id: str = response.json()["id"]
    return message_id


def happened(person: Person, message_id: str, position: int, kind: str, **columns: Any) -> None:
    """Record a delivery event for the recipient at this position, but not the sum."""
    row = {
        "message_id": message_id,
        "event_id": f"{position}-{kind}",
        "position": position,
        "kind": kind,
        "occurred_at": 1_795_000_000_000,
        "received_at": 1_795_000_000_000,
        **columns,
    }
    places = ", ".join("?" * len(row))
    sql = f"INSERT INTO delivery_events ({', '.join(row)}) VALUES ({places})"
    person.api.server.sql(sql, [*row.values()])


def summed(person: Person, message_id: str, kind: str, count: int = 1) -> None:
    """Give the message this delivery status."""
    sql = "UPDATE messages SET delivery_status = ?, delivery_count = ? WHERE id = ?"
    person.api.server.sql(sql, [kind, count, message_id])


def some_messages(person: Person, sender: Sender) -> None:
    """Five messages: one bounced for one of three recipients, two delayed, two without problems."""
    for subject, kind in (("One", "bounced"), ("Two", "delayed"), ("Three", "delayed")):
        summed(person, sent(person, sender, subject, 3 if kind == "bounced" else 1), kind)
    summed(person, sent(person, sender, "Four"), "delivered")
    sent(person, sender, "Five")


def delivery_in(page: Page) -> str | None:
    """The filter in the address of the page."""
    query = page.url.partition("#")[2].partition("?")[2]
    return dict(pair.split("=") for pair in query.split("&") if pair).get("delivery")


@pytest.mark.slow
def test_the_badge_says_how_many_recipients_have_the_status(person: Person, sender: Sender) -> None:
    some_messages(person, sender)
    person.open("sent")
    badges = person.page.locator(".messages .badge")
    texts = ["Sent", "Delivered", "Delayed", "Delayed", "Bounced: 1 of 3"]
    expect(badges).to_have_text(texts)
    expect(badges.last).to_contain_class("bad")
    person.enter_administration()
    person.open(f"admin/sent?address={sender.address}")
    expect(person.page.locator(".messages .badge")).to_have_text(texts)


@pytest.mark.slow
def test_the_filter_is_part_of_the_address(person: Person, sender: Sender) -> None:
    some_messages(person, sender)
    person.open("sent")
    expect(person.messages()).to_have_count(5)
    person.field("Status").focus()
    person.field("Status").select_option("Delayed")
    expect(person.messages()).to_have_count(2)
    assert delivery_in(person.page) == "delayed"
    expect(person.field("Status")).to_be_focused()
    person.page.reload()
    expect(person.messages()).to_have_count(2)
    expect(person.field("Status")).to_have_value("delivery-delayed")
    person.page.get_by_role("link", name="Three").click()
    expect(person.heading("Three")).to_be_visible()
    person.page.go_back()
    expect(person.messages()).to_have_count(2)
    expect(person.field("Status")).to_have_value("delivery-delayed")
    person.page.go_back()
    expect(person.messages()).to_have_count(5)
    expect(person.field("Status")).to_have_value("")
    person.page.go_forward()
    expect(person.messages()).to_have_count(2)


@pytest.mark.slow
def test_a_filter_without_messages_and_a_search(person: Person, sender: Sender) -> None:
    some_messages(person, sender)
    person.open("sent?delivery=complained")
    expect(person.page.get_by_text("No message matches all of these filters")).to_be_visible()
    expect(person.field("Status")).to_have_value("delivery-complained")
    person.field("Status").select_option("Delayed")
    expect(person.messages()).to_have_count(2)
    person.field("Search").fill("Three")
    expect(person.messages()).to_contain_text(["Three"])
    expect(person.field("Status")).to_have_value("delivery-delayed")
    person.field("Search").fill("Four")
    text = "No message matches all of these filters"
    expect(person.page.get_by_text(text)).to_be_visible()
    person.field("Status").select_option("All messages")
    expect(person.messages()).to_contain_text(["Four"])
    expect(person.field("Search")).to_have_value("Four")
    person.open("sent?delivery=nonsense")
    expect(person.messages()).to_have_count(5)


@pytest.mark.slow
def test_the_administrator_filters_too(person: Person, sender: Sender) -> None:
    some_messages(person, sender)
    person.enter_administration()
    person.open(f"admin/sent?address={sender.address}")
    rows = person.messages()
    expect(rows).to_have_count(5)
    person.field("Status").select_option("Delayed")
    expect(rows).to_have_count(2)
    assert delivery_in(person.page) == "delayed"
    person.page.reload()
    expect(rows).to_have_count(2)
    person.field("Status").select_option("Reported as spam")
    expect(person.page.get_by_text("No message matches")).to_be_visible()
    person.page.go_back()
    expect(rows).to_have_count(2)
    person.page.go_back()
    expect(rows).to_have_count(5)


def test_each_recipient_has_a_story(person: Person, sender: Sender) -> None:
    message_id = sent(person, sender, "Stories", len(STORIES) + 1)
    for position, (kind, columns, _) in enumerate(STORIES):
        happened(person, message_id, position, kind, **columns)
    summed(person, message_id, "complained")
    person.open(f"sent/{message_id}")
    expect(person.page.locator(".page-head .badge")).to_have_text("Reported as spam: 1 of 11")
    recipients = person.page.locator(".recipients > li")
    expect(recipients).to_have_count(5)
    expect(recipients.filter(has_text="Reported as spam")).to_have_count(1)
    person.button(f"Show all {len(STORIES) + 1} recipients").click()
    expect(recipients).to_have_count(len(STORIES) + 1)
    for position, (_, columns, story) in enumerate(STORIES):
        shown = recipients.nth(position)
        expect(shown.locator(".badge")).to_have_count(1)
        text = " ".join(shown.locator(".story").inner_text().split())
        assert text.startswith(story), (story, text)
        for name in ("smtp_code", "enhanced_code", "reason"):
            assert str(columns.get(name, "")) in text
        assert "Nov" in text  # the time of the event
    # No event has arrived for the last one.
    expect(recipients.last.locator(".badge")).to_have_text("Sent")
    expect(recipients.last.locator(".story")).to_have_count(0)
    history = person.page.locator(".history > li")
    failed = history.filter(has_text="Delivery failed")
    expect(failed).to_contain_text("reason: delivery_failed")
    expect(history.filter(has_text="Mailbox full.")).to_contain_text("SMTP 452 · 4.2.2")
    person.page.get_by_label("Language").select_option("zh")
    expect(recipients.first).to_contain_text("邮箱已满。")


@pytest.mark.slow
def test_a_bounce_of_the_sandbox_is_told(person: Person, sender: Sender) -> None:
    body = {"to_mail": "bounced@test.invalid", "subject": "Returned"}
    message_id = person.api.send(sender, **body).json()["id"]
    person.open(f"sent/{message_id}")
    story = person.page.locator(".recipients .story")
    expect(story).to_contain_text("The mailbox does not exist.")
    expect(story).to_contain_text("550 5.1.1 The mailbox does not exist")


@pytest.mark.slow
def test_the_history_says_how_an_unknown_outcome_was_settled(
    person: Person, sender: Sender
) -> None:
    message_id = sent(person, sender, "Settled")
    sql = "UPDATE events SET settled_by = 'e1' WHERE message_id = ? AND kind = 'sent'"
    person.api.server.sql(sql, [message_id])
    person.open(f"sent/{message_id}")
    event = person.page.locator(".history > li", has_text="Accepted by the provider")
    expect(event).to_contain_text("Reported by a later delivery event")
