"""The ``send_email`` binding (Cloudflare Email Service), in its builder form."""

import re
from collections.abc import Awaitable
from typing import Any

from mail.message import Attachment, Message, RecipientKind
from runtime.provider import ProviderError, ProviderSilent, call_send
from transport.outcome import ANSWER_SECONDS, TEMPORARY_CODES, Outcome, Refused, Sent, Unknown

_CODE = re.compile("E_[A-Z_]+")
# This one says that the provider itself does not know.
_INDEFINITE = frozenset({"E_INTERNAL_SERVER_ERROR"})


class SendEmailTransport:
    """Sends by the binding given."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def send(self, message: Message) -> Outcome:
        contents = [attachment.content for attachment in message.attachments]
        form = builder_form(message)
        call = call_send(self._binding, form, contents, milliseconds=ANSWER_SECONDS * 1000)
        return await _outcome(call)


def builder_form(message: Message) -> dict[str, Any]:
    """``message`` as the binding's ``send`` takes it; keys without a value are left out.

    But for ``to``, without which the local binding breaks: it may be empty. The contents of
    attachments are left out too: as bytes they go beside it.
    """
    form: dict[str, Any] = {
        "from": _mailbox(str(message.sender), message.sender_name),
        "to": _recipients(message, "to"),
        "cc": _recipients(message, "cc"),
        "bcc": _recipients(message, "bcc"),
        "replyTo": _reply_to(message),
        "subject": message.subject,
        "headers": {header.name: header.value for header in message.headers},
        "text": message.text,
        "html": message.html,
        "attachments": [_attachment(attachment) for attachment in message.attachments],
    }
    return {key: value for key, value in form.items() if value or key == "to"}


def _recipients(message: Message, kind: RecipientKind) -> list[Any]:
    return [
        _mailbox(str(recipient.address), recipient.name)
        for recipient in message.recipients
        if recipient.kind == kind
    ]


def _reply_to(message: Message) -> str | dict[str, str] | None:
    mailbox = message.reply_to
    return _mailbox(str(mailbox.address), mailbox.name) if mailbox else None


def _attachment(attachment: Attachment) -> dict[str, str]:
    form = {"filename": attachment.filename, "type": attachment.content_type}
    if attachment.content_id:
        return {**form, "disposition": "inline", "contentId": attachment.content_id}
    return {**form, "disposition": "attachment"}


def _mailbox(address: str, name: str | None) -> str | dict[str, str]:
    return {"email": address, "name": name} if name else address


async def _outcome(call: Awaitable[str | None]) -> Outcome:
    try:
        return Sent(await call)
    except ProviderError as error:
        return _failure(error.code)
    except ProviderSilent as silent:
        return Unknown(late=_outcome(silent.late))


def _failure(code: str | None) -> Refused | Unknown:
    if code is None or code in _INDEFINITE or _CODE.fullmatch(code) is None:
        return Unknown(code if code in _INDEFINITE else None)
    return Refused(code, temporary=code in TEMPORARY_CODES)
