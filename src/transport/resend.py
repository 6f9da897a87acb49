"""The API of Resend: https://resend.com/docs/api-reference/emails/send-email.

The idempotency key of a request is made of the id of the message. For 24 hours, Resend returns the
first response to a request with the same key and the same content, and sends nothing again. So the
content must be the same in every request.
"""

import base64
from typing import Any

import msgspec

from mail.mailbox import mailbox_text
from mail.message import Attachment, Message, RecipientKind
from transport.outcome import Outcome, Reason, Rejected, Sent, Unknown
from transport.posting import Post
from transport.routing import ResendConfig

_MAX_DETAIL = 300

# Resend's names of errors: https://resend.com/docs/api-reference/errors. The name
# ``validation_error`` has several meanings, by the status.
_REASONS: dict[str, Reason] = {
    "missing_api_key": "credentials_rejected",
    "invalid_api_key": "credentials_rejected",
    "restricted_api_key": "credentials_rejected",
    "invalid_access": "credentials_rejected",
    "invalid_from_address": "sender_not_allowed",
    "rate_limit_exceeded": "throttled",
    "daily_quota_exceeded": "quota_reached",
    "monthly_quota_exceeded": "quota_reached",
    "invalid_attachment": "content_rejected",
    "invalid_parameter": "content_rejected",
    "missing_required_field": "content_rejected",
    "invalid_idempotency_key": "provider_error",
    "security_error": "content_rejected",
}
_REASONS_OF_STATUSES: dict[int, Reason] = {
    400: "content_rejected",
    401: "credentials_rejected",
    403: "sender_not_allowed",
    413: "content_rejected",
    422: "content_rejected",
    429: "throttled",
    451: "content_rejected",
}
# An administrator can end these without a change of the mail.
_TRANSIENT = frozenset({"throttled", "quota_reached", "credentials_rejected"})

# The provider does not know the outcome. 409: the first request with this key is not finished, or
# had other content.
_INDEFINITE = (408, 409)


class _Problem(msgspec.Struct):
    name: str = ""
    message: str = ""


class _Accepted(msgspec.Struct):
    id: str


class ResendTransport:
    """Sends one mail through Resend. Sending it again does nothing twice."""

    def __init__(self, config: ResendConfig, key: str, post: Post) -> None:
        self._config, self._key, self._post = config, key, post

    async def send(self, message: Message) -> Outcome:
        headers = {
            "authorization": f"Bearer {self._config.api_key}",
            "content-type": "application/json",
            "idempotency-key": self._key,
            "user-agent": "send-mail-api",
        }
        body = msgspec.json.encode(request_form(message))
        try:
            response = await self._post(f"{self._config.url}/emails", headers, body)
        except TimeoutError:
            return Unknown(cause="timeout")
        except Exception as error:  # it is not known whether the request has arrived
            return Unknown(cause=type(error).__name__)
        return outcome_of(response.status, response.text)


def outcome_of(status: int, text: str) -> Outcome:
    """The outcome that Resend's response means."""
    if 200 <= status < 300:
        try:
            return Sent(msgspec.json.decode(text, type=_Accepted).id)
        except msgspec.MsgspecError:
            return Unknown(cause="unreadable response")
    try:
        problem = msgspec.json.decode(text, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    code = _code(problem.name, status)
    if status in _INDEFINITE or not 400 <= status < 500:
        return Unknown(code)
    reason = _REASONS.get(problem.name) or _REASONS_OF_STATUSES.get(status, "provider_error")
    return Rejected(
        reason,
        code,
        transient=reason in _TRANSIENT,
        detail=f"{status} {problem.name} {problem.message}"[:_MAX_DETAIL].strip(),
    )


def request_form(message: Message) -> dict[str, Any]:
    """``message`` in the form of ``POST /emails``, without empty values."""
    form: dict[str, Any] = {
        "from": mailbox_text(str(message.sender), message.sender_name),
        "to": _recipients(message, "to"),
        "cc": _recipients(message, "cc"),
        "bcc": _recipients(message, "bcc"),
        "reply_to": message.reply_to
        and mailbox_text(str(message.reply_to.address), message.reply_to.name),
        "subject": message.subject,
        "headers": {header.name: header.value for header in message.headers},
        "text": message.text,
        "html": message.html,
        "tags": [{"name": tag.name, "value": tag.value} for tag in message.tags],
        "attachments": [_attachment(attachment) for attachment in message.attachments],
    }
    return {key: value for key, value in form.items() if value or key == "to"}


def _recipients(message: Message, kind: RecipientKind) -> list[str]:
    return [
        mailbox_text(str(recipient.address), recipient.name)
        for recipient in message.recipients
        if recipient.kind == kind
    ]


def _attachment(attachment: Attachment) -> dict[str, str]:
    form = {
        "filename": attachment.filename,
        "content": base64.b64encode(attachment.content).decode(),
        "content_type": attachment.content_type,
    }
    return {**form, "content_id": attachment.content_id} if attachment.content_id else form


def _code(name: str, status: int) -> str:
    """The code that people see: Resend's name, or the status if there is none."""
    known = name[:60] if name.replace("_", "").isalnum() and name.isascii() else str(status)
    return f"RESEND_{known.upper()}"
