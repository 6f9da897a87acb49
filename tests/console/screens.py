"""Functions that open every screen of the console."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.console.person import Person
from tests.e2e.api import Sender

HTML = """
<div style="max-width:34rem;margin:auto;font-family:Georgia,serif">
  <h1 style="color:#3b5bdb">Your order is on its way</h1>
  <p>Thank you for your order <b>4711</b>. It left our house this morning.</p>
  <p><a href="https://shop.example.com/orders/4711">Follow it</a></p>
  <img src="https://shop.example.com/logo.png" alt="Our logo">
</div>
"""

MAILS = (
    (
        "carol@example.org",
        "Carol",
        "Minutes of Tuesday's meeting",
        "Dear all, here are the minutes.",
    ),
    ("suppressed@test.invalid", "", "Newsletter", "What was new in November."),
    ("bob@example.net", "Bob Baker", "Invoice 4711", "Thank you. The invoice is attached."),
    ("bounced@test.invalid", "Dave", "Are you still there?", "I have not heard from you."),
    ("ratelimited@test.invalid", "Erin", "Reminder", "The library wants its book back."),
    ("delivered@test.invalid", "王小明", "会议通知", "周二下午三点开会，请准时参加。"),
)


# As of a mail that the SMTP relay submitted. A field name can be long and without a space.
ADAPTATIONS = [
    "Delivered-To left out",
    "text/calendar alternative attached as invite.ics",
    f"X-{'Very-Long-Name-' * 6}Of-A-Field left out",
]


def used(
    person: Person,
    sender: Sender,
    days_ago: int,
    taken: int,
    rejected: int,
    *,
    delivered: int = 0,
    bounced: int = 0,
    complained: int = 0,
) -> None:
    """Record this usage of ``sender`` for a past day."""
    day = (datetime.now(UTC) - timedelta(days=days_ago)).strftime("%Y-%m-%d")
    person.api.server.sql(
        "INSERT INTO usage_days (day, address_id, sent, failed, unknown, cancelled,"
        " delivered, bounced, complained) VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?)",
        [day, sender.address_id, taken, rejected, delivered, bounced, complained],
    )


def history(person: Person, sender: Sender) -> str:
    """Send some messages as ``sender``; return the id of one with HTML."""
    for to_mail, to_name, subject, content in MAILS:
        person.api.send(sender, to_mail=to_mail, to_name=to_name, subject=subject, content=content)
    sent = person.api.send(
        sender,
        to_mail="delivered@test.invalid",
        to_name="Frank",
        subject="Your order is on its way",
        content=HTML,
        is_html=True,
        adaptations=ADAPTATIONS,
    ).json()
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    person.api.send(sender, subject="Happy birthday", scheduled_at=later)
    message_id: str = sent["id"]
    return message_id


def start(person: Person) -> None:
    person.open()


def compose(person: Person) -> None:
    person.sign_in()
    person.open("compose")
    person.write(
        to="Bob Baker <bob@example.net>",
        subject="Invoice 4711",
        message="Hello Bob,\n\nthe invoice is attached. It is due on December 1.\n\nAlice",
    )
    person.attach("invoice-4711.pdf", bytes(184_000), kind="application/pdf")


def compose_with_errors(person: Person) -> None:
    person.sign_in()
    person.open("compose")
    person.write(to="bob@example.net, carol", cc="dave@example.net", html=HTML)
    person.send()
    person.error_at("To")
    person.page.get_by_role("tab", name="Preview").click()
    expect(person.preview().locator("h1")).to_be_visible()


def sent(person: Person) -> None:
    history(person, person.sign_in())
    person.open("sent")
    expect(person.messages()).to_have_count(len(MAILS) + 2)


def sent_empty(person: Person) -> None:
    person.sign_in()
    person.open("sent")
    expect(person.heading("Nothing sent yet")).to_be_visible()


def message(person: Person) -> None:
    sender = person.sign_in()
    person.open(f"sent/{history(person, sender)}")
    expect(person.preview().locator("h1")).to_be_visible()


def password(person: Person) -> None:
    person.sign_in()
    person.open("password")


def dialog(person: Person) -> None:
    person.sign_in()
    person.open("password")
    person.button("Replace credential").click()
    expect(person.page.get_by_role("dialog")).to_be_visible()


def usage(person: Person) -> None:
    sender = person.sign_in()
    days = ((back, 40 + back * 37 % 60, back % 6) for back in range(28) if back % 7 not in (0, 6))
    for back, taken, rejected in days:
        used(person, sender, back, taken, rejected, delivered=taken - back % 3, bounced=back % 3)
    person.open("usage")
    expect(person.page.get_by_role("img")).to_be_visible()


def admin_password(person: Person) -> None:
    person.open("admin")


def not_found(person: Person) -> None:
    person.open("nowhere")


SCREENS: dict[str, Callable[[Person], None]] = {
    screen.__name__: screen
    for screen in (
        start,
        compose,
        compose_with_errors,
        sent,
        sent_empty,
        message,
        password,
        dialog,
        usage,
        admin_password,
        not_found,
    )
}
