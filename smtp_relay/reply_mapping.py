"""Maps a response of the API to the SMTP reply to the message."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from smtp_relay import replies
from smtp_relay.api_response import ApiResponse

# The replies to error codes (docs/errors.md). They are more precise than the replies by status.
_BY_CODE = {
    "invalid_credential": "535 5.7.8",
    "site_password_required": "451 4.3.5",
    "binding_missing": "451 4.3.5",
    "secret_missing": "451 4.3.5",
    "invalid_setting": "451 4.3.5",
    "database_refused": "451 4.3.5",
    "invalid_recipient": "550 5.1.3",
    "too_many_recipients": "554 5.5.3",
    "no_balance": "550 5.7.1",
    "address_blocked": "550 5.7.1",
    "address_paused": "550 5.7.1",
    "recipient_suppressed": "550 5.7.1",
    "daily_quota_reached": "550 5.7.1",
    "monthly_quota_reached": "550 5.7.1",
    "invalid_sender_domain": "550 5.7.1",
    "send_mail_not_enabled": "550 5.7.1",
    "outcome_unknown": "554 5.3.0",
    # Codes of the provider, which the API returns unchanged.
    "E_CONTENT_TOO_LARGE": "552 5.3.4",
    "E_RECIPIENT_NOT_ALLOWED": "550 5.7.1",
    "E_RECIPIENT_SUPPRESSED": "550 5.7.1",
}
_BY_STATUS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "535 5.7.8",
    HTTPStatus.FORBIDDEN: "550 5.7.1",
    HTTPStatus.NOT_FOUND: "451 4.3.5",
    HTTPStatus.METHOD_NOT_ALLOWED: "451 4.3.5",
    HTTPStatus.REQUEST_TIMEOUT: "451 4.3.0",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "552 5.3.4",
    HTTPStatus.TOO_MANY_REQUESTS: "451 4.7.1",
    HTTPStatus.BAD_GATEWAY: "554 5.3.0",
    HTTPStatus.SERVICE_UNAVAILABLE: "451 4.3.0",
}
_RETRYABLE = "451 4.3.0"
_PERMANENT = "554 5.6.0"


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a message.

    ``result`` is its key in ``Metrics.messages``. ``code`` is an error code of the API or of the
    relay, or None. ``message_id`` is the API's id of an accepted message, or None.
    """

    text: str
    result: str
    code: str | None = None
    message_id: str | None = None

    @property
    def has_login_ended(self) -> bool:
        """Whether the API no longer accepts the client's credential."""
        return self.code == "invalid_credential"


def outcome_unknown(code: str | None = None, *, repeatable: bool) -> Reply:
    """The reply if it is not known whether the message was sent.

    :param repeatable: as in ``reply_to_mail``.
    """
    return Reply(replies.API_SILENT if repeatable else replies.OUTCOME_UNKNOWN, "unknown", code)


def reply_to_mail(response: ApiResponse, labels: Mapping[str, str], *, repeatable: bool) -> Reply:
    """The reply to a message, from the ``response`` of the API.

    :param labels: readable names for fields of the request, see ``Request.labels``.
    :param repeatable: the request has an idempotency key, so a retry can't send a second mail.
    """
    message_id = response.message_id
    if message_id:
        text = f"250 2.0.0 Ok: queued as {message_id}"
        return Reply(text, "accepted", response.code, message_id)
    if response.is_uncertain:
        return outcome_unknown(response.code, repeatable=repeatable)
    status = _BY_CODE.get(response.code or "") or _by_status(response)
    text = response.detail + "".join(_field_errors(response, labels))
    is_temporary = status.startswith("4")
    if is_temporary and response.retry_after and response.retry_after.isdigit():  # it may be a date
        text += f" (retry after {response.retry_after} s)"
    result = "temporary" if is_temporary else "permanent"
    if response.code == "outcome_unknown":
        result = "unknown"
    return Reply(f"{status} {text}", result, response.code)


def _by_status(response: ApiResponse) -> str:
    otherwise = _RETRYABLE if response.body.get("retryable") is True else _PERMANENT
    return _BY_STATUS.get(response.status, otherwise)


def _field_errors(response: ApiResponse, labels: Mapping[str, str]) -> list[str]:
    """The invalid fields and their error messages, except those that the detail contains.

    A message in the detail needs no field, unless the field is one of several: a recipient, an
    attachment or a header.
    """
    errors = response.body.get("errors")
    texts = []
    for error in errors if isinstance(errors, list) else []:
        if not isinstance(error, dict):
            continue
        name, message = str(error.get("field", "")), str(error.get("message", ""))
        item = name.partition("]")[0] + "]" if "]" in name else name
        label = labels.get(item, name.removeprefix("headers."))
        detail = response.detail.lower()
        if message.lower() in detail:
            is_one_of_several = item in labels or name.startswith("headers.")
            texts += [f"; {label}"] if is_one_of_several and label.lower() not in detail else []
        else:
            texts.append(f"; {message}" if label in message else f"; {label}: {message}")
    return texts
