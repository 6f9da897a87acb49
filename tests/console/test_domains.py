"""The screen Domains of the administration."""

import json
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.console.person import Person

SPF = "v=spf1 include:_spf.mx.cloudflare.net ~all"
RECORDS: list[dict[str, Any]] = [
    {"kind": "spf", "name": "cf-bounce.news.example", "type": "TXT", "state": "missing"},
    {"kind": "dkim", "name": "cf-bounce._domainkey.news.example", "type": "TXT", "state": "wrong"},
    {"kind": "dmarc", "name": "_dmarc.news.example", "type": "TXT", "state": "weak"},
    {"kind": "mx", "name": "cf-bounce.news.example", "type": "MX", "state": "ok"},
]
DETAILS: dict[str, dict[str, Any]] = {
    "spf": {"expected": [SPF]},
    "dkim": {"found": ["v=DKIM1; p="]},
    "dmarc": {"found": ["v=DMARC1; p=none"], "policy": "none"},
    "mx": {"found": ["route1.mx.cloudflare.net"]},
}


@pytest.fixture
def admin(person: Person) -> Person:
    person.enter_administration()
    for domain, days_ago, recipients in (
        ("good.example", 1, 10_000),
        ("never.example", 3, 5),
        ("news.example", 0, 200),
        ("silent.example", 2, 7),
        ("silent.example", 9, 7),
    ):
        person.api.server.sql(
            "INSERT OR REPLACE INTO usage_days"
            " (day, address_id, domain, sent, failed, unknown, cancelled, recipients)"
            " VALUES (date('now', ?), 0, ?, 1, 0, 0, 0, ?)",
            [f"-{days_ago} days", domain, recipients],
        )
    for domain, days_ago, delivered, bounced in (
        ("good.example", 1, 9950, 50),
        ("news.example", 0, 190, 10),
        ("silent.example", 9, 7, 0),
    ):
        person.api.server.sql(
            "INSERT OR REPLACE INTO delivery_days (day, domain, delivered, bounced)"
            " VALUES (date('now', ?), ?, ?, ?)",
            [f"-{days_ago} days", domain, delivered, bounced],
        )
    person.open("admin/domains")
    return person


def card(person: Person, domain: str) -> Locator:
    heading = person.page.get_by_role("heading", name=domain, exact=True)
    return person.page.locator("section.card").filter(has=heading)


@pytest.mark.slow
def test_the_rates_of_a_domain_are_beside_the_marks(admin: Person) -> None:
    good = card(admin, "good.example")
    expect(good).to_contain_text("Reports arrive")
    expect(good.get_by_role("row").nth(1)).to_contain_text("10,000")
    expect(good.locator(".badge.bad")).to_have_count(0)
    news = card(admin, "news.example")
    expect(news.locator(".badge.bad").first).to_have_text("5%")
    expect(news).to_contain_text("Too much mail bounces.")
    expect(news).to_contain_text("below 2%")
    expect(news.get_by_role("img", name="Recipients of news.example")).to_be_visible()


@pytest.mark.slow
def test_a_domain_without_reports_says_what_to_do(admin: Person) -> None:
    never = card(admin, "never.example")
    expect(never).to_contain_text("has not reported anything about this domain")
    expect(never).to_contain_text("Run make deploy")
    expect(never).to_contain_text("On Workers Free")
    expect(never.locator(".badge.good")).to_have_count(0)  # without reports, no rate is known
    silent = card(admin, "silent.example")
    expect(silent).to_contain_text("has reported nothing about mail after")
    expect(silent).to_contain_text("subscription")


def respond_with_records(admin: Person) -> list[str]:
    """Respond to checks with ``RECORDS``; return the list of the requested URLs."""
    empty: dict[str, Any] = {"found": [], "expected": [], "policy": None}
    records = [{**empty, **record, **DETAILS[record["kind"]]} for record in RECORDS]
    body = json.dumps({"domain": "news.example", "records": records})
    requested: list[str] = []

    def respond(route: Any) -> None:
        requested.append(route.request.url)
        route.fulfill(status=200, content_type="application/json", body=body)

    admin.page.route("**/admin/domains/*/dns", respond)
    return requested


def test_the_records_of_a_domain_are_checked_on_demand(admin: Person) -> None:
    requested = respond_with_records(admin)
    expect(card(admin, "news.example")).to_be_visible()
    assert requested == []
    admin.button("Check DNS records of news.example").click()
    shown = card(admin, "news.example").locator(".dns-record")
    expect(shown.nth(0)).to_contain_text("Missing")
    expect(shown.nth(0)).to_contain_text(f'cf-bounce.news.example TXT "{SPF}"')
    expect(shown.nth(1)).to_contain_text("npx wrangler email sending dns get news.example")
    expect(shown.nth(2)).to_contain_text("receivers accept forged mail")
    expect(shown.nth(3)).to_contain_text("Right")
    assert len(requested) == 1
    assert admin.violations() == []
    admin.page.set_viewport_size({"width": 360, "height": 800})
    assert not admin.is_wider_than_the_screen()


@pytest.mark.slow
def test_a_policy_that_holds_for_some_mail_is_explained(
    admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = {"found": ["v=DMARC1; p=reject; pct=0"], "policy": "reject"}
    monkeypatch.setitem(DETAILS, "dmarc", partial)
    respond_with_records(admin)
    admin.button("Check DNS records of news.example").click()
    record = card(admin, "news.example").locator(".dns-record", has_text="DMARC")
    expect(record).to_contain_text("The policy is reject, but pct or t limits it")
    expect(record).not_to_contain_text("receivers reject forged mail")


@pytest.mark.slow
def test_a_failed_check_can_be_repeated(admin: Person) -> None:
    admin.page.route("**/admin/domains/*/dns", lambda route: route.fulfill(status=503, body="{}"))
    admin.button("Check DNS records of news.example").click()
    expect(card(admin, "news.example").get_by_role("alert")).to_contain_text("503")
    expect(admin.button("Check DNS records of news.example")).to_be_enabled()
