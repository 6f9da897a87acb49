"""What became of the mail of each sending domain, and the check of its DNS records."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mail.delivery import DeliveryKind
from tests.api.delivery import event, sent_message
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem

NOTHING = {
    "accepted": 0,
    "delivered": 0,
    "delayed": 0,
    "bounced": 0,
    "failed": 0,
    "rejected": 0,
    "complained": 0,
}
NO_RATES = {"bounce_rate": None, "complaint_rate": None}


@pytest.fixture
def own() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "DOMAINS": ["example.com", "quiet.example"]}) as running:
        yield Api(running)


def client(api: Api) -> TestClient:
    assert isinstance(api.server, TestClient)
    return api.server


def domains(api: Api, query: str = "") -> dict[str, Any]:
    response = api.admin("GET", f"/admin/domains{query}")
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


def domain(api: Api, name: str = "example.com") -> dict[str, Any]:
    (found,) = (one for one in domains(api)["results"] if one["domain"] == name)
    shown: dict[str, Any] = found
    return shown


def day(days_ago: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()


def accepted(api: Api, days_ago: int, recipients: int, name: str = "example.com") -> None:
    """Record that the provider accepted mail to ``recipients``."""
    api.server.sql(
        "INSERT INTO usage_days"
        " (day, address_id, domain, sent, failed, unknown, cancelled, recipients)"
        " VALUES (?, 7, ?, 1, 0, 0, 0, ?)",
        [day(days_ago), name, recipients],
    )


def heard(api: Api, days_ago: int, name: str = "example.com", **numbers: int) -> None:
    """Record numbers of delivery events."""
    columns = ", ".join(["day", "domain", *numbers])
    places = ", ".join("?" * (2 + len(numbers)))
    api.server.sql(
        f"INSERT INTO delivery_days ({columns}) VALUES ({places})",
        [day(days_ago), name, *numbers.values()],
    )


@pytest.mark.contract("GET /admin/domains: Counts the recipients of each sending domain by day")
def test_what_became_of_the_mail_is_counted(own: Api) -> None:
    sender = own.new_sender()
    mails = [sent_message(own, sender) for _ in range(4)]
    kinds: list[DeliveryKind] = ["delivered", "bounced", "complained"]
    for kind, mail in zip(kinds, mails, strict=False):
        client(own).deliver_events([event(kind, mail)] * 2)
    own.send(sender, to_mail="bounced@test.invalid")
    shown = domain(own)
    numbers = {**NOTHING, "accepted": 4, "delivered": 1, "bounced": 1, "complained": 1}
    assert shown["days"] == [{"day": day(0), **numbers}]
    rates = {"bounce_rate": 0.25, "complaint_rate": 0.25}
    assert shown["last_7_days"] == shown["last_30_days"] == {**numbers, **rates}
    assert (shown["state"], shown["last_heard"]) == ("heard", day(0))


def test_a_configured_domain_without_mail_is_listed(own: Api) -> None:
    assert domain(own, "quiet.example") == {
        "domain": "quiet.example",
        "state": "unused",
        "last_heard": None,
        "last_7_days": {**NOTHING, **NO_RATES},
        "last_30_days": {**NOTHING, **NO_RATES},
        "days": [],
    }
    assert domains(own)["marks"] == {"bounce_rate": 0.02, "complaint_rate": 0.001}


def test_the_domains_of_administrators_mail_are_listed(own: Api) -> None:
    mail = {"from": "news@Other.example", "to": "a@example.net", "subject": "S", "text": "T"}
    sent = own.admin("POST", "/admin/send_mail_by_binding", json=mail)
    assert sent.status_code == 200, sent.text
    assert domain(own, "other.example")["days"] == [{"day": day(0), **NOTHING, "accepted": 1}]


def test_the_periods_end_today(own: Api) -> None:
    for days_ago, recipients in ((6, 1), (7, 10), (29, 100), (30, 1000), (89, 10_000)):
        accepted(own, days_ago, recipients)
    accepted(own, 90, 5)
    heard(own, 7, bounced=2, complained=1)
    shown = domain(own)
    assert shown["last_7_days"] == {**NOTHING, "accepted": 1, "bounce_rate": 0, "complaint_rate": 0}
    month = shown["last_30_days"]
    assert (month["accepted"], month["bounced"]) == (111, 2)
    assert (month["bounce_rate"], month["complaint_rate"]) == (0.018018, 0.009009)
    assert [one["day"] for one in shown["days"]] == [day(ago) for ago in (89, 30, 29, 7, 6)]


def test_days_without_counted_recipients_have_no_rate(own: Api) -> None:
    """Bounces arrive for mail that was sent before recipients were counted."""
    heard(own, 8, bounced=3)
    accepted(own, 7, 1)
    heard(own, 7, bounced=3)
    assert domain(own)["last_30_days"] == {**NOTHING, "accepted": 1, "bounced": 6, **NO_RATES}
    accepted(own, 1, 10)
    heard(own, 1, bounced=1)
    assert domain(own)["last_30_days"]["bounce_rate"] == 0.1


@pytest.mark.contract("GET /admin/domains: Says of each domain whether delivery events arrive")
@pytest.mark.parametrize(
    ("sent", "events", "state"),
    [
        ([], [], "unused"),
        ([0], [], "too_early"),
        ([1], [], "too_early"),  # the mail of yesterday may be less than a day old
        ([2], [], "never_heard"),
        ([2, 0], [0], "heard"),
        ([3, 1, 0], [3], "heard"),
        ([3, 2], [3], "silent"),
        ([60], [], "never_heard"),
    ],
)
def test_a_domain_without_events_is_found(
    own: Api, sent: list[int], events: list[int], state: str
) -> None:
    for days_ago in sent:
        accepted(own, days_ago, 1)
    for days_ago in events:
        heard(own, days_ago, delivered=1)
    assert domain(own)["state"] == state


def test_domains_are_listed_in_pages(own: Api) -> None:
    accepted(own, 1, 2, "a.example")
    heard(own, 1, "b.example", failed=1)
    names = ["a.example", "b.example", "example.com", "quiet.example"]
    assert [one["domain"] for one in domains(own)["results"]] == names
    page = domains(own, "?limit=2&offset=1")
    assert [one["domain"] for one in page["results"]] == names[1:3]
    assert page["count"] == 4
    assert page["results"][0]["days"] == [{"day": day(1), **NOTHING, "failed": 1}]
    assert own.admin("GET", "/admin/domains?limit=0").json()["code"] == "invalid_limit"


# DNS

SPF = "v=spf1 include:_spf.mx.cloudflare.net ~all"
BOUNCE, DKIM, DMARC = "cf-bounce.example.com", "cf-bounce._domainkey.example.com", "_dmarc"


def records(api: Api, name: str = "example.com") -> dict[str, dict[str, Any]]:
    response = api.admin("GET", f"/admin/domains/{name}/dns")
    assert response.status_code == 200, response.text
    return {record["kind"]: record for record in response.json()["records"]}


@pytest.mark.contract("GET /admin/domains/{domain}/dns: Checks SPF, DKIM, DMARC and MX")
def test_the_records_of_an_onboarded_domain_are_right(own: Api) -> None:
    client(own).resolver.records = {
        (BOUNCE, "TXT"): [f'"{SPF}"'],
        (BOUNCE, "MX"): ["13 route1.mx.cloudflare.net.", "86 route2.mx.cloudflare.net."],
        (DKIM, "TXT"): ['"v=DKIM1; h=sha256; k=rsa; p=MIIB" "IjAN"'],
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=reject;"'],
    }
    found = records(own, "Example.COM")
    assert {kind: record["state"] for kind, record in found.items()} == dict.fromkeys(
        ("spf", "dkim", "dmarc", "mx"), "ok"
    )
    assert found["spf"]["found"] == [SPF]
    assert found["dkim"]["found"] == ["v=DKIM1; h=sha256; k=rsa; p=MIIBIjAN"]
    assert found["mx"]["found"] == ["route1.mx.cloudflare.net", "route2.mx.cloudflare.net"]
    assert found["dmarc"]["policy"] == "reject"
    assert len(client(own).resolver.urls) == 4


def test_a_missing_record_is_shown_with_the_record_to_set(own: Api) -> None:
    found = records(own)
    assert {record["state"] for record in found.values()} == {"missing"}
    assert found["spf"] == {
        "kind": "spf",
        "name": BOUNCE,
        "type": "TXT",
        "state": "missing",
        "found": [],
        "expected": [SPF],
        "policy": None,
    }
    assert (found["dkim"]["name"], found["dkim"]["expected"]) == (DKIM, [])
    assert found["dmarc"]["name"] == "_dmarc.example.com"
    assert found["dmarc"]["expected"] == ["v=DMARC1; p=reject;"]
    assert found["mx"]["expected"][0] == "route1.mx.cloudflare.net"


def test_a_resolver_that_does_not_respond_is_not_a_missing_record(own: Api) -> None:
    names = [BOUNCE, DKIM, "_dmarc.example.com"]
    client(own).resolver.records = {
        **{(name, "TXT"): TimeoutError() for name in names},
        (BOUNCE, "MX"): TimeoutError(),
    }
    assert {record["state"] for record in records(own).values()} == {"unknown"}
    assert "example.com" not in str(
        [line for line in client(own).log_lines() if line["event"] == "dns_error"]
    )


def test_the_dmarc_record_of_a_parent_applies(own: Api) -> None:
    client(own).resolver.records = {
        ("_dmarc.example.com", "TXT"): ['"v=DMARC1; p=reject; sp=none"'],
    }
    found = records(own, "news.example.com")["dmarc"]
    assert (found["name"], found["state"]) == ("_dmarc.example.com", "weak")
    assert found["policy"] == "none"


@pytest.mark.parametrize("name", ["localhost", "a..example", "-.example", "x" * 300 + ".example"])
def test_only_a_domain_is_checked(own: Api, name: str) -> None:
    response = own.admin("GET", f"/admin/domains/{name}/dns")
    check_problem(response, 400, "invalid_domain", "Invalid domain")
    assert client(own).resolver.urls == []
