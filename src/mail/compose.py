"""From what a client wrote to a ``Message``: every check that needs no database.

The checks run in the order that the HTTP contract gives, so that of several faults always
the same one is reported first.
"""

from dataclasses import dataclass, replace

import msgspec

from mail.address import Address, InvalidAddress, parse_address
from mail.attachments import read_attachments
from mail.characters import has_control, shows_other_address
from mail.faults import fault
from mail.fields import AttachmentField, Mailboxes, TagField
from mail.headers import read_headers
from mail.limits import MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARACTERS, encoded_size
from mail.mailbox import InvalidName, display_name
from mail.message import Message, Recipient
from mail.recipients import all_recipients, invalid_recipient, one_recipient, reply_mailbox
from mail.schedule import parse_scheduled_at
from mail.tags import read_tags
from mail.test_recipients import check_test_recipients
from refusals import BadRequest, PayloadTooLarge


@dataclass(frozen=True, slots=True)
class SenderPolicy:
    """Which sender domains may send: ``domains`` at all, ``binding_domains`` by the binding.

    ``binding_domains`` is None where there is no ``send_email`` binding, and empty where the
    binding takes every domain.
    """

    domains: tuple[str, ...]
    binding_domains: tuple[str, ...] | None

    def check_owned(self, sender: Address) -> None:
        if sender.domain not in self.domains:
            raise BadRequest("invalid_sender_domain", sentence="invalid_domain")

    def check_enabled(self, sender: Address) -> None:
        allowed = self.binding_domains
        if allowed is None or (allowed and sender.domain not in allowed):
            raise BadRequest("send_mail_not_enabled")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as the fields of a request say it, not yet checked.

    ``to_mail``, ``to_name``, ``content`` and ``is_html`` are the seed's first words for what
    ``to``, ``text`` and ``html`` say: ``to`` adds to ``to_mail``, and with ``text`` or ``html``
    there is no ``content``. ``path`` is where in the request the fields stand, like ``[3].``, and
    ``names`` what some of them are called there.
    """

    sender: str
    from_name: str | None = None
    to_mail: str | None = None
    to_name: str | None = None
    to: Mailboxes = None
    cc: Mailboxes = None
    bcc: Mailboxes = None
    reply_to: Mailboxes = None
    subject: str | None = None
    content: str | None = None
    is_html: bool = False
    text: str | None = None
    html: str | None = None
    headers: dict[str, str] | None = None
    attachments: list[AttachmentField] | None = None
    tags: list[TagField] | None = None
    scheduled_at: str | None = None
    path: str = ""
    names: dict[str, str] = {}


def compose(draft: Draft, policy: SenderPolicy) -> Message:
    """Check ``draft`` and make the message of it.

    :raises BadRequest: for a fault in the request, the field named in its ``errors``.
    """
    try:
        return _compose(draft, policy)
    except BadRequest as refusal:
        refusal.errors = tuple(
            replace(error, field=_posted(draft, error.field)) for error in refusal.errors
        )
        raise


def check_size(message: Message) -> int:
    """The bytes of ``message`` after MIME encoding.

    :raises PayloadTooLarge: where these are more than the provider takes.
    """
    size = encoded_size(message)
    if size > MAX_MESSAGE_BYTES:
        raise PayloadTooLarge("message_too_large", size=size, limit=MAX_MESSAGE_BYTES)
    return size


def _posted(draft: Draft, field: str) -> str:
    """The path of ``field``, like ``reply_to[0].email``, in the request."""
    name = field.partition("[")[0].partition(".")[0]
    return draft.path + draft.names.get(name, name) + field.removeprefix(name)


def _compose(draft: Draft, policy: SenderPolicy) -> Message:
    try:
        sender = parse_address(draft.sender)
    except InvalidAddress as error:
        raise BadRequest("invalid_sender_domain", sentence="invalid_domain") from error
    policy.check_owned(sender)
    recipients = _recipients(draft)
    subject = _subject(draft.subject)
    text, html = _bodies(draft)
    sender_name = _name("from_name", draft.from_name)
    if sender_name and shows_other_address(sender_name, str(sender)):
        raise fault("display_name_shows_address", "from_name")
    to_name = _name("to_name", draft.to_name)
    if draft.to_mail is not None:
        recipients = (replace(recipients[0], name=to_name), *recipients[1:])
    check_test_recipients(recipients)
    message = Message(
        sender=sender,
        sender_name=sender_name,
        recipients=recipients,
        subject=subject,
        text=text,
        html=html,
        reply_to=reply_mailbox(draft.reply_to),
        headers=read_headers(draft.headers),
        attachments=read_attachments(draft.attachments),
        tags=read_tags(draft.tags),
        scheduled_at=parse_scheduled_at(draft.scheduled_at),
    )
    policy.check_enabled(sender)
    return _with_alternative(message) if draft.html and draft.text is None else message


def _recipients(draft: Draft) -> tuple[Recipient, ...]:
    lists = {"to": draft.to, "cc": draft.cc, "bcc": draft.bcc}
    first = None
    if draft.to_mail is not None:
        first = Recipient("to", one_recipient("to_mail", draft.to_mail), field="to_mail")
    elif not any(lists.values()):
        raise invalid_recipient("to_mail" if draft.to is None else "to", "address_syntax")
    return all_recipients(first, **lists, path=draft.path)


def _subject(text: str | None) -> str:
    if not text or not text.strip():
        raise fault("subject_empty", "subject")
    if has_control(text):
        raise fault("subject_has_control", "subject")
    if len(text) > MAX_SUBJECT_CHARACTERS:
        raise fault("subject_too_long", "subject", limit=MAX_SUBJECT_CHARACTERS)
    return text


def _bodies(draft: Draft) -> tuple[str | None, str | None]:
    if draft.text is None and draft.html is None:
        if not draft.content:
            raise fault("content_empty", "content")
        return (None, draft.content) if draft.is_html else (draft.content, None)
    if not draft.text and not draft.html:
        raise fault("content_empty", "html" if draft.text is None else "text")
    return draft.text or None, draft.html or None


def _with_alternative(message: Message) -> Message:
    """``message`` with a text made of its HTML, unless it would be too large with it.

    Nobody is refused for what he has not asked for.
    """
    if encoded_size(message) > MAX_MESSAGE_BYTES:
        return message
    # Imported here: its patterns cost start-up time, and most mails bring their own text.
    from mail.plain_text import plain_text

    whole = replace(message, text=plain_text(message.html or "").strip() or None)
    return whole if encoded_size(whole) <= MAX_MESSAGE_BYTES else message


def _name(field: str, given: str | None) -> str | None:
    try:
        return display_name(given)
    except InvalidName as error:
        raise fault(error.code, field, **error.values) from error
