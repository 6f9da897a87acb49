"""Functions that open the screens of the webhooks, filled with data."""

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from mail.webhook_events import EVENTS
from tests.console.person import Person
from tests.e2e.api import ADMIN_PASSWORD, Sender

ENDPOINT = "https://hooks.example.net/mail"
LONG_ENDPOINT = f"{ENDPOINT}/{'long-path/' * 9}end?{'token=' + 'x' * 120}"

_HOUR = 3_600_000
_TEXT = '{"error": "the queue of the shop is full, <b>please</b> try again later"}'

# Of each delivery: the type of its event, its status, and code, error and response of its attempts.
_Attempt = tuple[int | None, str | None, str | None]
_DELIVERIES: tuple[tuple[str, str, tuple[_Attempt, ...]], ...] = (
    ("email.sent", "success", ((204, None, ""),)),
    ("email.delivery_delayed", "success", ((500, None, _TEXT), (200, None, "thank you"))),
    ("email.bounced", "failed", ((404, None, "x" * 1024),) * 8),
    ("email.delivered", "pending", ((None, "no response within 15 s", None),)),
    ("suppression.added", "pending", ((None, "The connection was refused", None),)),
    ("address.paused", "pending", ()),
)


class Owner:
    """Calls to ``/webhooks`` as ``sender``, or to ``/admin/webhooks`` without one."""

    def __init__(self, person: Person, sender: Sender | None) -> None:
        self._person = person
        self.sender = sender
        self.base = "webhooks" if sender else "admin/webhooks"
        self._headers = sender.headers if sender else {"x-admin-auth": ADMIN_PASSWORD}

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        """Call the API and return its response."""
        response = self._person.api.call(
            method, f"/{self.base}{path}", json=body, headers=self._headers
        )
        assert response.status_code == 200, response.text
        return response.json()

    def create(self, endpoint: str = ENDPOINT, events: tuple[str, ...] = EVENTS) -> str:
        """Create a webhook and return its id."""
        webhook_id: str = self.call("POST", "", {"endpoint": endpoint, "events": events})["id"]
        return webhook_id

    def webhooks(self) -> list[Any]:
        """All webhooks, newest first."""
        found: list[Any] = self.call("GET", "?limit=100")["data"]
        return found

    def remove_all(self) -> None:
        """Remove all webhooks."""
        for row in self.webhooks():
            self.call("DELETE", f"/{row['id']}")


def owner(person: Person) -> Owner:
    """Sign in as a new address."""
    return Owner(person, person.sign_in())


def administrator(person: Person) -> Owner:
    """Sign in as the administrator, who has no webhooks yet."""
    person.enter_administration()
    found = Owner(person, None)
    found.remove_all()
    return found


def fill_log(person: Person, webhook_id: str, *, times: int = 1) -> None:
    """Give a webhook deliveries of every status, ``times`` of each kind."""
    now = int(time.time() * 1000)
    rows, attempts = [], []
    for number in range(times * len(_DELIVERIES)):
        event, status, tried = _DELIVERIES[number % len(_DELIVERIES)]
        delivery_id = f"019a9f60-7c3e-7b1a-9d2e-{9_999_999 - number:012}"
        at = now - number * _HOUR
        is_waiting = status == "pending"
        rows.append([delivery_id, event, status, len(tried), at, is_waiting])
        for place, (code, error, response) in enumerate(tried, start=1):
            attempts.append([delivery_id, place, at + place * 1000, code, error, response])
    person.api.server.sql(
        "INSERT INTO webhook_deliveries"
        " (webhook_id, id, type, status, attempt, created_at, next_attempt_at, finished_at)"
        " SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,"
        f" iif(value ->> 5, {now} + {9 * _HOUR}, NULL), iif(value ->> 5, NULL, value ->> 4)"
        " FROM json_each(?2)",
        [webhook_id, json.dumps(rows)],
    )
    person.api.server.sql(
        "INSERT INTO webhook_attempts"
        " (webhook_id, delivery_id, number, started_at, milliseconds, code, error, response)"
        " SELECT ?1, value ->> 0, value ->> 1, value ->> 2, 120, value ->> 3, value ->> 4,"
        " value ->> 5 FROM json_each(?2)",
        [webhook_id, json.dumps(attempts)],
    )


def disable(person: Person, webhook_id: str, reason: str) -> None:
    """Disable a webhook as the service does."""
    person.api.server.sql("UPDATE webhooks SET disabled_by = ? WHERE id = ?", [reason, webhook_id])


def fail(person: Person, webhook_id: str) -> None:
    """Let a webhook have failed since an hour."""
    since = int(time.time() * 1000) - _HOUR
    person.api.server.sql("UPDATE webhooks SET failing_since = ? WHERE id = ?", [since, webhook_id])


def open_webhook(person: Person, of: Owner, webhook_id: str) -> None:
    """Open the page of a webhook."""
    person.open(f"{of.base}/{webhook_id}")
    expect(person.page.locator(".skeleton")).to_have_count(0)


def webhooks_empty(person: Person) -> None:
    of = owner(person)
    person.open(of.base)
    expect(person.page.locator(".empty")).to_be_visible()


def _several(person: Person, of: Owner) -> None:
    for reason in ("owner", "gone", "failing"):
        disable(person, of.create(f"{ENDPOINT}/{reason}", ("email.bounced",)), reason)
    of.create(LONG_ENDPOINT)
    fail(person, of.create(f"{ENDPOINT}/new", EVENTS[:3]))
    person.open(of.base)
    expect(person.page.get_by_role("table").first).to_be_visible()
    expect(person.page.locator(".skeleton")).to_have_count(0)


def webhooks(person: Person) -> None:
    _several(person, owner(person))


def webhooks_of_all(person: Person) -> None:
    sender = person.api.new_sender()
    gone = Owner(person, sender).create()
    disable(person, gone, "gone")
    _several(person, administrator(person))


def webhook(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create(LONG_ENDPOINT, EVENTS[:-1])
    fill_log(person, webhook_id)
    fail(person, webhook_id)
    open_webhook(person, of, webhook_id)


def webhook_disabled(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    disable(person, webhook_id, "failing")
    open_webhook(person, of, webhook_id)


def webhook_form(person: Person) -> None:
    of = owner(person)
    person.open(of.base)
    person.page.locator(".page-head button").click()
    dialog = person.page.get_by_role("dialog")
    dialog.locator("button[type=submit]").click()
    expect(dialog.locator(".error")).to_have_count(2)


def webhook_delivery(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create()
    fill_log(person, webhook_id)
    open_webhook(person, of, webhook_id)
    person.page.get_by_role("row").nth(2).get_by_role("button").click()
    expect(person.page.get_by_role("dialog")).to_be_visible()


def webhook_removal(person: Person) -> None:
    of = owner(person)
    webhook_id = of.create(LONG_ENDPOINT)
    open_webhook(person, of, webhook_id)
    person.page.locator(".card").first.get_by_role("button").last.click()
    expect(person.page.get_by_role("dialog")).to_be_visible()


WEBHOOK_SCREENS: dict[str, Callable[[Person], None]] = {
    screen.__name__: screen
    for screen in (
        webhooks_empty,
        webhooks,
        webhooks_of_all,
        webhook,
        webhook_disabled,
        webhook_form,
        webhook_delivery,
        webhook_removal,
    )
}
