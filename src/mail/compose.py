"""Compose: validate the fields of a request and make a ``Message``, without the database.

The checks run in a fixed order, so a request with several errors always gets the same one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import msgspec
from msgspec.structs import replace as copy_with

from errors import BadRequest, FieldError, InvalidInput, PayloadTooLarge, field_error
from mail.adaptations import read_adaptations
from mail.addresses import Address, InvalidAddress, parse_address
from mail.attachments import read_attachments
from mail.characters import has_control, shows_other_address
from mail.fields import MailFields, SendMail, SubmissionFields
from mail.headers import read_headers
from mail.limits import MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARACTERS, body_size, encoded_size
from mail.mailbox import InvalidName, display_name
from mail.message import Message, Recipient
from mail.recipients import all_recipients, invalid_recipient, one_recipient
from mail.reply_to import read_reply_to
from mail.sandbox_recipients import check_sandbox_recipients
from mail.schedule import parse_scheduled_at
from mail.tags import read_tags


@dataclass(frozen=True, slots=True)
class SenderPolicy:
    """The allowed sender domains: they must be in ``domains`` and in ``binding_domains``.

    ``domains`` are the domains of the deployment. ``binding_domains`` are the domains that the
    ``send_email`` binding serves: None if there is no binding, empty if it serves every domain.
    ``has_route`` says whether any transport serves a domain; None if the binding is the only one.
    """

    domains: tuple[str, ...]
    binding_domains: tuple[str, ...] | None
    has_route: Callable[[str], bool] | None = None

    def check_owned(self, sender: Address) -> None:
        if sender.domain not in self.domains:
            sentence = "invalid_domain" if self.domains else "no_domains"
            raise BadRequest("invalid_sender_domain", sentence=sentence)

    def check_enabled(self, sender: Address) -> None:
        if self.has_route:
            if not self.has_route(sender.domain):
                raise BadRequest("send_mail_not_enabled")
            return
        allowed = self.binding_domains
        if allowed is None or (allowed and sender.domain not in allowed):
            raise BadRequest("send_mail_not_enabled")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The sender of a mail, and how the request names the fields of the mail.

    ``address`` and ``name`` are the address and display name of the sender. ``path`` is the prefix
    of all fields, like ``[3].`` for a mail in a batch. ``names`` maps the name of a field to its
    name in the request, if the two differ.
    """

    address: str
    name: str | None = None
    path: str = ""
    names: dict[str, str] = {}


def compose(
    fields: MailFields,
    sender: Origin,
    policy: SenderPolicy,
    *,
    warnings: list[FieldError] | None = None,
) -> Message:
    """Validate ``fields`` and make a message from them.

    :param warnings: collects the fields that the message does not have as they were given.
    :raises BadRequest, InvalidInput: a field is invalid. The member ``errors`` of the exception
        names it.
    :raises PayloadTooLarge: ``message_too_large``.
    """
    noted: list[FieldError] = []
    try:
        message = _compose(fields, sender, policy, noted)
    except (BadRequest, InvalidInput) as error:
        error.errors = _named_in_request(sender, error.errors)
        raise
    if noted and warnings is not None:
        warnings += _named_in_request(sender, noted)
    return message


def _named_in_request(sender: Origin, errors: Iterable[FieldError]) -> tuple[FieldError, ...]:
    return tuple(replace(one, field=_name_in_request(sender, one.field)) for one in errors)


def _name_in_request(sender: Origin, field: str) -> str:
    name = field.partition("[")[0].partition(".")[0]
    return sender.path + sender.names.get(name, name) + field.removeprefix(name)


def _compose(
    fields: MailFields, origin: Origin, policy: SenderPolicy, warnings: list[FieldError]
) -> Message:
    seed = fields if isinstance(fields, SendMail) else SendMail()
    submission = fields if isinstance(fields, SubmissionFields) else seed
    try:
        sender = parse_address(origin.address)
    except InvalidAddress as error:
        raise BadRequest("invalid_sender_domain", sentence="invalid_domain") from error
    policy.check_owned(sender)
    recipients = _recipients(fields, seed.to_mail, origin.path)
    subject = _subject(fields.subject)
    text, html = _bodies(fields, seed)
    sender_name = _name("from_name", origin.name)
    if sender_name and shows_other_address(sender_name, str(sender)):
        raise field_error("display_name_shows_address", "from_name")
    to_name = _name("to_name", seed.to_name)
    if seed.to_mail is not None:
        recipients = (replace(recipients[0], name=to_name), *recipients[1:])
    check_sandbox_recipients(recipients)
    headers = fields.headers if isinstance(fields.headers, dict) else {}
    reply_to = read_reply_to("reply_to", fields.reply_to, headers)
    if reply_to.ignored is not None:
        warnings.append(FieldError(reply_to.ignored, "reply_to_first_used"))
    message = Message(
        sender=sender,
        sender_name=sender_name,
        recipients=recipients,
        subject=subject,
        text=text,
        html=html,
        reply_to=reply_to.mailbox,
        headers=read_headers(reply_to.headers),
        attachments=read_attachments(fields.attachments),
        tags=read_tags(submission.tags, warnings),
        scheduled_at=parse_scheduled_at(submission.scheduled_at),
        adaptations=read_adaptations(seed.adaptations),
    )
    policy.check_enabled(sender)
    message = _with_size(message)
    return _with_alternative(message) if fields.html and fields.text is None else message


def _recipients(fields: MailFields, to_mail: str | None, path: str) -> tuple[Recipient, ...]:
    lists = {"to": fields.to, "cc": fields.cc, "bcc": fields.bcc}
    first = None
    if to_mail is not None:
        first = Recipient("to", one_recipient("to_mail", to_mail), field="to_mail")
    elif not any(lists.values()):
        missing = "to_mail" if fields.to is None else "to"
        raise invalid_recipient(missing, InvalidAddress("address_syntax"))
    return all_recipients(first, **lists, path=path)


def _subject(text: str | None) -> str:
    if text and len(text) > MAX_SUBJECT_CHARACTERS:
        raise field_error("subject_too_long", "subject", limit=MAX_SUBJECT_CHARACTERS)
    if not text or not text.strip():
        raise field_error("subject_empty", "subject")
    if has_control(text):
        raise field_error("subject_has_control", "subject")
    return text


def _bodies(fields: MailFields, seed: SendMail) -> tuple[str | None, str | None]:
    text, html = fields.text, fields.html
    if text is None and html is None:
        if not seed.content:
            raise field_error("content_empty", "content")
        return (None, seed.content) if seed.is_html else (seed.content, None)
    if not text and not html:
        raise field_error("content_empty", "html" if text is None else "text")
    return text or None, html or None


def _with_size(message: Message) -> Message:
    size = encoded_size(message)
    if size > MAX_MESSAGE_BYTES:
        raise PayloadTooLarge("message_too_large", size=size, limit=MAX_MESSAGE_BYTES)
    return copy_with(message, size=size)


def _with_alternative(message: Message) -> Message:
    """Add a text made from the HTML of ``message``.

    If the result would be too large, return ``message`` unchanged: never reject a message because
    of text that we generated.
    """
    # Imported here: the patterns are slow to compile, and most mails have their own text.
    from mail.plain_text import plain_text

    text = plain_text(message.html or "").strip()
    size = message.size + body_size(text)
    if not text or size > MAX_MESSAGE_BYTES:
        return message
    return copy_with(message, text=text, size=size)


def _name(field: str, given: str | None) -> str | None:
    try:
        return display_name(given)
    except InvalidName as error:
        raise field_error(error.code, field, **error.values) from error
