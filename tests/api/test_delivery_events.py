"""Delivery events of the provider: what becomes of a mail after it was sent."""

import asyncio
import contextlib
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

import transport.delivery_events
from clock import iso_time
from mail.delivery import KINDS, DeliveryKind
from sending.delivery_events import _seconds_until_end, retry_seconds
from store import message_filter
from tests.api.calls import send_call
from tests.api.delivery import event, sent_message, time_of
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, check_problem, unique_name
from tools.prepare import ROOT
from tools.subscriptions import EVENTS_QUEUE
from tools.wrangler import CONFIG

DAY_FIELDS = ("delivered", "bounced", "complained")


@pytest.fixture(scope="module")
def server() -> Iterator[TestClient]:
    """A deployment of these tests alone, because they let days pass."""
    with TestClient(DEPLOYMENT) as running:
        yield running


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender(balance=20)


def shown(api: Api, sender: Sender, row: dict[str, Any]) -> dict[str, Any]:
    return api.message(sender, row["id"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_shown_for_its_recipient(api: Api, sender: Sender, kind: DeliveryKind) -> None:
    row = sent_message(api, sender)
    one = event(kind, row)
    api.server.deliver_events([one])
    message = shown(api, sender, row)
    (recipient,) = message["recipients"]
    delivery = one["payload"]["delivery"]
    assert recipient["delivery_status"] == recipient["status"] == kind
    assert recipient["delivery_status_at"] == time_of(row)
    assert recipient["smtp_code"] == delivery.get("smtpStatusCode")
    assert recipient["enhanced_code"] == delivery.get("smtpEnhancedStatusCode")
    detail = "on the list" if kind == "rejected" else None
    assert recipient["smtp_response"] == delivery.get("smtpResponse", detail)
    assert (message["delivery_status"], message["delivery_count"]) == (kind, 1)
    assert message["status"] == "sent"
    assert [(one["event"], one.get("recipient")) for one in message["history"]] == [
        ("accepted", None),
        ("sent", None),
        (kind, row["to_mail"]),
    ]


def delivery_of(api: Api, sender: Sender, row: dict[str, Any]) -> list[str | None]:
    return [one["delivery_status"] for one in shown(api, sender, row)["recipients"]]


def today(api: Api, sender: Sender) -> tuple[int, ...]:
    (day,) = api.get("/api/usage", headers=sender.headers).json()["days"]
    return tuple(day[field] for field in DAY_FIELDS)


def history(api: Api, sender: Sender, row: dict[str, Any]) -> list[tuple[str, bool]]:
    """The events of the message, and whether a delivery event settled it."""
    events = shown(api, sender, row)["history"]
    return [(one["event"], "settled_by" in one) for one in events]


def unknown_message(api: Api, sender: Sender, **fields: Any) -> dict[str, Any]:
    """A message that the provider has taken, but whose outcome is unknown."""
    return sent_message(api, sender, subject="[take] [no code]", **fields)


def status_of(api: Api, sender: Sender, row: dict[str, Any]) -> str:
    (found,) = (one for one in api.messages_of(sender) if one["id"] == row["id"])
    status: str = found["status"]
    return status


def test_a_rank_never_goes_down(api: Api, sender: Sender) -> None:
    row = sent_message(api, sender)
    for kind in ("delivered", "delayed", "bounced", "delivered", "complained", "bounced"):
        api.server.deliver_events([event(kind, row)])
    assert delivery_of(api, sender, row) == ["complained"]
    assert today(api, sender) == (1, 1, 1)


def test_repeated_events_count_once(api: Api, sender: Sender) -> None:
    row = sent_message(api, sender)
    events = [event("delayed", row), event("delivered", row, later=5000)]
    api.server.deliver_events(events * 3)
    api.server.deliver_events(reversed(events))
    assert [kind for kind, _ in history(api, sender, row)] == [
        *("accepted", "sent", "delayed", "delivered")
    ]
    assert today(api, sender) == (1, 0, 0)


def test_a_bounce_suppresses_its_recipient_and_an_administrator_can_undo_it(
    api: Api, sender: Sender
) -> None:
    row = sent_message(api, sender)
    bounced = event("bounced", row)
    api.server.deliver_events([bounced])
    response = api.send(sender, to_mail=row["to_mail"])
    assert (response.status_code, response.json()["code"]) == (400, "recipient_suppressed")
    api.admin("DELETE", f"/admin/suppressions?address={row['to_mail']}")
    api.server.deliver_events([bounced])
    assert api.send(sender, to_mail=row["to_mail"]).status_code == 200


def test_events_wait_while_the_database_does_not_respond(api: Api, sender: Sender) -> None:
    rows = [sent_message(api, sender) for _ in range(3)]
    api.server.lose_responses = lambda when, statements: when == "before"
    api.server.deliver_events(event("delivered", row) for row in rows)
    api.server.advance(86_400)
    api.server.lose_responses = lambda when, statements: False
    assert [one["delivery_status"] for one in api.messages_of(sender)] == [None] * 3
    api.server.advance(1300)
    assert [one["delivery_status"] for one in api.messages_of(sender)] == ["delivered"] * 3


def test_events_whose_responses_are_lost_count_once(api: Api, sender: Sender) -> None:
    rows = [sent_message(api, sender) for _ in range(3)]
    lost: Iterator[bool] = iter([True] * 4)
    api.server.lose_responses = lambda when, statements: when == "after" and next(lost, False)
    api.server.deliver_events(event("delivered", row) for row in rows)
    api.server.settle()
    api.server.lose_responses = lambda when, statements: False
    assert today(api, sender) == (3, 0, 0)


UNREADABLE = [
    *("", "null", "[]", "{}", "no JSON", '{"type": 1}', "[" * 100_000, '"\\ud800"'),
    '{"type": "cf.email.sending.message.opened", "payload": {}}',
    '{"type": "cf.email.sending.message.delivered", "payload": {"eventId": "e"}}',
    '{"type": "delivered", "payload": {"eventId": "e", "messageId": "m", "recipient": "r"}}',
]


def test_unreadable_events_are_dropped_and_logged_without_addresses(
    api: Api, sender: Sender
) -> None:
    row = sent_message(api, sender)
    no_id = event("delivered", row, event_id="")
    long_id = event("delivered", row, message_id="<" + "x" * 2000)
    before = len(api.server.log_lines())
    api.server.deliver_events([*UNREADABLE, None, no_id, long_id, event("delivered", row)])
    assert delivery_of(api, sender, row) == ["delivered"]
    lines = [line for line in api.server.log_lines()[before:] if line["event"] != "request"]
    assert [line["event"] for line in lines] == ["delivery_events_unreadable", "delivery_events"]
    assert len(lines[0]["problems"]) == len(UNREADABLE) + 3
    assert "@" not in str(lines)


@pytest.mark.parametrize("depth", [1000, 3000, 60_000])
def test_a_deeply_nested_event_is_not_decoded(
    api: Api, sender: Sender, depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(content: bytes) -> Any:
        assert content.count(b"[") < 1000
        return decoder(content)

    decoder = transport.delivery_events._decode
    monkeypatch.setattr(transport.delivery_events, "_decode", decode)
    row = sent_message(api, sender)
    good, bad = event("delivered", row), event("bounced", row, bounce={"reason": "HERE"})
    nested = json.dumps(bad).replace('"HERE"', "[" * depth + "]" * depth)
    api.server.deliver_events([nested, good, nested.replace("[", '{"":').replace("]", "}")])
    assert delivery_of(api, sender, row) == ["delivered"]


def test_brackets_in_a_text_are_not_levels(api: Api, sender: Sender) -> None:
    row = sent_message(api, sender)
    text = '["{\\' * 1000
    api.server.deliver_events([event("bounced", row, delivery={"smtpResponse": text})])
    (recipient,) = shown(api, sender, row)["recipients"]
    assert recipient["smtp_response"] == text[:500]


def test_events_of_a_batch_that_fails_anywhere_are_delivered_again(
    api: Api, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [sent_message(api, sender) for _ in range(2)]
    with monkeypatch.context() as broken:
        broken.setattr("sending.delivery_events.read_event", lambda content, now: 1 / 0)
        api.server.deliver_events(event("delivered", row) for row in rows)
        api.server.advance(40 * 60)
    assert [one["delivery_status"] for one in api.messages_of(sender)] == [None] * 2
    api.server.advance(1300)
    assert [one["delivery_status"] for one in api.messages_of(sender)] == ["delivered"] * 2


@pytest.mark.parametrize(
    "changed",
    [
        {"delivery": {"smtpStatusCode": {"a": 1}, "smtpResponse": ["x"], "provider": True}},
        {"bounce": {"type": [], "reason": None}},
        {"delivery": {"smtpStatusCode": 550, "smtpResponse": "x\x00\r\n" * 5000}},
    ],
)
def test_an_event_with_odd_members_still_counts(
    api: Api, sender: Sender, changed: dict[str, Any]
) -> None:
    row = sent_message(api, sender)
    one = event("bounced", row, **changed)
    one["metadata"]["eventTimestamp"] = "tomorrow"
    one["payload"]["deliverySurprise"] = {"new": ["member"]}
    api.server.deliver_events([one])
    (recipient,) = shown(api, sender, row)["recipients"]
    assert recipient["delivery_status"] == "bounced"
    assert len(recipient["smtp_response"] or "") <= 500


@pytest.mark.parametrize("odd", [None, [], "hard", 5, True, [{}]], ids=str)
@pytest.mark.parametrize("member", ["sender", "delivery", "bounce", "metadata"])
def test_an_event_with_members_of_another_type_counts(
    api: Api, sender: Sender, member: str, odd: Any
) -> None:
    row = sent_message(api, sender)
    one = event("bounced", row)
    place = one if member == "metadata" else one["payload"]
    place[member] = odd
    api.server.deliver_events([one])
    assert delivery_of(api, sender, row) == ["bounced"]


@pytest.mark.parametrize("stranger", ["somebody@stranger.example", "other@example.com", "", "x"])
def test_events_of_strangers_are_dropped_at_once(api: Api, sender: Sender, stranger: str) -> None:
    row = unknown_message(api, sender)
    before = api.server.database.dump()
    api.server.deliver_events(
        [event(kind, row, sender=stranger, message_id="<foreign>") for kind in KINDS]
    )
    assert api.server.database.dump() == before


def test_an_event_of_another_recipient_changes_nothing(api: Api, sender: Sender) -> None:
    row = sent_message(api, sender)
    unknown = unknown_message(api, sender)
    before = api.server.database.dump()
    api.server.deliver_events([event("bounced", row, unknown["to_mail"])])
    assert api.server.database.dump() == before


def test_addresses_are_compared_without_case(api: Api, sender: Sender) -> None:
    row = sent_message(api, sender, to_mail="Some.One@BÜCHER.example")
    api.server.deliver_events([event("delivered", row, "some.one@xn--bcher-kva.example")])
    assert delivery_of(api, sender, row) == ["delivered"]
    api.server.deliver_events([event("bounced", row, "SOME.ONE@bücher.EXAMPLE")])
    assert delivery_of(api, sender, row) == ["bounced"]


# Unknown outcomes


@pytest.mark.parametrize("kind", ["delayed", "delivered", "bounced", "complained"])
def test_an_event_settles_an_unknown_message_as_sent(
    api: Api, sender: Sender, kind: DeliveryKind
) -> None:
    row = unknown_message(api, sender)
    balance = api.balance(sender)
    one = event(kind, row)
    api.server.deliver_events([one])
    assert (status_of(api, sender, row), api.balance(sender)) == ("sent", balance)
    assert history(api, sender, row) == [
        ("accepted", False),
        ("unknown", False),
        ("sent", True),
        (kind, False),
    ]
    assert shown(api, sender, row)["message_id"] == one["payload"]["messageId"]
    assert delivery_of(api, sender, row) == [kind]
    api.server.deliver_events([one])
    assert len(api.server.sent_mails()) == len({m["messageId"] for m in api.server.sent_mails()})


@pytest.mark.parametrize("kind", ["rejected", "failed"])
@pytest.mark.parametrize("delayed_first", [False, True])
def test_an_event_settles_an_unknown_message_as_not_sent(
    api: Api, sender: Sender, kind: DeliveryKind, delayed_first: bool
) -> None:
    balance = api.balance(sender)
    row = unknown_message(api, sender)
    assert api.balance(sender) == balance - 1
    first, second = event("delayed", row), event(kind, row, later=3000)
    for one in [first, second] if delayed_first else [second, first]:
        api.server.deliver_events([one])
    assert (status_of(api, sender, row), api.balance(sender)) == ("failed", balance)
    assert delivery_of(api, sender, row) == [kind]
    (day,) = api.get("/api/usage", headers=sender.headers).json()["days"]
    assert (day["accepted"], day["sent"], day["failed"]) == (1, 0, 1)


def test_a_message_to_several_recipients_is_not_sent_if_all_are_rejected(
    api: Api, sender: Sender
) -> None:
    balance = api.balance(sender)
    to = [f"{unique_name()}@example.net" for _ in range(2)]
    row = unknown_message(api, sender, to_mail=None, to=to)
    api.server.deliver_events([event("rejected", row, to[0])])
    assert (status_of(api, sender, row), api.balance(sender)) == ("sent", balance - 2)
    api.server.deliver_events([event("rejected", row, to[1])])
    assert (status_of(api, sender, row), api.balance(sender)) == ("failed", balance)
    api.server.deliver_events([event("delayed", row, to[1])])
    assert (status_of(api, sender, row), api.balance(sender)) == ("failed", balance)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("not_sent", ["rejected", "failed"])
@pytest.mark.parametrize("proof", ["delivered", "bounced", "complained"])
def test_events_that_prove_sending_outweigh_others(
    api: Api, sender: Sender, proof: DeliveryKind, not_sent: DeliveryKind, together: bool
) -> None:
    balance = api.balance(sender)
    for kinds in ((proof, not_sent), (not_sent, proof)):
        row = unknown_message(api, sender)
        balance -= 1
        events = [event(kind, row, later=number) for number, kind in enumerate(kinds)]
        for batch in [events] if together else [[one] for one in events]:
            api.server.deliver_events(batch)
        assert (status_of(api, sender, row), api.balance(sender)) == ("sent", balance)
    (day,) = api.get("/api/usage", headers=sender.headers).json()["days"]
    assert (day["accepted"], day["sent"], day["failed"]) == (2, 2, 0)
    path = f"/api/sendbox/{row['id']}/retry"
    assert api.post(path, headers=sender.headers).status_code == 409


@pytest.mark.parametrize(("second", "status"), [(None, "failed"), ("<other>", "sent")])
def test_rejections_of_the_same_message_id_add_up(
    api: Api, sender: Sender, second: str | None, status: str
) -> None:
    """A batch has events of several messages, also of messages that other programs have sent."""
    others = unknown_message(api, sender)
    to = [f"{unique_name()}@example.net" for _ in range(2)]
    row = unknown_message(api, sender, to_mail=None, to=to)
    changed: dict[str, Any] = {"message_id": second} if second else {}
    events = [event("rejected", row, to[0]), event("rejected", row, to[1], **changed)]
    api.server.deliver_events([events[0], event("delivered", others), events[1]])
    assert (status_of(api, sender, row), status_of(api, sender, others)) == (status, "sent")


def test_a_refund_that_is_spent_is_taken_back_as_far_as_possible(api: Api) -> None:
    sender = api.new_sender(balance=1)
    row = unknown_message(api, sender)
    api.server.deliver_events([event("rejected", row)])
    sent_message(api, sender)
    api.server.deliver_events([event("delivered", row)])
    assert (status_of(api, sender, row), api.balance(sender)) == ("sent", 0)


def test_the_first_of_several_message_ids_settles_a_message(api: Api, sender: Sender) -> None:
    for together in (False, True):
        row = unknown_message(api, sender)
        events = [event("delivered", row), event("rejected", row, message_id="<other>")]
        for batch in [events] if together else [[one] for one in events]:
            api.server.deliver_events(batch)
        assert status_of(api, sender, row) == "sent"
        assert delivery_of(api, sender, row) == ["delivered"]


def test_an_event_that_fits_two_unknown_messages_settles_none(api: Api, sender: Sender) -> None:
    first = unknown_message(api, sender)
    second = unknown_message(api, sender, to_mail=first["to_mail"])
    api.server.deliver_events([event("delivered", first)])
    for row in (first, second):
        assert status_of(api, sender, row) == "unknown"


def test_an_event_settles_no_message_of_more_than_a_week_ago(api: Api, sender: Sender) -> None:
    row = unknown_message(api, sender)
    api.server.advance(8 * 86_400)
    api.server.deliver_events([event("delivered", row, later=7 * 86_400_000 + 60_000)])
    assert status_of(api, sender, row) == "unknown"
    api.server.deliver_events([event("delivered", row, later=7 * 86_400_000)])
    assert status_of(api, sender, row) == "sent"


def test_an_administrators_unknown_message_is_settled(api: Api) -> None:
    to_mail = f"{unique_name()}@example.net"
    mail = {"from_mail": "news@example.org", "to_mail": to_mail, "content": "B"}
    response = api.admin("POST", "/admin/send_mail", json={**mail, "subject": "[take] [no code]"})
    assert response.status_code == 502
    (row,) = api.server.sql("SELECT * FROM messages WHERE id = ?", [response.json()["id"]])
    api.server.deliver_events([event("delivered", {**row, "to_mail": to_mail})])
    (row,) = api.server.sql("SELECT status FROM messages WHERE id = ?", [row["id"]])
    assert row["status"] == "sent"


def test_an_event_waits_while_its_message_is_being_sent(api: Api, sender: Sender) -> None:
    to_mail = f"{unique_name()}@example.net"
    sending = api.server.start(*send_call(sender, to_mail=to_mail, subject="[take] [wait 20000]"))
    api.server.advance(1)
    (row,) = api.messages_of(sender)
    (taken,) = api.sent_by(sender)
    about = {**row, "to_mail": to_mail, "provider_message_id": taken["messageId"]}
    api.server.deliver_events([event("delivered", about)])
    assert status_of(api, sender, row) == "sending"
    assert sending.response().status_code == 200
    api.server.advance(130)
    assert delivery_of(api, sender, row) == ["delivered"]


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(-1, 5), (999, 5), (1000, 6), (119_999, 124), (120_000, 125), (294_999, 299), (10**6, 300)],
)
def test_an_event_waits_until_five_seconds_after_the_lease(left: int, seconds: int) -> None:
    assert _seconds_until_end(10**12 + left, 10**12) == seconds


def test_the_log_counts_the_events_that_fit_several_messages(api: Api, sender: Sender) -> None:
    to_mail = f"{unique_name()}@example.net"
    sending = api.server.start(*send_call(sender, to_mail=to_mail, subject="[take] [wait 20000]"))
    api.server.advance(1)
    (row,) = api.messages_of(sender)
    waiting = event("delivered", {**row, "to_mail": to_mail})
    fits = event("delivered", unknown_message(api, sender))
    both = unknown_message(api, sender)
    unknown_message(api, sender, to_mail=both["to_mail"])
    ambiguous = [event("delivered", both), event("delayed", both)]
    before = len(api.server.log_lines())
    api.server.deliver_events([waiting, *ambiguous, fits])
    lines = [line for line in api.server.log_lines()[before:] if line["event"] == "delivery_events"]
    (line,) = lines
    counts = {name: line[name] for name in ("events", "new", "settled", "waiting", "ambiguous")}
    assert counts == {"events": 4, "new": 0, "settled": 1, "waiting": 1, "ambiguous": 2}
    assert sending.response().status_code == 200


@pytest.mark.parametrize("days", [1, 10, 30])
def test_an_event_waits_while_a_scheduled_message_is_being_sent(days: int) -> None:
    with TestClient(DEPLOYMENT) as server:
        api = Api(server)
        sender = api.new_sender()
        to_mail = f"{unique_name()}@example.net"
        due = server.now() + days * 86_400_000
        mail = {"to_mail": to_mail, "subject": "[take] [wait 20000]", "scheduled_at": iso_time(due)}
        assert api.send(sender, **mail).status_code == 202
        server.advance(days * 86_400)
        server.run_cron()
        server.advance(1)
        (row,) = api.messages_of(sender)
        assert row["status"] == "sending"
        one = event("bounced", {**row, "to_mail": to_mail}, occurred_at=server.now())
        (taken,) = api.sent_by(sender)
        one["payload"]["messageId"] = taken["messageId"]
        server.deliver_events([one])
        server.advance(130)
        assert delivery_of(api, sender, row) == ["bounced"]


def test_an_event_settles_an_unknown_message_that_was_scheduled(api: Api, sender: Sender) -> None:
    days = 10
    to_mail = f"{unique_name()}@example.net"
    due = api.server.now() + days * 86_400_000
    mail = {"to_mail": to_mail, "subject": "[take] [no code]", "scheduled_at": iso_time(due)}
    assert api.send(sender, **mail).status_code == 202
    (row,) = api.messages_of(sender)
    row["to_mail"] = to_mail
    api.server.advance(days * 86_400)
    api.server.run_cron()
    api.server.advance(5)
    assert status_of(api, sender, row) == "unknown"
    # An event before the message was due is that of another mail.
    api.server.deliver_events([event("delivered", row, message_id="<other>", later=86_400_000)])
    assert status_of(api, sender, row) == "unknown"
    api.server.deliver_events([event("delivered", row, occurred_at=due + 6 * 86_400_000)])
    assert status_of(api, sender, row) == "sent"


def test_an_event_settles_a_message_whose_worker_died(api: Api, sender: Sender) -> None:
    to_mail = f"{unique_name()}@example.net"
    with contextlib.suppress(asyncio.CancelledError):
        api.server.start(*send_call(sender, to_mail=to_mail, subject="[take] [wait 20000]"))
        api.server.advance(1)
        api.server.kill()
    (row,) = api.messages_of(sender)
    assert row["status"] == "sending"
    about = {**row, "to_mail": to_mail, "provider_message_id": "<taken@provider.test>"}
    api.server.deliver_events([event("delivered", about)])
    api.server.advance(121)
    api.server.run_cron()
    assert status_of(api, sender, row) == "unknown"
    api.server.advance(10)
    assert status_of(api, sender, row) == "sent"
    assert delivery_of(api, sender, row) == ["delivered"]


def test_an_unknown_message_that_was_sent_again_is_settled_by_its_own_event(
    api: Api, sender: Sender
) -> None:
    row = unknown_message(api, sender)
    headers = sender.headers
    again = api.post(f"/api/sendbox/{row['id']}/retry", headers=headers).json()
    (second,) = (one for one in api.messages_of(sender) if one["id"] == again["id"])
    if second["status"] == "sent":
        api.server.deliver_events([event("delivered", {**second, "to_mail": row["to_mail"]})])
        assert status_of(api, sender, row) == "unknown"


def test_the_retries_of_a_queue_message_take_more_than_a_day() -> None:
    consumers = tomllib.loads(CONFIG.read_text())["queues"]["consumers"]
    (events,) = (one for one in consumers if one["queue"] == EVENTS_QUEUE)
    assert f'QUEUE = "{EVENTS_QUEUE}"' in (ROOT / "src/runtime/event_queue.py").read_text()
    delays = [retry_seconds(attempt) for attempt in range(1, events["max_retries"] + 1)]
    assert delays == sorted(delays)
    assert sum(delays) > 30 * 3600
    assert events["max_retries"] * events["retry_delay"] > 30 * 3600  # the Worker has crashed


def test_sandbox_events_need_no_queue() -> None:
    with TestClient(DEPLOYMENT, event_queue=False) as server:
        api = Api(server)
        sender = api.new_sender()
        row = sent_message(api, sender, to_mail="complained@test.invalid")
        server.settle()
        assert delivery_of(api, sender, row) == ["complained"]


# Views and effects


@pytest.mark.contract("GET /emails/{id}: last_event follows the delivery events")
@pytest.mark.parametrize(
    ("kind", "last_event"),
    [
        ("delayed", "delivery_delayed"),
        ("delivered", "delivered"),
        ("rejected", "failed"),
        ("failed", "failed"),
        ("bounced", "bounced"),
        ("complained", "complained"),
    ],
)
def test_the_last_event_of_resend(
    api: Api, sender: Sender, kind: DeliveryKind, last_event: str
) -> None:
    row = sent_message(api, sender)
    one = api.get(f"/emails/{row['id']}", headers=sender.headers).json()
    assert one["last_event"] == "sent"
    api.server.deliver_events([event(kind, row)])
    one = api.get(f"/emails/{row['id']}", headers=sender.headers).json()
    (listed,) = api.get("/emails", headers=sender.headers).json()["data"]
    assert (one["last_event"], listed["last_event"]) == (last_event, last_event)
    assert one["status"] == "sent"


@pytest.mark.contract("GET /api/usage: Counts delivered, bounced and complained recipients")
@pytest.mark.contract("GET /admin/usage: Counts delivered, bounced and complained recipients")
def test_usage_counts_recipients_on_the_day_of_acceptance(api: Api, sender: Sender) -> None:
    def of_all() -> list[int]:
        days = api.admin("GET", "/admin/usage").json()["days"]
        return [sum(day[field] for day in days) for field in DAY_FIELDS]

    before = of_all()
    to = [f"{unique_name()}@example.net" for _ in range(3)]
    row = sent_message(api, sender, to_mail=None, to=to)
    api.server.advance(86_400)
    kinds: list[DeliveryKind] = ["delivered", "bounced", "complained"]
    api.server.deliver_events(
        event(kind, row, recipient) for kind, recipient in zip(kinds, to, strict=True)
    )
    api.server.deliver_events([event("delivered", row, to[2])])
    assert today(api, sender) == (2, 1, 1)
    assert of_all() == [a + b for a, b in zip(before, (2, 1, 1), strict=True)]


def test_an_address_with_complaints_alone_is_paused() -> None:
    variables = {**DEPLOYMENT, "PAUSE_FAILED_PERCENT": "75", "PAUSE_LAST_MESSAGES": "4"}
    with TestClient(variables) as server:
        api = Api(server)
        sender, other = api.new_sender(), api.new_sender()
        for row in [sent_message(api, sender) for _ in range(4)][:3]:
            server.deliver_events([event("complained", row)])
        assert api.send(sender, to_mail="a@example.net").json()["code"] == "address_paused"
        assert api.send(other, to_mail="a@example.net").status_code == 200


@pytest.mark.contract("send checks: Permanent bounces and complaints pause an address")
def test_an_address_whose_messages_all_bounce_is_paused() -> None:
    variables = {**DEPLOYMENT, "PAUSE_FAILED_PERCENT": "75", "PAUSE_LAST_MESSAGES": "4"}
    with TestClient(variables) as server:
        api = Api(server)
        sender = api.new_sender()
        rows = [sent_message(api, sender) for _ in range(4)]
        kinds: list[DeliveryKind] = ["bounced", "complained", "bounced"]
        server.deliver_events(event(kind, row) for kind, row in zip(kinds, rows, strict=False))
        response = api.send(sender, to_mail="a@example.net")
        assert (response.status_code, response.json()["code"]) == (400, "address_paused")
        (pause,) = api.admin("GET", "/admin/pauses").json()["results"]
        assert pause["address"] == sender.address
        api.admin("DELETE", f"/admin/pauses/{sender.address_id}")
        server.deliver_events([event("bounced", rows[3])])
        assert api.send(sender, to_mail="a@example.net").status_code == 200


@pytest.mark.parametrize("first", ["rejected", "delayed"])
def test_an_address_whose_unknown_messages_are_rejected_is_paused(first: DeliveryKind) -> None:
    variables = {**DEPLOYMENT, "PAUSE_FAILED_PERCENT": "75", "PAUSE_LAST_MESSAGES": "4"}
    with TestClient(variables) as server:
        api = Api(server)
        sender = api.new_sender()
        rows = [unknown_message(api, sender) for _ in range(4)]
        for kind in (first, "rejected"):
            server.deliver_events(event(kind, row) for row in rows)
        response = api.send(sender, to_mail="a@example.net")
        assert (response.status_code, response.json()["code"]) == (400, "address_paused")


@pytest.mark.parametrize("way", ["sendbox/{}", "clear_sent_items", "delete_address"])
def test_deleting_messages_does_not_hide_bounces(way: str) -> None:
    variables = {
        **DEPLOYMENT,
        "PAUSE_FAILED_PERCENT": "75",
        "PAUSE_LAST_MESSAGES": "4",
        "ENABLE_USER_DELETE_EMAIL": "true",
    }
    with TestClient(variables) as server:
        api = Api(server)
        sender = api.new_sender()
        rows = [sent_message(api, sender) for _ in range(4)]
        for row in rows[: 4 if "{}" in way else 1]:
            path = f"/api/{way.format(row['id'])}"
            response = api.call("DELETE", path, headers=sender.headers)
            assert response.status_code == 200, response.text
        for _ in range(6):
            server.advance(86_400)
            server.run_cron()
        server.deliver_events(event("bounced", row) for row in rows)
        suppressed = api.admin("GET", "/admin/suppressions").json()["results"]
        assert {one["address"] for one in suppressed} == {row["to_mail"] for row in rows}
        days = api.admin("GET", "/admin/usage").json()["days"]
        assert sum(day["bounced"] for day in days) == 4
        if way != "delete_address":
            (pause,) = api.admin("GET", "/admin/pauses").json()["results"]
            assert pause["address"] == sender.address
        server.advance(2 * 86_400)
        server.run_cron()
        assert server.sql("SELECT id FROM messages") == []


# Lists by delivery status


def filtered(api: Api, sender: Sender, query: str) -> list[str]:
    response = api.get(f"/api/sendbox?{query}", headers=sender.headers)
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    assert response.json().get("count", len(results)) == len(results)
    return [row["id"] for row in results]


@pytest.mark.contract("GET /api/sendbox: Filters by delivery status")
@pytest.mark.contract("GET /admin/sendbox: Filters by delivery status")
def test_lists_are_filtered_by_delivery_status(api: Api, sender: Sender) -> None:
    rows = {kind: sent_message(api, sender, subject=f"about {kind}") for kind in KINDS}
    api.server.deliver_events(event(kind, row) for kind, row in rows.items())
    sent = sent_message(api, sender, subject="about nothing")
    unknown_message(api, sender)
    expected: dict[str, str] = {kind: row["id"] for kind, row in rows.items()}
    expected["sent"] = sent["id"]
    for status, message_id in expected.items():
        for more in ("", "&cursor=", "&q=about", "&q=about&cursor="):
            assert filtered(api, sender, f"delivery_status={status}{more}") == [message_id]
        assert filtered(api, sender, f"delivery_status={status}&q=other") == []
        path = f"/admin/sendbox?delivery_status={status}&limit=100"
        every = [row["id"] for row in api.admin("GET", path).json()["results"]]
        assert message_id in every
        assert not {*expected.values()} & {*every} - {message_id}
        response = api.admin("GET", f"{path}&address={sender.address}").json()
        assert ([row["id"] for row in response["results"]], response["count"]) == ([message_id], 1)
    assert len(filtered(api, sender, "delivery_status=")) == len(expected) + 1


def test_the_cursor_of_a_page_without_a_match_leads_to_older_messages(
    api: Api, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_filter, "MAX_SEEN", 2)
    old, *new = (sent_message(api, sender) for _ in range(3))
    api.server.deliver_events(event("delivered", row) for row in new)
    path = "/api/sendbox?delivery_status=sent&cursor="
    first = api.get(path, headers=sender.headers).json()
    assert first == {"results": [], "next_cursor": new[0]["id"]}
    page = api.get(path + first["next_cursor"], headers=sender.headers).json()
    assert [row["id"] for row in page["results"]] == [old["id"]]
    assert page["next_cursor"] is None


def test_an_unknown_delivery_status_is_rejected(api: Api, sender: Sender) -> None:
    for response in (
        api.get("/api/sendbox?delivery_status=queued", headers=sender.headers),
        api.admin("GET", "/admin/sendbox?delivery_status=queued"),
    ):
        check_problem(response, 400, "invalid_delivery_status", "Invalid delivery_status")
