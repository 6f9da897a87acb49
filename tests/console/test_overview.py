"""The administrators' overview: what became of the mail, the set-up, and the database."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.console.person import Person
from tests.console.screens import used

NAMES = (
    *("bindings", "secrets", "migrations", "cron", "queue"),
    *("domains", "address", "balance", "mail", "events"),
)


def check(name: str, state: str = "ok", details: tuple[str, ...] = (), **more: Any) -> Any:
    return {"name": name, "state": state, "details": details, "at": None, "count": None, **more}


DONE = {
    **{name: check(name) for name in NAMES},
    "cron": check("cron", at="2026-11-20T09:30:00.000Z"),
    "mail": check("mail", at="2026-11-01"),
    "events": check("events", at="2026-11-20"),
}
LACKING = {
    "bindings": check("bindings", "missing", ("SEND_MAIL",)),
    "secrets": check(
        "secrets", "warning", ("JWT_SECRET", "ADMIN_PASSWORDS", "DISABLE_ADMIN_PASSWORD_CHECK")
    ),
    "migrations": check("migrations", "missing", ("0003_login_clients.sql",)),
    "cron": check("cron", "missing", at="2026-11-20T09:30:00.000Z"),
    "queue": check("queue", "warning", ("OUTBOX", "SENDING_PAUSED"), count=12),
    "domains": check("domains", "waiting", ("example.com",)),
    "address": check("address", "waiting"),
    "balance": check("balance", "waiting"),
    "mail": check("mail", "waiting"),
    "events": check("events", "warning"),
}
NOT_SEEN = {
    **DONE,
    "migrations": check("migrations", "unknown", ("0003_login_clients.sql",)),
    "cron": check("cron", "missing"),
    "domains": check("domains", "missing"),
    "events": check("events", "waiting"),
}


def open_overview(
    person: Person, checks: dict[str, Any] | None = None, *, size: int | None = 41_500_672
) -> None:
    """Open the overview of a deployment with these checks; None for the real one."""

    def respond(route: Route) -> None:
        database = {"size": size, "limit": 500_000_000}
        shown = {"version": "v0.1.0", "database": database, "checks": [*(checks or {}).values()]}
        route.fulfill(json=shown)

    if checks is not None:
        person.page.route("**/admin/overview", respond)
    person.enter_administration()
    person.open("admin")
    expect(person.heading("This deployment")).to_be_visible()


def dns(person: Person, **states: str) -> None:
    """Let each check of DNS records find these states."""

    def respond(route: Route) -> None:
        records: list[dict[str, Any]] = [
            {
                "kind": kind,
                "name": "n.example",
                "type": "TXT",
                "state": states.get(kind, "ok"),
                "found": [],
                "expected": [],
                "policy": None,
            }
            for kind in ("spf", "dkim", "dmarc", "mx")
        ]
        route.fulfill(json={"domain": "example.com", "records": records})

    person.page.route("**/admin/domains/*/dns", respond)


def figure(person: Person, name: str) -> str:
    terms = person.page.locator(".numbers .card").filter(has_text=name)
    return " ".join(terms.locator("dd").inner_text().split())


@pytest.mark.slow
def test_the_mail_of_today_and_of_a_month_is_shown(person: Person) -> None:
    dns(person)
    sender = person.api.new_sender()
    for days_ago in (0, 29, 30):
        used(person, sender, days_ago, 5, 2, delivered=4, bounced=1)
    open_overview(person)
    usage = person.api.admin("GET", "/admin/usage").json()["days"]
    today = datetime.now(UTC).date()
    recent = [
        one for one in usage if (today - datetime.strptime(one["day"], "%Y-%m-%d").date()).days < 30
    ]
    for name in ("sent", "delivered", "bounced", "failed"):
        of_today, of_month = recent[-1][name], sum(one[name] for one in recent)
        expect(person.page.locator(".numbers").first).to_contain_text(f"{of_month} in 30 days")
        assert figure(person, f"{name.capitalize()} today") == f"{of_today} {of_month} in 30 days"


def test_the_checklist_is_that_of_the_server(person: Person) -> None:
    dns(person)
    person.api.server.run_cron()
    open_overview(person)
    facts = person.page.locator("dl.facts")
    expect(facts).to_contain_text("v0.1.0")
    expect(facts).to_contain_text("of 500 MB")
    expect(facts).to_contain_text("Last cron run seen")
    person.page.get_by_text("Show what is done").click()
    expect(person.page.get_by_text("The Worker has all bindings.")).to_be_visible()
    expect(person.page.get_by_text("The database has the tables of this version.")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("checks", [DONE, LACKING, NOT_SEEN], ids=["done", "lacking", "not seen"])
def test_every_state_has_words_and_is_accessible(
    person: Person, checks: dict[str, Any], language: str
) -> None:
    dns(person)
    open_overview(person, checks)
    person.page.locator("select").first.select_option(language)
    for summary in person.page.locator(".card details summary").all():
        summary.click()
    expect(person.page.locator(".checks > li")).to_have_count(11)
    shown = person.page.locator(".checks").all_inner_texts()
    assert not [word for text in shown for word in ("undefined", "null", "NaN") if word in text]
    assert person.violations() == []
    for width in (1200, 768, 360, 320):
        person.page.set_viewport_size({"width": width, "height": 800})
        assert not person.is_wider_than_the_screen()


@pytest.mark.slow
def test_what_is_lacking_comes_with_its_command_or_link(person: Person) -> None:
    dns(person)
    open_overview(person, LACKING)
    steps = person.page.locator(".checks > li")
    for title, advice in {
        "Bindings": "make deploy",
        "Secrets": "npx wrangler secret put JWT_SECRET",
        "Queue": "npx wrangler tail",
        "Sending domains": "npx wrangler email sending enable example.com",
    }.items():
        expect(steps.filter(has=person.heading(title)).first).to_contain_text(advice)
    expect(person.page.get_by_role("link", name="Grant a balance")).to_be_visible()
    expect(person.page.get_by_role("link", name="Write a mail")).to_be_visible()
    person.button("Copy: the command npx wrangler tail").click()
    assert person.clipboard() == "npx wrangler tail"
    person.page.get_by_role("link", name="Create an address").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Addresses")


@pytest.mark.slow
def test_the_dns_records_of_a_new_domain_are_checked_at_once(person: Person) -> None:
    dns(person, spf="missing", mx="wrong")
    open_overview(person, {**DONE, "domains": LACKING["domains"]})
    step = person.page.locator(".checks > li").filter(has=person.heading("DNS records"))
    expect(step).to_contain_text("example.com: missing or wrong: SPF, MX.")
    expect(step).to_contain_text("Missing")
    person.page.unroute("**/admin/domains/*/dns")
    dns(person)
    person.button("Check again").click()
    expect(step).to_contain_text("example.com: SPF, DKIM, DMARC and MX are set.")


@pytest.mark.slow
def test_the_dns_records_of_used_domains_are_checked_by_a_click(person: Person) -> None:
    dns(person, dmarc="weak")
    open_overview(person, DONE)
    person.page.get_by_text("Show what is done").click()
    step = person.page.locator(".checks > li").filter(has=person.heading("DNS records"))
    expect(step).not_to_contain_text("example.com")
    person.button("Check DNS records").click()
    expect(step).to_contain_text("The DMARC policy lets forged mail through.")


@pytest.mark.slow
def test_a_nearly_full_database_is_noticed(person: Person) -> None:
    open_overview(person, DONE, size=450_000_000)
    expect(person.page.get_by_text("The database is nearly full.")).to_be_visible()
    expect(person.page.locator("dl.facts")).to_contain_text("450 MB of 500 MB (90%)")


@pytest.mark.slow
def test_the_overview_is_shown_without_the_state(person: Person) -> None:
    person.page.route("**/admin/overview", lambda route: route.fulfill(status=503, body="{}"))
    person.enter_administration()
    person.open("admin")
    expect(person.page.get_by_text("Sent today")).to_be_visible()
    expect(person.button("Try again")).to_be_visible()
