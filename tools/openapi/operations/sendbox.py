"""`/api/sendbox` and `/api/clear_sent_items`."""

import json

import msgspec

from api.sendbox import (
    Event,
    SendboxEntry,
    SendboxMessage,
    SendboxPage,
    SentAttachment,
    SentMail,
    SentMailbox,
    SentTo,
)
from api.success import Success as Done
from mail.fields import TagField
from tools.openapi.operation import Operation, Parameter, Success
from tools.openapi.operations.sending import IDEMPOTENCY_KEY, NOT_SENT, QUEUED, TAKEN
from tools.openapi.samples import (
    ADDRESS,
    CREATED_AT,
    FILE,
    FILE_SHA256,
    FILE_SIZE,
    FINISHED_AT,
    MESSAGE_ID,
    PROVIDER_MESSAGE_ID,
    REQUEST_ID,
)

_HTML = '<p>Thank you. <img src="cid:logo"></p>'
_SENT = SentMail(
    from_name="Alice",
    to_name="Bob",
    to_mail="bob@example.org",
    subject="Your order",
    is_html=True,
    content=_HTML,
    status="sent",
)
_RAW = json.dumps(msgspec.to_builtins(_SENT))
ENTRY = SendboxEntry(
    id=MESSAGE_ID, address=ADDRESS, raw=_RAW, created_at="2026-11-20 09:30:00", status="sent"
)
_MESSAGE = SendboxMessage(
    **msgspec.to_builtins(ENTRY),
    message_id=PROVIDER_MESSAGE_ID,
    request_id=REQUEST_ID,
    retry_of=None,
    retried_as=None,
    code=None,
    attempts=1,
    next_attempt_at=None,
    finished_at=FINISHED_AT,
    scheduled_at=None,
    reply_to=SentMailbox("help@example.com", "Help"),
    headers={"X-Order": "4711"},
    tags=[TagField("kind", "order")],
    attachments=[
        SentAttachment(FILE["filename"], FILE["content_type"], "logo", FILE_SIZE, FILE_SHA256)
    ],
    text="Thank you.",
    html=_HTML,
    recipients=[
        SentTo("to", "bob@example.org", "Bob", "delivered", None),
        SentTo("cc", "dave@example.org", None, "sent", None),
    ],
    history=[
        Event("accepted", CREATED_AT, 0, None),
        Event("sent", FINISHED_AT, 1, None),
        Event("delivered", "2026-11-20T09:30:02.711Z", 1, None, recipient="bob@example.org"),
    ],
)

_CURSOR_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ID = Parameter(
    name="id",
    where="path",
    description="The id of a message.",
    schema={"type": "string", "minLength": 1},
    example=MESSAGE_ID,
)
LIMIT = Parameter(
    name="limit",
    where="query",
    description="How many rows a page has at most.",
    schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    example=20,
)
CURSOR = Parameter(
    name="cursor",
    where="query",
    description="Where the page begins: empty for the newest row, then the "
    "`next_cursor` of the page before.",
    schema={"type": "string", "pattern": f"^({_CURSOR_PATTERN})?$"},
    example=MESSAGE_ID,
)
OFFSET = Parameter(
    name="offset",
    where="query",
    description="How many of the first rows are left out. Not with `cursor`.",
    schema={"type": "integer", "minimum": 0, "maximum": 2**53 - 1, "default": 0},
    example=0,
)
# What may keep a message from being deleted
IN_FLIGHT = ("message_not_found", "message_in_flight")
_DONE = Success(description="It is done.", type=Done, examples={"done": Done(success=True)})

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/sendbox",
        id="listMessages",
        tag="Sendbox",
        summary="List what was sent, or search it",
        description="The messages of the address, newest first; with `q` those that it finds. "
        "With `cursor` a page costs the same wherever it begins.",
        parameters=(
            LIMIT,
            Parameter(
                name="q",
                where="query",
                description="Words to be found, all of them, in subject, recipients or the "
                "beginning of the text. The last one may be unfinished.",
                schema={"type": "string", "maxLength": 200},
                example="order",
            ),
            CURSOR,
            OFFSET,
        ),
        answers=(
            Success(
                description="A page of messages.",
                type=SendboxPage,
                examples={
                    "page": SendboxPage(results=[ENTRY], count=1),
                    "cursor": SendboxPage(results=[ENTRY], next_cursor=MESSAGE_ID),
                    "end": SendboxPage(results=[ENTRY], next_cursor=None),
                },
            ),
        ),
        refusals=(
            *("invalid_limit", "invalid_offset", "invalid_cursor", "offset_with_cursor"),
            "invalid_q",
        ),
    ),
    Operation(
        method="GET",
        path="/api/sendbox/{id}",
        id="getMessage",
        tag="Sendbox",
        summary="Get one message",
        description="One message of the address: what it says, its recipients, its status and its "
        "whole history.",
        parameters=(ID,),
        answers=(
            Success(description="The message.", type=SendboxMessage, examples={"sent": _MESSAGE}),
        ),
        refusals=("message_not_found",),
    ),
    Operation(
        method="DELETE",
        path="/api/sendbox/{id}",
        id="deleteMessage",
        tag="Sendbox",
        summary="Delete a message",
        description="What is scheduled or queued is cancelled, and its charge given back; what has "
        "ended loses its text and leaves the lists.",
        parameters=(ID,),
        answers=(_DONE,),
        refusals=("user_delete_disabled", *IN_FLIGHT),
    ),
    Operation(
        method="DELETE",
        path="/api/clear_sent_items",
        id="clearMessages",
        tag="Sendbox",
        summary="Delete all messages",
        description="The same for all messages of the address, but for those that are being sent "
        "right now: they stay.",
        answers=(_DONE,),
        refusals=("user_delete_disabled",),
    ),
    Operation(
        method="POST",
        path="/api/sendbox/{id}/retry",
        id="retryMessage",
        tag="Sendbox",
        summary="Send a message again",
        description="Sends again, as a new message, what failed or whose outcome is unknown. An "
        "unknown message may have gone out: then its recipients get it twice. What had "
        "attachments can't be sent again, as they are not kept.",
        parameters=(ID, IDEMPOTENCY_KEY),
        answers=(TAKEN, QUEUED),
        refusals=(
            *("message_not_found", "not_retryable", "already_retried", "content_removed"),
            *NOT_SENT,
        ),
    ),
)
