"""``POST /admin/send_mail_by_binding``: send a mail in the fields of the ``send_email`` binding."""

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct

from errors import BadRequest, FieldError
from handlers.admin.send_mail import send_as_administrator
from handlers.send_mail import ResponseStatus, Warnings, shown_warnings, success_response
from mail.addresses import InvalidAddress
from mail.compose import Origin, compose
from mail.fields import Base64Attachment, Mailboxes, MailboxField, MailFields
from mail.mailbox import parse_mailbox
from mail.message import Mailbox
from sending.submission import sender_policy
from web.body import read_json
from web.context import RequestContext
from web.query import required
from web.responses import Response


class BindingAttachment(Base64Attachment, kw_only=True):
    """An attached file, in the fields of the binding."""

    content_type: Annotated[
        str | None, Meta(description="The media type. The default depends on the filename.")
    ] = msgspec.field(default=None, name="type")
    content_id: Annotated[
        str | None,
        Meta(description="Makes the file inline. The HTML refers to it as `cid:<contentId>`."),
    ] = msgspec.field(default=None, name="contentId")


class BindingMail(MailFields, kw_only=True):
    """A mail in the fields of the provider's binding; mailboxes are strings or objects."""

    sender: Annotated[
        str | MailboxField | None,
        Meta(
            description="The sender, in any domain of `SEND_MAIL_DOMAINS`; if that is empty, in "
            "any domain. Required."
        ),
    ] = msgspec.field(default=None, name="from")
    reply_to: Annotated[
        Mailboxes, Meta(description="The mailbox for replies. Of several, only the first is used.")
    ] = msgspec.field(default=None, name="replyTo")
    attachments: Annotated[
        list[BindingAttachment] | None, Meta(description="At most 100 files.")
    ] = None


class BindingResponse(Struct):
    """The status of a submitted message."""

    status: ResponseStatus
    warnings: Warnings = UNSET


# The names of fields in the request, where `compose` uses other names.
_NAMES = {"from_name": "from", "to_mail": "to", "reply_to": "replyTo", "content": "text"}


async def send(context: RequestContext) -> Response:
    """Send a message in the provider's fields.

    Works like `POST /admin/send_mail`, but the body has the fields of the `send_email` binding, and
    the sender can have any domain in `SEND_MAIL_DOMAINS`.

    :header Idempotency-Key:
    :body BindingMail:
    :response 200 BindingResponse: The provider accepted the message.
    :response 202 BindingResponse: The provider accepts no messages for now. The message is stored
        and will be sent automatically.
    :errors: binding_not_enabled, invalid_sender, required_field_missing,
        required_field_missing.422, MESSAGE, ATTACHMENTS, SENDING, OUTCOME
    :operation sendMailByBinding: Administration
    """
    if not context.services.can_send:
        raise BadRequest("binding_not_enabled")
    body = await read_json(context.request, BindingMail)
    required(body.sender, "from")
    sender = _sender(body.sender or "")
    # The sender's domain need not be in DOMAINS.
    policy = replace(sender_policy(context), domains=(sender.address.domain,))
    origin = Origin(address=str(sender.address), name=sender.name, names=_NAMES)
    message = compose(body, origin, policy, warnings=context.warnings)
    result = await send_as_administrator(context, message)
    warnings = shown_warnings(context)
    return success_response(result, lambda status: BindingResponse(status, warnings))


def _sender(given: str | MailboxField) -> Mailbox:
    try:
        return parse_mailbox(given)
    except InvalidAddress as error:
        problem = FieldError("from", error.code, error.values)
        raise BadRequest("invalid_sender", errors=(problem,)) from error
