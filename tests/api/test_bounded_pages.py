"""Lists and views are bounded by the bytes that they take in the response."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from accounts.actor import Actor
from accounts.credentials import Credential
from mail.message import Header, Message, Recipient, Tag
from store.audit import audit_row
from store.record import StatusUpdate, record
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender
from tests.measured import cost_of
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import run

MIB = 1024 * 1024
PAGE = 3 * MIB + MIB // 2  # whole contents, beginnings, and everything else of a hundred messages
VIEW = 2 * MIB + MIB // 8  # the bodies as fields and in `raw`, and everything else
CONTROLS = "\x01" * 65_500


@pytest.fixture
def own() -> Iterator[Api]:
    with TestClient(DEPLOYMENT) as running:
        yield Api(running)


@pytest.fixture
def sender(own: Api) -> Sender:
    return own.new_sender(balance=100_000)


def store(api: Api, sender: Sender, *messages: Message) -> list[str]:
    """Store messages of ``sender``, and return their ids, newest first."""
    database = api.server.database
    (row,) = database.query("SELECT id FROM addresses WHERE name = ?", sender.address)
    credential = Credential(sender.address, row["id"], 0)
    ids = [given.message_id(NOW + number) for number in range(len(messages))]
    for id_, message in zip(ids, messages, strict=True):
        given.reserved(database, credential, id_, message)
    return ids[::-1]


def mail_of(sender: Sender, **fields: Any) -> Message:
    return given.message(sender=sender.address, **fields)


def ids_of(response: requests.Response) -> list[str]:
    return [entry["id"] for entry in response.json()["results"]]


@pytest.mark.parametrize("path", ["/api/sendbox", "/admin/sendbox", "/admin/sendbox?address={}"])
@pytest.mark.parametrize(
    "text", [CONTROLS, '"' * 65_500, "a\0" + CONTROLS[2:]], ids=lambda t: repr(t[:4])
)
def test_a_page_of_a_hundred_messages_is_bounded(
    own: Api, sender: Sender, path: str, text: str
) -> None:
    ids = store(own, sender, *(mail_of(sender, text=text, subject='"' * 998) for _ in range(100)))
    headers = {**sender.headers, "x-admin-auth": ADMIN_PASSWORD}
    responses: list[requests.Response] = []

    def show() -> None:
        url = path.format(sender.address)
        responses.append(own.get(url, params={"limit": 100}, headers=headers))

    cost = cost_of(show)
    response = responses[0]
    assert len(response.content) < PAGE
    assert cost.bytes < 6 * PAGE
    assert ids_of(response) == ids
    entries = response.json()["results"]
    whole = [entry for entry in entries if "content_truncated" not in entry]
    cut = entries[len(whole) :]
    assert len(whole) >= 2 * MIB // (7 * 65_500)
    assert {json.loads(entry["raw"])["content"] for entry in whole} == {text}
    assert all(entry["content_truncated"] is True for entry in cut)
    # substr() of SQLite ends at a NUL.
    assert {json.loads(entry["raw"])["content"] for entry in cut} <= {text[:1000], text[:1]}


@pytest.mark.parametrize("query", [{}, {"q": "hello"}], ids=["all", "search"])
def test_a_page_by_cursor_ends_before_a_message_that_does_not_fit(
    own: Api, sender: Sender, query: dict[str, str]
) -> None:
    ids = store(own, sender, *(mail_of(sender, text=CONTROLS) for _ in range(25)))
    found: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        response = own.get(
            "/api/sendbox",
            params={**query, "limit": 20, "cursor": cursor},
            headers=sender.headers,
        )
        assert len(response.content) < PAGE
        entries = response.json()["results"]
        assert [json.loads(entry["raw"])["content"] for entry in entries] == [CONTROLS] * len(
            entries
        )
        assert not any("content_truncated" in entry for entry in entries)
        found += ids_of(response)
        cursor = response.json()["next_cursor"]
        pages += 1
    assert found == ids
    assert pages == 7


@pytest.mark.parametrize(
    ("text", "html", "is_whole"),
    [
        ("é" * 520_000, None, True),
        (None, "<p>a\r\n" * 100_000, True),
        ("a" * 520_000, "b" * 520_000, True),
        ("\x01" * 1_700_000, None, False),
        (None, '"' * 3_800_000, False),
        ("\x01" * 100_000, "\x02" * 100_000, False),
        ("\0" * 3_800_000, None, False),
        ("a" * 3_700_000 + "\U0001f600", None, False),
    ],
    ids=["text", "html", "both", "controls", "quotes", "two", "NUL", "wide"],
)
def test_a_view_of_one_message_is_bounded(
    own: Api, sender: Sender, text: str | None, html: str | None, is_whole: bool
) -> None:
    bodies = {"text": text, "html": html}
    (id_,) = store(own, sender, mail_of(sender, **bodies))
    views: list[requests.Response] = []

    def show() -> None:
        headers = {**sender.headers, "x-admin-auth": ADMIN_PASSWORD}
        for path in ("api/sendbox", "admin/sendbox", "emails"):
            views.append(own.get(f"/{path}/{id_}", headers=headers))

    assert cost_of(show).bytes < 6 * VIEW
    for view in views:
        assert len(view.content) < VIEW
        shown = view.json()
        assert shown.get("content_truncated", False) is not is_whole
        for name, body in bodies.items():
            # substr() of SQLite ends at a NUL.
            beginning = body and body[:100_000].partition("\0")[0]
            assert shown[name] == (body if is_whole else beginning)
    for view in views[:2]:
        content = shown["text"] if html is None else shown["html"]
        assert json.loads(view.json()["raw"])["content"] == content


def test_a_retry_sends_the_whole_text_of_a_message_that_is_shown_cut(
    own: Api, sender: Sender
) -> None:
    text = "\x01" * 1_700_000
    (id_,) = store(own, sender, mail_of(sender, text=text))
    rejected = StatusUpdate(id=id_, event="rejected", attempt=1, now=NOW + 1)
    run(record(own.server.database, [rejected]))
    retried = own.post(f"/api/sendbox/{id_}/retry", headers=sender.headers)
    assert retried.status_code == 200, retried.text
    (mail,) = own.server.provider.mails
    assert mail["text"] == text


def test_a_page_of_emails_ends_before_it_is_too_large(own: Api, sender: Sender) -> None:
    recipients = tuple(
        replace(one, name='"' * 200)
        for one in mail_of(sender).recipients
        for one in [Recipient("to", replace(one.address, local=f"{n:060}")) for n in range(50)]
    )
    message = mail_of(sender)
    full = type(message)(
        **{
            **{name: getattr(message, name) for name in message.__struct_fields__},
            "recipients": recipients,
            "tags": tuple(Tag(f"{n:0256}", "v" * 256) for n in range(50)),
            "headers": tuple(Header(f"X-{n:05}", "v" * 2000) for n in range(8)),
        }
    )
    ids = store(own, sender, *([full] * 60))
    found: list[str] = []
    has_more, after = True, None
    while has_more:
        query = {"limit": 100, **({"after": after} if after else {})}
        response = own.get("/emails", params=query, headers=sender.headers)
        assert len(response.content) < 3 * MIB
        page = response.json()
        found += [email["id"] for email in page["data"]]
        has_more, after = page["has_more"], found[-1]
    assert found == ids
    newest = own.get("/emails", params={"before": ids[40]}, headers=sender.headers).json()
    assert [email["id"] for email in newest["data"]] == ids[40 - len(newest["data"]) : 40]
    assert newest["has_more"] is True


def test_a_page_of_the_audit_log_ends_before_it_is_too_large(own: Api) -> None:
    details: dict[str, object] = {"first_added": ["a" * 254] * 200}
    rows = [
        audit_row(Actor("admin", None), "list.set", str(number), NOW + number, details)
        for number in range(90)
    ]
    for row in rows:
        run(own.server.database.batch([row]))
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": 100, "cursor": cursor}
        response = own.admin("GET", "/admin/audit", params=query)
        assert len(response.content) < 2 * MIB
        found += [row["object"] for row in response.json()["results"]]
        cursor = response.json()["next_cursor"]
    assert found == [str(number) for number in reversed(range(90))]
