"""The ``send_email`` binding (Cloudflare Email Service), in its message builder form."""

import re
from collections.abc import Awaitable
from typing import Any, Protocol

from mail.message import Attachment, Message, RecipientKind
from transport.outcome import RESPONSE_SECONDS, Outcome, Reason, Rejected, Sent, Unknown

_CODE = re.compile("E_[A-Z_]+")
# With these codes the provider itself does not know the outcome.
_INDEFINITE = frozenset({"E_INTERNAL_SERVER_ERROR"})

# Any other code means ``content_rejected`` if it begins with E_HEADER, else ``provider_error``.
_REASONS: dict[str, Reason] = {
    "E_RECIPIENT_SUPPRESSED": "recipient_suppressed",
    "E_DELIVERY_FAILED": "recipient_rejected",
    "E_RECIPIENT_NOT_ALLOWED": "provider_error",
    "E_SENDER_NOT_VERIFIED": "sender_not_allowed",
    "E_SENDER_DOMAIN_NOT_AVAILABLE": "sender_not_allowed",
    "E_RATE_LIMIT_EXCEEDED": "throttled",
    "E_DAILY_LIMIT_EXCEEDED": "quota_reached",
    "E_VALIDATION_ERROR": "content_rejected",
    "E_FIELD_MISSING": "content_rejected",
    "E_TOO_MANY_RECIPIENTS": "content_rejected",
    "E_CONTENT_TOO_LARGE": "content_rejected",
}
_TRANSIENT = frozenset({"throttled", "quota_reached"})


class ProviderError(Exception):
    """The binding threw an exception. ``kind`` is the name of its class.

    ``code`` is the provider's ``E_...`` code, None if the exception has none. The text of the
    exception is left out, because it may quote the mail.
    """

    def __init__(self, code: str | None, kind: str) -> None:
        super().__init__(code, kind)
        self.code = code
        self.kind = kind


class ProviderTimeout(Exception):
    """The binding did not respond in time. Awaiting ``late`` returns or raises as ``send`` does."""

    def __init__(self, late: Awaitable[str | None]) -> None:
        super().__init__()
        self.late = late


class Binding(Protocol):
    """The ``send_email`` binding."""

    async def send(
        self, form: dict[str, Any], contents: list[bytes], *, milliseconds: int
    ) -> str | None:
        """Send ``form`` and return the Message-ID that the provider assigned, if any.

        :param contents: the contents of the attachments in ``form``, in the same order.
        :raises ProviderError: the binding threw an exception.
        :raises ProviderTimeout: no response within ``milliseconds``.
        """
        ...


class SendEmailTransport:
    """Sends mail through the ``send_email`` binding."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding

    async def send(self, message: Message) -> Outcome:
        contents = [attachment.content for attachment in message.attachments]
        form = builder_form(message)
        call = self._binding.send(form, contents, milliseconds=RESPONSE_SECONDS * 1000)
        return await _outcome(call)


def builder_form(message: Message) -> dict[str, Any]:
    """``message`` in the form that the binding's ``send`` takes, without empty values.

    ``to`` is always present, even if empty, because the local binding requires it. The contents of
    attachments are passed separately, as bytes.
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
        return _failure(error)
    except ProviderTimeout as timeout:
        return Unknown(cause="timeout", late=_outcome(timeout.late))


def _failure(error: ProviderError) -> Rejected | Unknown:
    code = error.code
    if code is None or code in _INDEFINITE or _CODE.fullmatch(code) is None:
        return Unknown(code if code in _INDEFINITE else None, error.kind)
    about_headers = code.startswith("E_HEADER")
    reason = _REASONS.get(code, "content_rejected" if about_headers else "provider_error")
    return Rejected(reason, code, transient=reason in _TRANSIENT)
