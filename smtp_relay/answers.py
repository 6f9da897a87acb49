"""The API's answers to a mail, and the reply that an SMTP client gets for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from smtp_relay import replies

# The codes of docs/errors.md that have a better reply than others of their status.
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
    "recipient_suppressed": "550 5.7.1",
    "daily_quota_reached": "550 5.7.1",
    "monthly_quota_reached": "550 5.7.1",
    "invalid_sender_domain": "550 5.7.1",
    "send_mail_not_enabled": "550 5.7.1",
    "outcome_unknown": "554 5.3.0",
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
_TEMPORARY = "451 4.3.0"
_PERMANENT = "554 5.6.0"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API. ``body`` is empty where it was no JSON object."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: str | None = None

    @property
    def code(self) -> str | None:
        """The word that says what is wrong, where the API itself has answered."""
        code = self.body.get("code")
        return code if isinstance(code, str) else None

    @property
    def detail(self) -> str:
        """The sentence that says it."""
        return str(self.body.get("detail") or f"The API has answered {self.status}")

    @property
    def message_id(self) -> str | None:
        """The API's id of a message that it took."""
        taken = self.status in (HTTPStatus.OK, HTTPStatus.ACCEPTED) and self.body.get("id")
        return str(taken) if taken else None

    @property
    def is_uncertain(self) -> bool:
        """Whether it says nothing certain of the mail: not the API has answered, or a bug in it.

        Cloudflare's own 5xx, 503 too, may come when the provider has the mail already.
        """
        if self.status < HTTPStatus.BAD_REQUEST:
            return self.message_id is None
        if self.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return False
        return self.code in (None, "internal_error")


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a mail, and what that is called in ``Metrics.messages``."""

    text: str
    result: str


def outcome_unknown(*, repeatable: bool) -> Reply:
    """The reply where nobody knows whether the mail was sent; as ``reply_to_mail``."""
    return Reply(replies.API_SILENT if repeatable else replies.OUTCOME_UNKNOWN, "unknown")


def reply_to_mail(answer: Answer, labels: Mapping[str, str], *, repeatable: bool) -> Reply:
    """The reply to a mail that ``answer`` came to.

    :param labels: names for the fields of the request, as ``Request.labels``.
    :param repeatable: whether a repetition can't send the mail twice.
    """
    if answer.message_id:
        return Reply(f"250 2.0.0 Ok: queued as {answer.message_id}", "accepted")
    if answer.is_uncertain:
        return outcome_unknown(repeatable=repeatable)
    beginning = _BY_CODE.get(answer.code or "") or _by_status(answer)
    text = answer.detail + "".join(_faults(answer, labels))
    is_temporary = beginning.startswith("4")
    if is_temporary and answer.retry_after and answer.retry_after.isdigit():  # it may be a date
        text += f" (again after {answer.retry_after} s)"
    result = "temporary" if is_temporary else "permanent"
    if answer.code == "outcome_unknown":
        result = "unknown"
    return Reply(f"{beginning} {text}", result)


def _by_status(answer: Answer) -> str:
    otherwise = _TEMPORARY if answer.body.get("retryable") is True else _PERMANENT
    return _BY_STATUS.get(answer.status, otherwise)


def _faults(answer: Answer, labels: Mapping[str, str]) -> list[str]:
    """What is wrong with which field, as far as the sentence does not say it."""
    errors = answer.body.get("errors")
    said = []
    for error in errors if isinstance(errors, list) else []:
        if not isinstance(error, dict):
            continue
        name, message = str(error.get("field", "")), str(error.get("message", ""))
        item = name.partition("]")[0] + "]" if "]" in name else name
        shown = labels.get(item, name.removeprefix("headers."))
        known = answer.detail.lower()
        if message.lower() in known:
            said += [] if shown.lower() in known else [f"; {shown}"]
        else:
            said.append(f"; {message}" if shown in message else f"; {shown}: {message}")
    return said
