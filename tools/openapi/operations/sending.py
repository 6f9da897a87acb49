"""`/api/send_mail` and `/external/api/send_mail`."""

from typing import Any

from api.sending import SendAnswer, SendMail, SendMailWithToken
from tools.openapi.operation import Body, Operation, Parameter, Success
from tools.openapi.raised.messages import OF_FIELDS
from tools.openapi.raised.sending import BEFORE_THE_PROVIDER, OF_THE_PROVIDER
from tools.openapi.samples import (
    FILE,
    JWT,
    MESSAGE_ID,
    PROVIDER_MESSAGE_ID,
    SCHEDULED_AT,
)

IDEMPOTENCY_KEY = Parameter(
    name="Idempotency-Key",
    where="header",
    description="A word of your choice for this order. Within 24 hours the same key and the same "
    "request get the first answer again, and no second mail goes out.",
    schema={"type": "string", "minLength": 1, "maxLength": 256},
    example="order-4711",
)

# What may be wrong with the fields of a message
WRONG_FIELDS = tuple(refusal.code for refusal in OF_FIELDS)
# What may keep a message from leaving when its fields are in order
BEFORE_SENDING = tuple(refusal.code for refusal in BEFORE_THE_PROVIDER)
NOT_SENT = (*BEFORE_SENDING, *(refusal.code for refusal in OF_THE_PROVIDER))

_QUEUED = {
    "queued": SendAnswer("queued", MESSAGE_ID),
    "repeated": SendAnswer("sent", MESSAGE_ID, PROVIDER_MESSAGE_ID),
}
_REPEATED = "The same request again tells in `status` what has become of it since."

TAKEN = Success(
    description="The provider took the mail.",
    type=SendAnswer,
    examples={"sent": SendAnswer("ok", MESSAGE_ID, PROVIDER_MESSAGE_ID)},
    headers=("Idempotent-Replayed",),
)
QUEUED = Success(
    status=202,
    description="The provider takes no more for now. The mail is kept, and goes out by itself. "
    + _REPEATED,
    type=SendAnswer,
    examples=_QUEUED,
    headers=("Idempotent-Replayed",),
)
KEPT = Success(
    status=202,
    description="The mail is kept, and goes out by itself: at its time where it is scheduled, or "
    "when the provider, which takes no more for now, takes it. " + _REPEATED,
    type=SendAnswer,
    examples={"scheduled": SendAnswer("scheduled", MESSAGE_ID), **_QUEUED},
    headers=("Idempotent-Replayed",),
)

_TEXT = {
    "from_name": "Alice",
    "to_mail": "bob@example.org",
    "to_name": "Bob",
    "subject": "Hello",
    "content": "Hello, Bob",
    "is_html": False,
}
_HTML = {
    "to_mail": "bob@example.org",
    "subject": "Hello",
    "content": "<p>Hello, <b>Bob</b></p>",
    "is_html": True,
}
_FULL = {
    "from_name": "Alice",
    "to": ["Bob <bob@example.org>", {"email": "carol@example.org", "name": "Carol"}],
    "cc": "dave@example.org",
    "reply_to": "Help <help@example.com>",
    "subject": "Your order",
    "html": '<p>Thank you. <img src="cid:logo"></p>',
    "headers": {"X-Order": "4711"},
    "attachments": [{**FILE, "content_id": "logo"}],
    "tags": [{"name": "kind", "value": "order"}],
    "scheduled_at": SCHEDULED_AT,
}
_TEST = {
    "to_mail": "bounced@test.invalid",
    "subject": "Hello",
    "content": "No mail is sent to this recipient: what comes of it is rehearsed.",
}
_BODIES: dict[str, dict[str, Any]] = {"text": _TEXT, "html": _HTML, "full": _FULL, "test": _TEST}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/send_mail",
        id="sendMail",
        tag="Sending",
        summary="Send a mail",
        description="Sends a mail from the address of the credential, at once or at "
        "`scheduled_at`, and answers what is known about it. Each recipient is charged once. "
        "Nothing is sent to `delivered@`, `bounced@`, `complained@`, `suppressed@`, "
        "`ratelimited@` and `slow@test.invalid`: they cost nothing, and show what may come of a "
        "mail.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(type=SendMail, examples=_BODIES),
        answers=(TAKEN, KEPT),
        refusals=("required_field_missing.422", *WRONG_FIELDS, *NOT_SENT),
    ),
    Operation(
        method="POST",
        path="/external/api/send_mail",
        id="sendMailWithToken",
        tag="Sending",
        summary="Send a mail, with the credential in the body",
        description="The same for systems that can't set headers: the credential is the field "
        "`token`.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(
            type=SendMailWithToken,
            examples={name: {"token": JWT, **body} for name, body in _BODIES.items()},
        ),
        answers=(TAKEN, KEPT),
        refusals=(
            *("invalid_credential", "required_field_missing.422"),
            *WRONG_FIELDS,
            *NOT_SENT,
        ),
    ),
)
