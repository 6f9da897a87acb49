"""`/api/sendbox`."""

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
_ENTRY = SendboxEntry(
    id=MESSAGE_ID, address=ADDRESS, raw=_RAW, created_at="2026-11-20 09:30:00", status="sent"
)
_MESSAGE = SendboxMessage(
    **msgspec.to_builtins(_ENTRY),
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

_CURSOR = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ID = Parameter(
    name="id",
    where="path",
    description="The id of a message.",
    schema={"type": "string", "minLength": 1},
    example=MESSAGE_ID,
)

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
            Parameter(
                name="limit",
                where="query",
                description="How many messages a page has at most.",
                schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
                example=20,
            ),
            Parameter(
                name="q",
                where="query",
                description="Words to be found, all of them, in subject, recipients or the "
                "beginning of the text. The last one may be unfinished.",
                schema={"type": "string", "maxLength": 200},
                example="order",
            ),
            Parameter(
                name="cursor",
                where="query",
                description="Where the page begins: empty for the newest message, then the "
                "`next_cursor` of the page before.",
                schema={"type": "string", "pattern": f"^({_CURSOR})?$"},
                example=MESSAGE_ID,
            ),
            Parameter(
                name="offset",
                where="query",
                description="How many of the newest messages are left out. Not with `cursor`.",
                schema={"type": "integer", "minimum": 0, "maximum": 2**53 - 1, "default": 0},
                example=0,
            ),
        ),
        answers=(
            Success(
                description="A page of messages.",
                type=SendboxPage,
                examples={
                    "page": SendboxPage(results=[_ENTRY], count=1),
                    "cursor": SendboxPage(results=[_ENTRY], next_cursor=MESSAGE_ID),
                    "end": SendboxPage(results=[_ENTRY], next_cursor=None),
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
        parameters=(_ID,),
        answers=(
            Success(description="The message.", type=SendboxMessage, examples={"sent": _MESSAGE}),
        ),
        refusals=("message_not_found",),
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
        parameters=(_ID, IDEMPOTENCY_KEY),
        answers=(TAKEN, QUEUED),
        refusals=(
            *("message_not_found", "not_retryable", "already_retried", "content_removed"),
            *NOT_SENT,
        ),
    ),
)
