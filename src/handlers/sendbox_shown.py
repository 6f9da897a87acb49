"""From the rows of a message to what the sendbox shows of it."""

import msgspec
from msgspec import UNSET

from api.sendbox import (
    Event,
    SendboxEntry,
    SendboxMessage,
    SentAttachment,
    SentMail,
    SentMailbox,
    SentTo,
)
from clock import database_time, iso_time
from mail.fields import TagField
from mail.message import Header
from store.database import Row
from store.parts import body_of
from store.sendbox import StoredMessage

_read_reply_to = msgspec.json.Decoder(SentMailbox).decode
_read_headers = msgspec.json.Decoder(list[Header]).decode
_read_tags = msgspec.json.Decoder(list[TagField]).decode
_read_attachments = msgspec.json.Decoder(list[SentAttachment]).decode


def listed(row: Row) -> SendboxEntry:
    """A row of a page of ``store.sendbox`` as lists show it."""
    return SendboxEntry(**_common(row))


def whole(message: StoredMessage) -> SendboxMessage:
    """A message with all its details."""
    row, first = message.row, message.recipients[0]
    text, html = body_of(message.bodies, "text"), body_of(message.bodies, "html")
    as_listed = {
        **row,
        "recipient": first["address"],
        "recipient_name": first["name"],
        "body_kind": "html" if html is not None else "text",
        "content": html if html is not None else text,
    }
    accepted = {"kind": "accepted", "occurred_at": row["accepted_at"], "attempt": 0}
    return SendboxMessage(
        **_common(as_listed),
        message_id=row["provider_message_id"],
        request_id=row["request_id"],
        retry_of=row["retry_of"],
        retried_as=row["retried_as"],
        code=row["provider_code"],
        attempts=row["attempt"],
        next_attempt_at=_time(row["next_attempt_at"]),
        finished_at=_time(row["finished_at"]),
        scheduled_at=_time(row["scheduled_at"]),
        reply_to=_read_reply_to(row["reply_to"]) if row["reply_to"] else None,
        headers={header.name: header.value for header in _read_headers(row["headers"] or "[]")},
        tags=_read_tags(row["tags"] or "[]"),
        attachments=_read_attachments(row["attachments"] or "[]"),
        text=text,
        html=html,
        recipients=[
            SentTo(
                kind=recipient["kind"],
                address=recipient["address"],
                name=recipient["name"],
                status=recipient["status"],
                code=recipient["provider_code"],
            )
            for recipient in message.recipients
        ],
        history=[_event(event) for event in (accepted, *message.events)],
    )


def _common(row: Row) -> Row:
    raw = SentMail(
        from_name=row["sender_name"] or "",
        to_name=row["recipient_name"] or "",
        to_mail=row["recipient"],
        subject=row["subject"],
        is_html=row["body_kind"] == "html",
        content=row["content"] or "",
        status=row["status"],
    )
    return {
        "id": row["id"],
        "address": row["sender"],
        "raw": msgspec.json.encode(raw).decode(),
        "created_at": database_time(row["accepted_at"]),
        "status": row["status"],
        "content_truncated": True if row.get("truncated") else UNSET,
    }


def _event(event: Row) -> Event:
    return Event(
        event=event["kind"],
        at=iso_time(event["occurred_at"]),
        attempt=event["attempt"],
        code=event.get("provider_code"),
        recipient=event.get("recipient") or UNSET,
    )


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso_time(milliseconds)
