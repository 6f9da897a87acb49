"""``POST /admin/send_mail`` and ``POST /admin/send_mail_by_binding``: mail from any address.

It costs no balance, counts towards the limits, and lies in no address's sendbox.
"""

from http import HTTPStatus

import msgspec

from accounts.credentials import Credential
from answers import Answer, json_answer
from api.admin import AdminSendMail, BindingAnswer, BindingAttachment, BindingMail
from call import Call
from handlers.admin.administrator import administrator
from handlers.decoding import read_json
from handlers.parameters import required
from handlers.send_mail import draft_of
from handlers.sending import answer, provider_fault, replay_headers, send, sender_policy
from mail.address import InvalidAddress
from mail.compose import Draft, SenderPolicy, compose
from mail.fields import AttachmentField
from mail.mailbox import parse_mailbox
from mail.message import Message
from refusals import BadRequest, FieldError
from store.reserve import Sending
from store.sendboxes import ADMINISTRATION

_decoder = msgspec.json.Decoder(AdminSendMail)
# The fields of a draft that have other names in a mail for the binding.
_POSTED_NAMES = {"from_name": "from", "to_mail": "to", "reply_to": "replyTo", "content": "text"}

_binding_decoder = msgspec.json.Decoder(BindingMail)


async def send_mail(call: Call) -> Answer:
    body = await read_json(call.request, _decoder)
    message = compose(draft_of(body, required(body.from_mail, "from_mail")), sender_policy(call))
    return answer(call, await _send(call, message))


async def by_binding(call: Call) -> Answer:
    if call.transport is None:
        raise BadRequest("binding_not_enabled")
    body = await read_json(call.request, _binding_decoder)
    required(body.sender, "from")
    try:
        sender = parse_mailbox(body.sender or "")
    except InvalidAddress as error:
        fault = FieldError("from", error.code, error.values)
        raise BadRequest("invalid_sender", errors=(fault,)) from error
    draft = Draft(
        sender=str(sender.address),
        from_name=sender.name,
        to=body.to,
        cc=body.cc,
        bcc=body.bcc,
        reply_to=body.reply_to,
        subject=body.subject,
        text=body.text,
        html=body.html,
        headers=body.headers,
        attachments=[_attachment(file) for file in body.attachments or []],
        names=_POSTED_NAMES,
    )
    # The binding itself may know more domains than this deployment.
    policy = SenderPolicy((sender.address.domain,), call.settings.send_mail_domains)
    sending = await _send(call, compose(draft, policy))
    if sending.answer_status == HTTPStatus.BAD_GATEWAY:
        raise provider_fault(sending)
    status = "ok" if sending.answer_status == HTTPStatus.OK else sending.status
    return json_answer(BindingAnswer(status), sending.answer_status, replay_headers(sending))


async def _send(call: Call, message: Message) -> Sending:
    sender = Credential(str(message.sender), ADMINISTRATION, 0)
    return await send(call, sender, message, administrator=administrator(call))


def _attachment(file: BindingAttachment) -> AttachmentField:
    return AttachmentField(file.filename, file.content, file.type, file.content_id)
