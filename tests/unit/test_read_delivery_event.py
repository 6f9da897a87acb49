"""Reading a delivery event of the provider: what is cut, what is missing, what is unreadable."""

import json
from typing import Any

import pytest

from mail.delivery import DeliveryEvent
from tests.unit.given import NOW
from transport.delivery_events import UnreadableEvent, event_form, read_event

MINUTES = 60_000


def form(**fields: Any) -> dict[str, Any]:
    names: dict[str, Any] = {
        "kind": "bounced",
        "event_id": "e1",
        "message_id": "<m@p.test>",
        "sender": "a@b.example",
    }
    names |= {"recipient": "C@d.example"}
    return event_form(**({"occurred_at": NOW} | names | fields))


def read(written: dict[str, Any]) -> DeliveryEvent:
    return read_event(json.dumps(written), now=NOW)


def test_an_event_with_all_members() -> None:
    cause = {"type": "hard", "reason": "no_mailbox", "classification": "other", "detail": "none"}
    delivery = {"provider": "gmail", "smtpStatusCode": 550, "smtpEnhancedStatusCode": "5.1.1"}
    written = form(bounce=cause, delivery={**delivery, "smtpResponse": "No such\r\n user "})
    assert read(written) == DeliveryEvent(
        id="e1",
        kind="bounced",
        provider_ids=("<m@p.test>", "m@p.test"),
        sender="a@b.example",
        recipient="c@d.example",
        occurred_at=NOW,
        is_permanent=True,
        smtp_code="550",
        enhanced_code="5.1.1",
        response="No such  user",
        reason="no_mailbox",
        provider="gmail",
    )
    assert (written["source"]["domain"], written["payload"]["terminal"]) == ("b.example", True)
    assert written["payload"]["delivery"]["status"] == "bounced"
    assert written["metadata"]["eventSchemaVersion"] == 1
    assert form(kind="delayed")["payload"]["terminal"] is False


@pytest.mark.parametrize("name", ["bounce", "failure", "rejection", "complaint"])
def test_each_member_can_say_the_cause(name: str) -> None:
    found = read(form(**{name: {"classification": "blocked", "detail": "on a list"}}))
    assert (found.reason, found.response, found.is_permanent) == ("blocked", "on a list", None)


@pytest.mark.parametrize(("word", "expected"), [("hard", True), ("soft", False), ("odd", None)])
def test_whether_a_bounce_is_permanent(word: str, expected: bool | None) -> None:
    assert read(form(bounce={"type": word})).is_permanent is expected


@pytest.mark.parametrize("name", ["event_id", "message_id"])
def test_the_length_of_an_id(name: str) -> None:
    for length in (1, 1000):
        read(form(**{name: "x" * length}))
    for length in (0, 1001):
        with pytest.raises(UnreadableEvent, match="length of an id"):
            read(form(**{name: "x" * length}))


@pytest.mark.parametrize("kind", ["cf.email.sending.message.opened", "bounced"])
def test_an_unknown_type(kind: str) -> None:
    with pytest.raises(UnreadableEvent, match="unknown type"):
        read(form() | {"type": kind})


@pytest.mark.parametrize("content", ["", "null", "[" * 100_000, "\ud800"])
def test_what_is_no_event(content: str) -> None:
    with pytest.raises(UnreadableEvent):
        read_event(content, now=NOW)


def test_other_texts_are_cut() -> None:
    long = "x" * 600
    delivery = {"provider": long, "smtpStatusCode": long, "smtpEnhancedStatusCode": long}
    found = read(form(delivery={**delivery, "smtpResponse": long}, bounce={"reason": long}))
    words = found.provider, found.smtp_code, found.enhanced_code, found.reason
    assert words == ("x" * 100,) * 4
    assert found.response == "x" * 500
    found = read(form(bounce={"classification": long, "detail": long}, recipient="Y" * 1001))
    assert (found.reason, found.response) == ("x" * 100, "x" * 500)
    assert found.recipient == "y" * 255


@pytest.mark.parametrize("value", [True, False, None, 5.5, [], {}, "", " \x00"])
def test_what_is_no_text_is_left_out(value: object) -> None:
    found = read(form(delivery={"smtpResponse": value, "provider": value}))
    assert (found.response, found.provider) == (None, None)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-05T00:00:00.250Z", 1_767_571_200_250),
        ("2026-01-05T00:00:00", 1_767_571_200_000),
        ("2026-01-05T02:00:00+02:00", 1_767_571_200_000),
        ("1969-12-31T00:00:00Z", 0),
        ("0001-01-01T00:00:00+14:00", 0),
        ("9999-12-31T00:00:00Z", NOW + 5 * MINUTES),
        *((odd, NOW) for odd in ("tomorrow", "", None, 5)),
    ],
)
def test_the_time_of_an_event(written: object, expected: int) -> None:
    event = form() | {"metadata": {"eventTimestamp": written}}
    assert read_event(json.dumps(event), now=NOW).occurred_at == expected


def test_a_time_within_the_error_of_the_clocks() -> None:
    for later in (0, 5 * MINUTES):
        assert read(form(occurred_at=NOW + later)).occurred_at == NOW + later
    assert read(form(occurred_at=NOW + 6 * MINUTES)).occurred_at == NOW + 5 * MINUTES
    event = form()
    del event["metadata"]
    assert read(event).occurred_at == NOW
