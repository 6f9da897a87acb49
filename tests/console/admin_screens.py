"""Functions that open every screen of the administration, filled with data."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.console.person import Person
from tests.console.screens import history, used
from tests.e2e.api import Sender

SECTIONS = {
    "admin": "Administration",
    "admin/addresses": "Addresses",
    "admin/balances": "Balances",
    "admin/sent": "Sent mail",
    "admin/domains": "Domains",
    "admin/transports": "Transports",
    "admin/lists": "Lists",
    "admin/limits": "Limits",
    "admin/suppressions": "Suppressions",
    "admin/pauses": "Pauses",
    "admin/audit": "Audit log",
}


# By the URL of a server: a sender whose data fills the screens.
_senders: dict[str, Sender] = {}


def busy(person: Person) -> Sender:
    """Sign in as the administrator of a service with data; return one of its senders."""
    if person.url not in _senders:
        _senders[person.url] = _in_use(person)
    person.enter_administration()
    return _senders[person.url]


def _in_use(person: Person) -> Sender:
    api = person.api
    sender, asking, paused = (api.new_sender() for _ in range(3))
    history(person, sender)
    for back in range(1, 28):
        used(
            person,
            sender,
            back,
            40 + back * 37 % 60,
            back % 6,
            delivered=40 + back * 37 % 60 - back % 3,
            bounced=back % 3,
        )
    columns = "(address_id, balance, requested_at, created_at)"
    request = f"INSERT INTO send_balances {columns} VALUES (?, 0, ?, ?)"
    api.server.sql(request, [asking.address_id, *[1_795_000_000_000] * 2])
    pause = "INSERT INTO send_pauses (address_id, paused, since) VALUES (?, 1, ?)"
    api.server.sql(pause, [paused.address_id, 1_795_000_000_000])
    for name in ("gone", "moved"):
        body = {"address": f"{name}@example.net", "reason": "hard_bounce"}
        api.admin("POST", "/admin/suppressions", json=body)
    return sender


def _section(place: str, title: str) -> Callable[[Person], None]:
    def show(person: Person) -> None:
        busy(person)
        person.open(place)
        expect(person.page.get_by_role("heading", level=1)).to_have_text(title)
        expect(person.page.locator(".skeleton")).to_have_count(0)

    return show


def admin_address(person: Person) -> None:
    sender = busy(person)
    person.open(f"admin/addresses?q={sender.address}")
    person.button(f"Manage {sender.address}").click()
    person.button("Show credential").click()
    expect(person.button("Hide credential")).to_be_visible()


def admin_grant(person: Person) -> None:
    busy(person)
    person.open("admin/balances")
    person.page.get_by_role("button", name="Grant a balance to").first.click()
    expect(person.page.get_by_role("dialog")).to_be_visible()


def admin_message(person: Person) -> None:
    busy(person)
    person.open("admin/sent")
    person.page.get_by_role("link", name="Your order is on its way").first.click()
    expect(person.preview().locator("h1")).to_be_visible()


def admin_lists_with_errors(person: Person) -> None:
    busy(person)
    person.open("admin/lists")
    person.field("Blocked names").fill("boss\nroot")
    person.field("Blocked recipients").fill("@spam.example\nnot an address")
    person.button("Save").click()
    person.error_at("Blocked recipients")


ADMIN_SCREENS: dict[str, Callable[[Person], None]] = {
    **{place.replace("/", "_"): _section(place, title) for place, title in SECTIONS.items()},
    **{
        screen.__name__: screen
        for screen in (admin_address, admin_grant, admin_message, admin_lists_with_errors)
    },
}
