"""From a mail as clients of Resend write it to a ``Draft``.

Fields that can't be honoured here are refused, never silently accepted.
"""

from base64 import b64encode

from msgspec import UNSET

from accounts.credentials import Credential
from api.emails import EmailAttachment, NewEmail, Unread
from mail.address import InvalidAddress, parse_address
from mail.compose import Draft, SenderPolicy, compose
from mail.fields import AttachmentField
from mail.mailbox import parse_mailbox
from mail.message import Mailbox, Message
from refusals import FieldError, Forbidden, InvalidInput

# The fields of a draft that have other names here.
_POSTED_NAMES = {"from_name": "from", "content": "html"}


def message_of(
    email: NewEmail, credential: Credential, policy: SenderPolicy, *, path: str = ""
) -> Message:
    """The message that ``email`` describes, its sender being the address of ``credential``.

    :param path: what is put in front of the name of every field at fault: ``[3].``.
    :raises InvalidInput: a field is missing, is not supported here, or ``from`` is no mailbox.
    :raises Forbidden: ``from_not_own``.
    :raises Refusal: as ``compose`` does.
    """
    _check_supported(email, path)
    _check_required(email, path)
    sender = _sender(email, credential, path)
    draft = Draft(
        sender=credential.address,
        from_name=sender.name,
        to=email.to,
        cc=email.cc,
        bcc=email.bcc,
        reply_to=email.reply_to,
        subject=email.subject,
        text=email.text,
        html=email.html,
        headers=email.headers,
        attachments=[_attachment(file) for file in email.attachments or []],
        tags=email.tags,
        scheduled_at=email.scheduled_at,
        path=path,
        names=_POSTED_NAMES,
    )
    return compose(draft, policy)


def check_batchable(email: NewEmail, path: str) -> None:
    """Refuse what a mail of a batch can't have.

    :raises InvalidInput: ``batch_with_attachments`` or ``batch_with_schedule``.
    """
    if email.attachments:
        raise _fault("batch_with_attachments", f"{path}attachments")
    if email.scheduled_at is not None:
        raise _fault("batch_with_schedule", f"{path}scheduled_at")


def _check_supported(email: NewEmail, path: str) -> None:
    if _is_given(email.template):
        raise _fault("template_unsupported", f"{path}template")
    if _is_given(email.topic_id):
        raise _fault("topic_unsupported", f"{path}topic_id")
    for number, file in enumerate(email.attachments or []):
        if _is_given(file.path):
            raise _fault("attachment_path_unsupported", f"{path}attachments[{number}].path")


def _is_given(value: Unread) -> bool:
    return value is not UNSET and bytes(value) != b"null"


def _check_required(email: NewEmail, path: str) -> None:
    required = {"from": email.sender, "to": email.to, "subject": email.subject}
    missing = [name for name, value in required.items() if value in (None, [])]
    if missing:
        errors = tuple(FieldError(path + name, "required_field_missing") for name in missing)
        raise InvalidInput("required_field_missing", errors=errors)


def _sender(email: NewEmail, credential: Credential, path: str) -> Mailbox:
    assert email.sender is not None  # which has been checked
    try:
        sender = parse_mailbox(email.sender)
    except InvalidAddress as error:
        fault = FieldError(f"{path}from", error.code, error.values)
        raise InvalidInput("invalid_from", errors=(fault,)) from error
    if sender.address.key != _key(credential.address):
        fault = FieldError(f"{path}from", "from_not_own", {"address": credential.address})
        raise Forbidden("from_not_own", errors=(fault,), address=credential.address)
    return sender


def _key(address: str) -> str | None:
    try:
        return parse_address(address).key
    except InvalidAddress:
        return None


def _attachment(file: EmailAttachment) -> AttachmentField:
    content = file.content
    if isinstance(content, list):  # the Python SDK's way to send bytes
        content = b64encode(bytes(content)).decode()
    return AttachmentField(
        filename=file.filename,
        content=content,
        content_type=file.content_type,
        content_id=file.content_id if file.content_id is not None else file.inline_content_id,
    )


def _fault(code: str, field: str) -> InvalidInput:
    return InvalidInput(code, errors=(FieldError(field, code),))
