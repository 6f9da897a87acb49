"""``POST /admin/send_mail``: send from any address of the deployment.

The message costs no balance and appears in no address's sendbox, but it counts towards the daily
and monthly limits.
"""

from typing import Annotated

from msgspec import Meta

from accounts.credentials import Credential
from handlers.send_mail import shown_warnings, submission_response
from mail.compose import Origin, compose
from mail.fields import SendMail
from mail.message import Message
from mail.submission import SubmissionResult
from sending.submission import sender_policy, submit
from store.sendbox_generation import ADMINISTRATION
from web.body import read_json
from web.context import RequestContext
from web.query import required
from web.responses import Response


class AdminSendMail(SendMail, kw_only=True):
    """A mail to send as an administrator."""

    from_mail: Annotated[
        str | None, Meta(description="The sender address, in a domain of the deployment. Required.")
    ] = None


async def send(context: RequestContext) -> Response:
    """Send a message from any address.

    Works like `POST /api/send_mail`, for any sender address in the domains of the deployment. The
    message costs no balance and appears in no address's sendbox, but it counts towards the daily
    and monthly limits.

    :header Idempotency-Key:
    :body AdminSendMail:
    :response 200 SendResponse: The provider accepted the message.
    :response 202 SendResponse: The message is stored and will be sent automatically, as for `POST
        /api/send_mail`.
    :errors: required_field_missing, required_field_missing.422, MESSAGE, ATTACHMENTS, SCHEDULE,
        SENDING, OUTCOME
    :operation sendMailAsAdmin: Administration
    """
    body = await read_json(context.request, AdminSendMail)
    sender = Origin(address=required(body.from_mail, "from_mail"), name=body.from_name)
    message = compose(body, sender, sender_policy(context), warnings=context.warnings)
    result = await send_as_administrator(context, message)
    return submission_response(result, shown_warnings(context))


async def send_as_administrator(context: RequestContext, message: Message) -> SubmissionResult:
    """Send ``message`` without a charge. It appears in no address's sendbox."""
    sender = Credential(str(message.sender), ADMINISTRATION, 0)
    return await submit(context, sender, message, administrator=context.administrator)
