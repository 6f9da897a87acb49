"""What depends only on a message is computed once, on every way that sends mail.

These computations read all of a message, so their time grows with its size.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from clock import iso_time
from mail.digest import message_digest
from mail.limits import body_size, encoded_size
from store.record.statuses import record_statements
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, mail

COUNTED = (encoded_size, body_size, message_digest, record_statements)
EMAIL = {"to": "you@example.net", "subject": "Hello", "text": "Hello"}
KEY = {"Idempotency-Key": "a key"}


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """Count the calls of the functions in ``COUNTED``, by name, wherever they are called."""
    names = {function.__code__: function.__name__ for function in COUNTED}
    counts: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in names:
            counts[names[frame.f_code]] += 1

    sys.setprofile(note)
    try:
        yield counts
    finally:
        sys.setprofile(None)


def once(messages: int, *, bodies: int = 1, has_key: bool = False, records: int = 1) -> Any:
    """The calls for ``messages`` with ``bodies`` each, whose outcomes are recorded together."""
    return Counter(
        encoded_size=messages,
        body_size=messages * bodies,
        message_digest=messages if has_key else 0,
        record_statements=records,
    )


@pytest.fixture
def api() -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, "BATCH_INLINE": "2"}) as server:
        yield Api(server)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender()


@pytest.mark.parametrize("headers", [{}, KEY], ids=["plain", "keyed"])
@pytest.mark.parametrize(
    ("fields", "bodies"),
    [
        ({}, 1),
        ({"content": "<p>Hello", "is_html": True}, 1),
        ({"html": "<p>Hello"}, 2),  # with the text that is made from the HTML
        ({"html": "<p>Hello", "text": "Hello"}, 2),
        ({"html": "<p>Hello", "attachments": [{"filename": "a", "content": "aGVsbG8="}]}, 2),
        ({"to_mail": "delivered@test.invalid"}, 1),
        ({"to_mail": "suppressed@test.invalid"}, 1),
    ],
    ids=["text", "content as HTML", "HTML", "both", "attachment", "sandbox", "rejected"],
)
@pytest.mark.parametrize("path", ["/api/send_mail", "/external/api/send_mail"])
def test_a_mail(
    api: Api, sender: Sender, path: str, fields: Any, bodies: int, headers: Any
) -> None:
    body = {**mail(**fields), "token": sender.jwt}
    with calls() as counts:
        api.post(path, body, headers={**sender.headers, **headers})
    assert counts == once(1, bodies=bodies, has_key=bool(headers))


@pytest.mark.parametrize("headers", [{}, KEY], ids=["plain", "keyed"])
@pytest.mark.parametrize(
    ("fields", "bodies"), [({}, 1), ({"html": "<p>Hello", "text": None}, 2)], ids=["text", "HTML"]
)
def test_an_email_of_resend(
    api: Api, sender: Sender, fields: Any, bodies: int, headers: Any
) -> None:
    body = {**EMAIL, "from": sender.address, **fields}
    with calls() as counts:
        assert api.post("/emails", body, headers={**sender.headers, **headers}).ok
    assert counts == once(1, bodies=bodies, has_key=bool(headers))


@pytest.mark.parametrize("headers", [{}, KEY], ids=["plain", "keyed"])
def test_a_batch_and_its_messages_from_the_queue(api: Api, sender: Sender, headers: Any) -> None:
    emails = [{**EMAIL, "from": sender.address, "text": f"{n}"} for n in range(5)]
    with calls() as counts:
        assert api.post("/emails/batch", emails, headers={**sender.headers, **headers}).ok
        api.server.settle()
    assert len(api.sent_by(sender)) == 5
    assert counts == once(5, has_key=bool(headers), records=2)


@pytest.mark.parametrize("headers", [{}, KEY], ids=["plain", "keyed"])
def test_a_permissive_batch_with_an_invalid_email(api: Api, sender: Sender, headers: Any) -> None:
    emails = [{**EMAIL, "from": sender.address}, {**EMAIL, "from": sender.address, "to": "x"}]
    headers = {**sender.headers, **headers, "x-batch-validation": "permissive"}
    with calls() as counts:
        assert api.post("/emails/batch", emails, headers=headers).ok
    assert counts == once(1, has_key="Idempotency-Key" in headers)


def test_a_batch_over_the_rate_limit() -> None:
    with TestClient({**DEPLOYMENT, "SEND_RATE_LIMIT": "1/minute"}) as server:
        api = Api(server)
        sender = api.new_sender()
        emails = [{**EMAIL, "from": sender.address}] * 2
        with calls() as counts:
            rejected = api.post("/emails/batch", emails, headers={**sender.headers, **KEY})
        assert rejected.json()["code"] == "batch_over_rate_limit"
        assert counts == once(2, has_key=True, records=0)


def test_a_scheduled_mail_until_it_is_sent(api: Api, sender: Sender) -> None:
    due = api.server.now() + 3_600_000
    with calls() as counts:
        api.send_with_key(sender, "a key", html="<p>Hello", scheduled_at=iso_time(due))
        assert counts == once(1, bodies=2, has_key=True, records=0)
        api.server.advance(3600)
        api.server.run_cron()
        api.server.settle()
    assert len(api.sent_by(sender)) == 1
    assert counts == once(1, bodies=2, has_key=True)


def test_a_deferred_mail_until_it_is_sent(api: Api, sender: Sender) -> None:
    with calls() as counts:
        assert api.send(sender, to_mail="ratelimited@test.invalid").status_code == 202
        api.server.settle()
    (row,) = api.messages_of(sender)
    assert (row["status"], row["attempt"]) == ("sent", 2)
    assert counts == once(1, records=2)


def test_a_repeated_request(api: Api, sender: Sender) -> None:
    api.send_with_key(sender, "a key")
    with calls() as counts:
        assert "Idempotent-Replayed" in api.send_with_key(sender, "a key").headers
    assert counts == once(1, has_key=True, records=0)


def test_a_retry_uses_the_stored_size(api: Api, sender: Sender) -> None:
    failed = api.send(sender, to_mail="suppressed@test.invalid").json()["id"]
    with calls() as counts:
        api.post(f"/api/sendbox/{failed}/retry", headers={**sender.headers, **KEY})
    first, second = api.messages_of(sender)
    assert first["size"] == second["size"]
    assert counts == once(0)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/admin/send_mail", {"from_mail": "me@example.com"}),
        ("/admin/send_mail_by_binding", {**EMAIL, "from": "me@example.com"}),
    ],
)
def test_a_mail_of_an_administrator(api: Api, path: str, fields: Any) -> None:
    body = fields if "from" in fields else mail(**fields)
    with calls() as counts:
        sent = api.admin("POST", path, json=body)
        assert sent.ok, sent.text
    assert counts == once(1)
