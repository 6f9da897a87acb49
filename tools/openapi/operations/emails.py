"""`/emails`: the API of Resend."""

from typing import Annotated, Any

from msgspec import Meta

from api.emails import (
    MAX_BATCH,
    MAX_PAGE,
    Batch,
    BatchError,
    Email,
    EmailId,
    EmailObject,
    EmailPage,
    ListedEmail,
    NewEmail,
    NewTime,
)
from mail.fields import TagField
from tools.openapi.operation import Body, Operation, Parameter, Success
from tools.openapi.operations.sending import (
    BEFORE_SENDING,
    IDEMPOTENCY_KEY,
    NOT_SENT,
    WRONG_FIELDS,
)
from tools.openapi.samples import (
    ADDRESS,
    CREATED_AT,
    FILE,
    MESSAGE_ID,
    OLDER_MESSAGE_ID,
    PROVIDER_MESSAGE_ID,
    SCHEDULED_AT,
)

_SENDER = f"Alice <{ADDRESS}>"
_PLAIN = {"from": _SENDER, "to": "bob@example.org", "subject": "Hello", "text": "Hello, Bob"}
_FULL = {
    "from": _SENDER,
    "to": ["Bob <bob@example.org>", "carol@example.org"],
    "cc": "dave@example.org",
    "reply_to": "help@example.com",
    "subject": "Your order",
    "html": '<p>Thank you. <img src="cid:logo"></p>',
    "headers": {"X-Order": "4711"},
    "attachments": [{**FILE, "content_id": "logo"}],
    "tags": [{"name": "kind", "value": "order"}],
    "scheduled_at": SCHEDULED_AT,
}
_OTHER = {**_PLAIN, "to": "carol@example.org", "text": "Hello, Carol"}
# The mails of a batch are decoded one by one, so that one may be wrong and the others sent.
_NewBatch = Annotated[list[NewEmail], Meta(min_length=1, max_length=MAX_BATCH)]

_LISTED: dict[str, Any] = {
    "id": MESSAGE_ID,
    "message_id": PROVIDER_MESSAGE_ID,
    "to": ["Bob <bob@example.org>"],
    "cc": [],
    "bcc": [],
    "reply_to": [],
    "subject": "Hello",
    "created_at": CREATED_AT,
    "scheduled_at": None,
}
_CHANGED = {"changed": EmailObject(MESSAGE_ID)}

_ID = Parameter(
    name="id",
    where="path",
    description="The id of a mail.",
    schema={"type": "string", "minLength": 1},
    example=MESSAGE_ID,
)
_WRONG_EMAIL = (
    *("unknown_field", "required_field_missing", "invalid_from", "from_not_own"),
    *("template_unsupported", "topic_unsupported", "attachment_path_unsupported"),
    *WRONG_FIELDS,
)
_WRONG_TIME = ("scheduled_at_invalid", "scheduled_in_past", "scheduled_too_far")
# A mail with attachments or a time is none of a batch, and a batch is answered without waiting.
_NOT_OF_A_BATCH = {
    *(name for name in _WRONG_EMAIL if name.startswith("attachment")),
    *_WRONG_TIME,
    "idempotency_in_flight",
}

OPERATIONS = (
    Operation(
        method="POST",
        path="/emails",
        id="sendEmail",
        tag="Emails",
        summary="Send an email",
        description="Sends a mail, at once or at `scheduled_at`. What became of it "
        "`GET /emails/{id}` tells. Test recipients are those of `POST /api/send_mail`, not those "
        "of Resend.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(type=NewEmail, examples={"plain": _PLAIN, "full": _FULL}),
        answers=(
            Success(
                description="The mail is sent or scheduled, or kept until the provider takes it.",
                type=EmailId,
                examples={"accepted": EmailId(MESSAGE_ID)},
                headers=("Idempotent-Replayed",),
            ),
        ),
        refusals=(*_WRONG_EMAIL, *NOT_SENT),
    ),
    Operation(
        method="POST",
        path="/emails/batch",
        id="sendEmails",
        tag="Emails",
        summary="Send many emails",
        description=f"Sends up to {MAX_BATCH} mails, or none where one of them is refused. With "
        "`x-batch-validation: permissive` those are sent that can be. A body has at most 10 MiB. "
        "The path of a field begins with the place of its mail: `[3].to`.",
        parameters=(
            IDEMPOTENCY_KEY,
            Parameter(
                name="x-batch-validation",
                where="header",
                description="Whether one mail that is refused keeps the others from being sent.",
                schema={"enum": ["strict", "permissive"], "default": "strict"},
                example="permissive",
            ),
        ),
        body=Body(
            type=_NewBatch,
            examples={"two": [_PLAIN, _OTHER]},
        ),
        answers=(
            Success(
                description="The mails are accepted: all of them, or of a permissive batch those "
                "that `errors` does not name.",
                type=Batch,
                examples={
                    "strict": Batch([EmailId(OLDER_MESSAGE_ID), EmailId(MESSAGE_ID)]),
                    "permissive": Batch(
                        [EmailId(MESSAGE_ID)], [BatchError(1, "`subject`: Subject is empty")]
                    ),
                },
                headers=("Idempotent-Replayed",),
            ),
        ),
        refusals=(
            *("batch_size", "batch_with_attachments", "batch_with_schedule"),
            "batch_over_rate_limit",
            *("batch_too_long", "batch_too_large", "invalid_batch_validation"),
            *(name for name in (*_WRONG_EMAIL, *BEFORE_SENDING) if name not in _NOT_OF_A_BATCH),
        ),
    ),
    Operation(
        method="GET",
        path="/emails",
        id="listEmails",
        tag="Emails",
        summary="List emails",
        description="The mails of the address, newest first.",
        parameters=(
            Parameter(
                name="limit",
                where="query",
                description="How many mails a page has at most.",
                schema={"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 20},
                example=20,
            ),
            Parameter(
                name="after",
                where="query",
                description="The id of the mail that the page follows: the last one of the page "
                "before.",
                schema={"type": "string"},
                example=MESSAGE_ID,
            ),
            Parameter(
                name="before",
                where="query",
                description="The id of the mail that the page ends before. Not with `after`.",
                schema={"type": "string"},
                example=OLDER_MESSAGE_ID,
            ),
        ),
        answers=(
            Success(
                description="A page of mails.",
                type=EmailPage,
                examples={
                    "page": EmailPage(
                        has_more=False,
                        data=[
                            ListedEmail(**_LISTED, sender=_SENDER, last_event="sent", status="sent")
                        ],
                    )
                },
            ),
        ),
        refusals=("invalid_limit", "invalid_cursor", "two_cursors"),
    ),
    Operation(
        method="GET",
        path="/emails/{id}",
        id="getEmail",
        tag="Emails",
        summary="Get one email",
        description="One mail of the address, and what became of it.",
        parameters=(_ID,),
        answers=(
            Success(
                description="The mail.",
                type=Email,
                examples={
                    "delivered": Email(
                        **_LISTED,
                        sender=_SENDER,
                        last_event="delivered",
                        status="sent",
                        text="Hello, Bob",
                        html=None,
                        tags=[TagField("kind", "greeting")],
                    ),
                },
            ),
        ),
        refusals=("message_not_found",),
    ),
    Operation(
        method="PATCH",
        path="/emails/{id}",
        id="rescheduleEmail",
        tag="Emails",
        summary="Send an email at another time",
        description="Gives a scheduled mail another time.",
        parameters=(_ID,),
        body=Body(type=NewTime, examples={"later": {"scheduled_at": SCHEDULED_AT}}),
        answers=(
            Success(description="It has that time now.", type=EmailObject, examples=_CHANGED),
        ),
        refusals=(
            *("unknown_field", "required_field_missing", "id_mismatch", *_WRONG_TIME),
            *("message_not_found", "not_scheduled"),
        ),
    ),
    Operation(
        method="POST",
        path="/emails/{id}/cancel",
        id="cancelEmail",
        tag="Emails",
        summary="Cancel an email",
        description="Gives up a mail that is scheduled, or waits for the provider, and gives its "
        "charge back.",
        parameters=(_ID,),
        answers=(Success(description="It will not be sent.", type=EmailObject, examples=_CHANGED),),
        refusals=("message_not_found", "not_cancellable"),
    ),
)
