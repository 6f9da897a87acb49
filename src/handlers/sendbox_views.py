"""The responses of the sendbox endpoints: their types, and the conversion of rows."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from clock import database_time, iso_time
from locales import provider_sentence, sentence
from mail.delivery import DeliveryKind, DeliveryStatus, rank
from mail.lifecycle import Status
from mail.message import AttachmentInfo, Mailbox, RecipientKind, Tag, decode_details
from store.database import Row
from store.message_content import body_of
from store.sendbox import StoredMessage
from store.shown_bodies import is_truncated
from transport.outcome import Reason

# The status for one recipient: its delivery status if there is one, otherwise the message status.
RecipientStatus = Literal[Status, DeliveryKind]

_Kind = Literal["accepted", "rescheduled", "deferred", "sent", "failed", "unknown", "cancelled"]
EventKind = Literal[_Kind, DeliveryKind]


class SentMail(Struct):
    """A message with the field names of `POST /api/send_mail`, and its status."""

    from_name: str
    to_name: str
    to_mail: str
    subject: str
    is_html: bool
    content: str
    status: Status


class SendboxEntry(Struct, kw_only=True):
    """A message in a list."""

    id: Annotated[str, Meta(description="The id of the message; ids sort by time.")]
    address: Annotated[str, Meta(description="The address that sent the message.")]
    raw: Annotated[
        str,
        Meta(
            description="A JSON string with `from_name`, `to_name`, `to_mail`, `subject`, "
            "`is_html`, `content` and `status` of the message.",
            extra_json_schema={"contentMediaType": "application/json"},
        ),
    ]
    created_at: Annotated[
        str, Meta(description="The time of acceptance, `YYYY-MM-DD HH:MM:SS` in UTC.")
    ]
    status: Annotated[Status, Meta(description="The status of the message.")]
    delivery_status: Annotated[
        DeliveryStatus | None,
        Meta(
            description="The highest delivery status among the recipients: `sent`, `delayed`, "
            "`delivered`, `rejected`, `failed`, `bounced`, `complained`, in this order. Null if "
            "the message was not sent and has no event."
        ),
    ]
    delivery_count: Annotated[
        int | None, Meta(description="The number of recipients that have `delivery_status`.")
    ]
    recipient_count: Annotated[int, Meta(description="The number of recipients.")]
    scheduled_at: Annotated[
        str | None, Meta(description="The scheduled time, in ISO 8601 (UTC), if it has one.")
    ]
    content_truncated: Annotated[
        bool | UnsetType,
        Meta(
            description="`true` if the content is not complete, otherwise missing. In a list, a "
            "content of more than 64 KiB has only its first 16,384 characters. If the contents of "
            "a page by `offset` exceed 2 MiB together, those beyond the first 2 MiB have only "
            "their first 1,000 characters each. In the response for one message, if `text` and "
            "`html` together exceed 1 MiB, each has only its first 100,000 characters."
        ),
    ] = UNSET


class SendboxPage(Struct, kw_only=True):
    """Messages, newest first."""

    results: Annotated[list[SendboxEntry], Meta(description="The messages of this page.")]
    count: Annotated[
        int | UnsetType,
        Meta(
            description="The total number of messages, in a search and in `GET /admin/sendbox` at "
            "most 1,000. Only without `cursor`."
        ),
    ] = UNSET
    next_cursor: Annotated[
        str | UnsetType | None,
        Meta(
            description="The `cursor` of the next page; null on the last page. Only with `cursor`."
        ),
    ] = UNSET


class SentMailbox(Struct):
    """A mailbox of a message."""

    address: Annotated[str, Meta(description="The mail address.")]
    name: Annotated[str | None, Meta(description="The display name.")]


class SentTo(Struct):
    """A recipient of a message."""

    kind: Annotated[
        RecipientKind, Meta(description="The field of the mail that lists the recipient.")
    ]
    address: Annotated[str, Meta(description="The mail address.")]
    name: Annotated[str | None, Meta(description="The display name.")]
    status: Annotated[
        RecipientStatus,
        Meta(description="The delivery status if there is one, otherwise that of the message."),
    ]
    code: Annotated[str | None, Meta(description="The provider's code that explains the status.")]
    explanation: Annotated[str | None, Meta(description="A sentence that explains `code`.")]
    delivery_status: Annotated[
        DeliveryStatus | None,
        Meta(
            description="What became of the mail for this recipient, as its delivery events say; "
            "`sent` before the first event, and null if the message was not sent and has no event."
        ),
    ]
    delivery_status_at: Annotated[
        str | None,
        Meta(description="The time of the event that led to this status, in ISO 8601 (UTC)."),
    ]
    permanent: Annotated[
        bool | None,
        Meta(
            description="For `bounced`: whether the failure is permanent. Null if it is not known."
        ),
    ]
    smtp_code: Annotated[
        str | None, Meta(description="The status code of the receiving server, like `550`.")
    ]
    enhanced_code: Annotated[
        str | None,
        Meta(description="Its enhanced status code (RFC 3463), like `5.1.1`."),
    ]
    smtp_response: Annotated[
        str | None,
        Meta(description="The response of the receiving server, at most 500 characters."),
    ]
    reason: Annotated[str | None, Meta(description="The provider's word for the cause.")]


class Event(Struct):
    """An event in the history of a message."""

    event: Annotated[EventKind, Meta(description="The kind of event.")]
    at: Annotated[str, Meta(description="The time of the event, in ISO 8601 (UTC).")]
    attempt: Annotated[int, Meta(description="The number of the attempt; 0 before the first one.")]
    code: Annotated[str | None, Meta(description="The provider's code that explains the event.")]
    explanation: Annotated[
        str | UnsetType, Meta(description="A sentence that explains `code`, if there is one.")
    ] = UNSET
    transport: Annotated[str | UnsetType, Meta(description="The transport of the attempt.")] = UNSET
    next_transport: Annotated[
        str | UnsetType,
        Meta(description="The transport of the next attempt, if it is another one."),
    ] = UNSET
    recipient: Annotated[
        str | UnsetType, Meta(description="The recipient, if the event concerns only one.")
    ] = UNSET
    adaptations: Annotated[
        list[str] | UnsetType,
        Meta(description="In the event `accepted`: the `adaptations` of the message, if any."),
    ] = UNSET
    smtp_code: Annotated[
        str | UnsetType, Meta(description="The status code of the receiving server.")
    ] = UNSET
    enhanced_code: Annotated[
        str | UnsetType, Meta(description="Its enhanced status code (RFC 3463).")
    ] = UNSET
    smtp_response: Annotated[
        str | UnsetType, Meta(description="The response of the receiving server.")
    ] = UNSET
    reason: Annotated[str | UnsetType, Meta(description="The provider's word for the cause.")] = (
        UNSET
    )
    settled_by: Annotated[
        str | UnsetType,
        Meta(
            description="The id of the delivery event that reported the outcome, if it was not "
            "the provider's response to the attempt."
        ),
    ] = UNSET


class SendboxMessage(SendboxEntry, kw_only=True):
    """A message with its content, recipients and history."""

    message_id: Annotated[
        str | None, Meta(description="The Message-ID that the provider assigned.")
    ]
    request_id: Annotated[
        str | None, Meta(description="The id of the request that submitted the message.")
    ]
    retry_of: Annotated[
        str | None, Meta(description="The id of the message that this one retries.")
    ]
    retried_as: Annotated[
        str | None, Meta(description="The id of the message that retries this one.")
    ]
    code: Annotated[str | None, Meta(description="The provider's code for the failure.")]
    reason: Annotated[
        Reason | None, Meta(description="The kind of the failure, independent of the provider.")
    ]
    explanation: Annotated[
        str | None, Meta(description="A sentence that explains the failure, for people.")
    ]
    attempts: Annotated[int, Meta(description="The number of attempts.")]
    transport: Annotated[
        str | None,
        Meta(
            description="The transport of the last attempt, or of the next one if none was made "
            "yet; null for sandbox recipients."
        ),
    ]
    next_attempt_at: Annotated[
        str | None,
        Meta(
            description="The time of the next attempt, in ISO 8601 (UTC); null if none will follow."
        ),
    ]
    finished_at: Annotated[
        str | None,
        Meta(description="The time when the message reached a final status, in ISO 8601 (UTC)."),
    ]
    reply_to: Annotated[SentMailbox | None, Meta(description="The mailbox for replies.")]
    headers: Annotated[dict[str, str], Meta(description="The additional header fields, by name.")]
    tags: Annotated[list[Tag], Meta(description="The tags.")]
    attachments: Annotated[
        list[AttachmentInfo], Meta(description="The attachments, without their content.")
    ]
    adaptations: Annotated[
        list[str],
        Meta(description="What the SMTP relay has changed in the mail, one sentence per change."),
    ]
    text: Annotated[
        str | None, Meta(description="The plain text; null if there is none or it was deleted.")
    ]
    html: Annotated[
        str | None, Meta(description="The HTML; null if there is none or it was deleted.")
    ]
    recipients: Annotated[
        list[SentTo], Meta(description="The recipients, in the order of the request.")
    ]
    history: Annotated[list[Event], Meta(description="The events of the message, oldest first.")]


def summary(row: Row) -> SendboxEntry:
    """The list entry for a row of ``store.sendbox``."""
    return SendboxEntry(**_common(row))


def page_by_cursor(rows: list[Row], following: str | None) -> SendboxPage:
    """A page by cursor; ``following`` is the cursor of the next page.

    The page ends before the message whose content exceeds the maximum size of a page. The next page
    has this content uncut.
    """
    fitting = list(takewhile(lambda row: not row["exceeds_page"], rows))
    if len(fitting) < len(rows):
        following = fitting[-1]["id"]
    return SendboxPage(results=[summary(row) for row in fitting], next_cursor=following)


def whole_page(rows: list[Row], *, by_cursor: bool) -> SendboxPage:
    """The only page of a list with these rows."""
    if by_cursor:
        return page_by_cursor(rows, None)
    return SendboxPage(results=[summary(row) for row in rows], count=len(rows))


def detail(message: StoredMessage, language: str) -> SendboxMessage:
    """The full view of a stored message, with explanations in ``language``."""
    row, first = message.row, message.recipients[0]
    details = decode_details(row["details"])
    text, html = body_of(message.bodies, "text"), body_of(message.bodies, "html")
    as_listed = {
        **row,
        "recipient": first["address"],
        "recipient_name": first["name"],
        "body_kind": "text" if html is None else "html",
        "content": text if html is None else html,
        "truncated": is_truncated(message.bodies),
    }
    delivered = sorted(message.delivery_events, key=_ranked)
    top = {event["position"]: event for event in delivered}
    return SendboxMessage(
        **_common(as_listed),
        message_id=row["provider_message_id"],
        request_id=row["request_id"],
        retry_of=row["retry_of"],
        retried_as=row["retried_as"],
        code=row["provider_code"],
        reason=row["reason"],
        explanation=_explanation(row["provider_code"], language),
        attempts=row["attempt"],
        transport=row["transport"],
        next_attempt_at=_time(row["next_attempt_at"]),
        finished_at=_time(row["finished_at"]),
        reply_to=_mailbox(details.reply_to),
        headers={header.name: header.value for header in details.headers},
        tags=list(details.tags),
        attachments=list(details.attachments),
        adaptations=list(details.adaptations),
        text=text,
        html=html,
        recipients=[
            _recipient(row, recipient, top.get(position), language)
            for position, recipient in enumerate(message.recipients)
        ],
        history=[
            _event(event, language) for event in _history(message, details.adaptations, delivered)
        ],
    )


def _history(
    message: StoredMessage, adaptations: Sequence[str], delivered: Sequence[Row]
) -> list[Row]:
    """The acceptance, the events and the delivery events of a message, the oldest first."""
    accepted = {
        "kind": "accepted",
        "occurred_at": message.row["accepted_at"],
        "attempt": 0,
        "adaptations": list(adaptations),
    }
    named = [
        {**event, "recipient": message.recipients[event["position"]]["address"]}
        for event in delivered
    ]
    return sorted((accepted, *message.events, *named), key=lambda event: event["occurred_at"])


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
        "delivery_status": row["delivery_status"],
        "delivery_count": row["delivery_count"],
        "recipient_count": row["recipient_count"],
        "scheduled_at": _time(row["scheduled_at"]),
        "content_truncated": True if row.get("truncated") else UNSET,
    }


def _ranked(event: Row) -> tuple[int, int]:
    return rank(event["kind"]), event["occurred_at"]


def _recipient(message: Row, recipient: Row, top: Row | None, language: str) -> SentTo:
    """The view of a recipient.

    :param top: the delivery event that led to its status, None if there is none.
    """
    code = None if top else message["provider_code"]
    event = top or {}
    permanent = event.get("is_permanent")
    return SentTo(
        **recipient,
        status=event.get("kind") or message["status"],
        code=code,
        explanation=_explanation(code, language),
        delivery_status=event.get("kind") or ("sent" if message["status"] == "sent" else None),
        delivery_status_at=_time(event.get("occurred_at")),
        permanent=None if permanent is None else bool(permanent),
        smtp_code=event.get("smtp_code"),
        enhanced_code=event.get("enhanced_code"),
        smtp_response=event.get("response"),
        reason=event.get("reason"),
    )


def _event(event: Row, language: str) -> Event:
    code = event.get("provider_code")
    return Event(
        event=event["kind"],
        at=iso_time(event["occurred_at"]),
        attempt=event["attempt"],
        code=code,
        explanation=_explanation(code, language) or UNSET,
        transport=event.get("transport") or UNSET,
        next_transport=event.get("next_transport") or UNSET,
        recipient=event.get("recipient") or UNSET,
        adaptations=event.get("adaptations") or UNSET,
        smtp_code=event.get("smtp_code") or UNSET,
        enhanced_code=event.get("enhanced_code") or UNSET,
        smtp_response=event.get("response") or UNSET,
        reason=event.get("reason") or UNSET,
        settled_by=event.get("settled_by") or UNSET,
    )


def _explanation(code: str | None, language: str) -> str | None:
    """The sentence about the provider's code, in ``language``; None if there is no code."""
    if code is None:
        return None
    return sentence(provider_sentence(code, "provider_refused"), language, {"provider_code": code})


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else iso_time(milliseconds)


def _mailbox(mailbox: Mailbox | None) -> SentMailbox | None:
    return SentMailbox(str(mailbox.address), mailbox.name) if mailbox else None
