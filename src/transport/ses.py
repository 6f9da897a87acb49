"""Amazon SES, API v2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.

The mail is sent as bytes, because the API has no fields for some headers. SES replaces its
Message-ID and its Date.
"""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from mail.message import Message
from transport.mime import message_id_of, mime_bytes, needs_smtputf8
from transport.outcome import Outcome, Reason, Rejected, Sent, Unknown
from transport.posting import Post, Response
from transport.routing import SesConfig
from transport.sigv4 import signed_headers

_MAX_DETAIL = 300
_MAX_CODE = 60

# The errors of the operation, and the common errors of AWS, that are not ``content_rejected``.
_REASONS: dict[str, Reason] = {
    "AccessDeniedException": "credentials_rejected",
    "AccountSuspendedException": "credentials_rejected",
    "ExpiredTokenException": "credentials_rejected",
    "IncompleteSignature": "credentials_rejected",
    "NotAuthorized": "credentials_rejected",
    "RequestExpired": "credentials_rejected",  # a signature of another time
    "SendingPausedException": "credentials_rejected",
    "MailFromDomainNotVerifiedException": "sender_not_allowed",
    "LimitExceededException": "quota_reached",
    "NotFoundException": "sender_not_allowed",  # the configuration set
    "TooManyRequestsException": "throttled",
    "ThrottlingException": "throttled",
    "RequestLimitExceeded": "throttled",
}
_REASONS_OF_STATUSES: dict[int, Reason] = {
    401: "credentials_rejected",
    403: "credentials_rejected",
    404: "sender_not_allowed",
    429: "throttled",
}
# What SES says in an error of another kind. It rejects with the same error what it does not like.
_SENTENCES: tuple[tuple[str, Reason], ...] = (
    ("address is not verified", "sender_not_allowed"),
    ("daily message quota", "quota_reached"),
    ("maximum sending rate", "throttled"),
    ("sending paused", "credentials_rejected"),
)
# An administrator, or time, can end these without a change of the mail.
_TRANSIENT = frozenset({"throttled", "quota_reached", "credentials_rejected"})

_TIMEOUT = 408


class _Accepted(msgspec.Struct):
    id: str = msgspec.field(name="MessageId")


class SesTransport:
    """Sends one mail through Amazon SES."""

    def __init__(self, config: SesConfig, key: str, post: Post, clock: Callable[[], int]) -> None:
        self._config, self._key, self._post, self._clock = config, key, post, clock

    async def send(self, message: Message) -> Outcome:
        if needs_smtputf8(message):
            return Rejected("recipient_rejected", "SES_NEEDS_SMTPUTF8")
        config, now = self._config, self._clock()
        mail = mime_bytes(message, message_id=message_id_of(message, self._key), date=now)
        body = msgspec.json.encode(_request(config, message, mail))
        url = f"{_origin(config)}/v2/email/outbound-emails"
        headers = signed_headers(
            url,
            body,
            region=config.region,
            service="ses",
            access_key_id=config.access_key_id,
            secret_access_key=config.secret_access_key,
            now=now,
        )
        try:
            response = await self._post(url, headers, body)
        except TimeoutError:
            return Unknown(cause="timeout")
        except Exception as error:  # it is not known whether the request has arrived
            return Unknown(cause=type(error).__name__)
        return outcome_of(config, response)


def outcome_of(config: SesConfig, response: Response) -> Outcome:
    """The outcome that the response of SES means."""
    if 200 <= response.status < 300:
        try:
            accepted = msgspec.json.decode(response.text, type=_Accepted)
        except msgspec.MsgspecError:
            return Unknown(cause="unreadable response")
        return Sent(f"<{accepted.id}@{_message_id_domain(config)}>")
    name = _error_name(response.error_type)
    code = f"SES_{name or response.status}"[:_MAX_CODE]
    if response.status == _TIMEOUT or not 400 <= response.status < 500:
        return Unknown(code)
    sentence = _sentence(response.text)
    reason = _reason(name, response.status, sentence.lower())
    detail = f"{response.status} {name} {sentence}"[:_MAX_DETAIL].strip()
    return Rejected(reason, code, transient=reason in _TRANSIENT, detail=detail)


def _reason(name: str, status: int, sentence: str) -> Reason:
    for part, reason in _SENTENCES:
        if part in sentence:
            return reason
    return _REASONS.get(name) or _REASONS_OF_STATUSES.get(status, "content_rejected")


def _sentence(text: str) -> str:
    """The sentence of an error. The name of its field begins with either letter."""
    try:
        problem = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return ""
    return str(problem.get("message") or problem.get("Message") or "")


def _error_name(error_type: str | None) -> str:
    """The name in a value like ``MessageRejected:http://internal.amazon.com/...``."""
    name = (error_type or "").partition(":")[0]
    return name if name.isascii() and name.isalnum() else ""


def _request(config: SesConfig, message: Message, mail: bytes) -> dict[str, object]:
    # The recipients get the mail by these lists, which are not part of it.
    recipients: dict[str, list[str]] = {"ToAddresses": [], "CcAddresses": [], "BccAddresses": []}
    for recipient in message.recipients:
        recipients[f"{recipient.kind.title()}Addresses"].append(str(recipient.address))
    request: dict[str, object] = {
        "FromEmailAddress": str(message.sender),
        "Destination": {name: listed for name, listed in recipients.items() if listed},
        "Content": {"Raw": {"Data": base64.b64encode(mail).decode()}},
    }
    if config.configuration_set:
        request["ConfigurationSetName"] = config.configuration_set
    return request


def _origin(config: SesConfig) -> str:
    return config.url or f"https://email.{config.region}.amazonaws.com"


def _message_id_domain(config: SesConfig) -> str:
    """The domain of the Message-IDs that SES assigns in this region."""
    if config.region == "us-east-1":
        return "email.amazonses.com"
    return f"{config.region}.amazonses.com"
