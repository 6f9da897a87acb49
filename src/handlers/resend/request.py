"""Convert a mail in Resend's fields to a message.

Fields that this service does not support are rejected, never ignored.
"""

from msgspec import UNSET

from accounts.credentials import Credential
from errors import FieldError, Forbidden, InvalidInput, invalid_input
from handlers.resend.types import NewEmail, Unread
from mail.addresses import InvalidAddress, comparable
from mail.compose import Origin, SenderPolicy, compose
from mail.mailbox import parse_mailbox
from mail.message import Mailbox, Message

# The names of fields in the request, where `compose` uses other names.
_NAMES = {"from_name": "from", "content": "html"}


def message_of(
    email: NewEmail,
    credential: Credential,
    policy: SenderPolicy,
    *,
    path: str = "",
    warnings: list[FieldError] | None = None,
) -> Message:
    """The message that ``email`` describes, sent by the address of ``credential``.

    :param path: the prefix of field names in errors, for example ``[3].``.
    :param warnings: as for ``compose``.
    :raises InvalidInput: a field is missing or not supported, or ``from`` is not a mailbox.
    :raises Forbidden: ``from_not_own``.
    :raises ApiError: as ``compose`` does.
    """
    _check_supported(email, path)
    _check_required(email, path)
    sender = _sender(email, credential, path)
    for file in email.attachments or []:
        if file.content_id is None:
            file.content_id = file.inline_content_id
    origin = Origin(address=credential.address, name=sender.name, path=path, names=_NAMES)
    return compose(email, origin, policy, warnings=warnings)


def check_batchable(email: NewEmail, path: str) -> None:
    """Reject fields that a mail of a batch must not have.

    :raises InvalidInput: ``batch_with_attachments`` or ``batch_with_schedule``.
    """
    if email.attachments:
        raise invalid_input("batch_with_attachments", f"{path}attachments")
    if email.scheduled_at is not None:
        raise invalid_input("batch_with_schedule", f"{path}scheduled_at")


def _check_supported(email: NewEmail, path: str) -> None:
    if _is_given(email.template):
        raise invalid_input("template_unsupported", f"{path}template")
    if _is_given(email.topic_id):
        raise invalid_input("topic_unsupported", f"{path}topic_id")
    for number, file in enumerate(email.attachments or []):
        if _is_given(file.path):
            raise invalid_input("attachment_path_unsupported", f"{path}attachments[{number}].path")


def _is_given(value: Unread) -> bool:
    # PHP writes an empty object as an empty list.
    return value is not UNSET and bytes(value) not in (b"null", b"[]", b"{}")


def _check_required(email: NewEmail, path: str) -> None:
    required = {"from": email.sender, "to": email.to, "subject": email.subject}
    missing = [name for name, value in required.items() if value in (None, [])]
    if missing:
        errors = tuple(FieldError(path + name, "required_field_missing") for name in missing)
        raise InvalidInput("required_field_missing", errors=errors)


def _sender(email: NewEmail, credential: Credential, path: str) -> Mailbox:
    assert email.sender is not None  # checked by _check_required
    try:
        sender = parse_mailbox(email.sender)
    except InvalidAddress as error:
        field_error = FieldError(f"{path}from", error.code, error.values)
        raise InvalidInput("invalid_from", errors=(field_error,)) from error
    if sender.address.key != comparable(credential.address):
        field_error = FieldError(f"{path}from", "from_not_own", {"address": credential.address})
        raise Forbidden("from_not_own", errors=(field_error,), address=credential.address)
    return sender
