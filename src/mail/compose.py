"""From what a client wrote to a ``Message``: every check that needs no database.

The checks run in the order that the HTTP contract gives, so that of several faults always
the same one is reported first.
"""

from dataclasses import dataclass
from typing import Any

from mail.address import Address, InvalidAddress, parse_address
from mail.characters import (
    has_control,
    has_deceptive,
    has_encoded_word,
    shows_other_address,
)
from mail.limits import MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARACTERS, encoded_size
from mail.message import Message, Recipient
from refusals import BadRequest, FieldError, PayloadTooLarge, Refusal

# A display name longer than this is no name; with it an encoded header stays within 998 octets.
MAX_NAME_CHARACTERS = 200


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


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail as the fields of the seed's two endpoints say it, not yet checked."""

    sender: str
    from_name: str | None
    to_mail: str | None
    to_name: str | None
    subject: str | None
    content: str | None
    is_html: bool


def compose(draft: Draft, policy: SenderPolicy) -> Message:
    """Check ``draft`` and make the message of it.

    :raises BadRequest: for a fault in the request, the field named in its ``errors``.
    """
    try:
        sender = parse_address(draft.sender)
    except InvalidAddress as error:
        raise BadRequest("invalid_sender_domain", sentence="invalid_domain") from error
    policy.check_owned(sender)
    to = _recipient_address(draft.to_mail)
    subject = _subject(draft.subject)
    if not draft.content:
        raise _fault("content_empty", "content")
    sender_name = _name("from_name", draft.from_name)
    if sender_name and shows_other_address(sender_name, str(sender)):
        raise _fault("display_name_shows_address", "from_name")
    to_name = _name("to_name", draft.to_name)
    policy.check_enabled(sender)
    return Message(
        sender=sender,
        sender_name=sender_name,
        recipients=(Recipient("to", to, to_name),),
        subject=subject,
        text=None if draft.is_html else draft.content,
        html=draft.content if draft.is_html else None,
    )


def check_size(message: Message) -> int:
    """The bytes of ``message`` after MIME encoding.

    :raises PayloadTooLarge: where these are more than the provider takes.
    """
    size = encoded_size(message)
    if size > MAX_MESSAGE_BYTES:
        raise PayloadTooLarge("message_too_large", size=size, limit=MAX_MESSAGE_BYTES)
    return size


def _recipient_address(text: str | None) -> Address:
    try:
        return parse_address(text or "")
    except InvalidAddress as error:
        sentence = (
            "recipient_local_part_not_ascii"
            if error.code == "address_local_part_not_ascii"
            else "invalid_recipient"
        )
        fault = FieldError("to_mail", error.code)
        raise BadRequest("invalid_recipient", sentence=sentence, errors=(fault,)) from error


def _subject(text: str | None) -> str:
    if not text or not text.strip():
        raise _fault("subject_empty", "subject")
    if has_control(text):
        raise _fault("subject_has_control", "subject")
    if len(text) > MAX_SUBJECT_CHARACTERS:
        raise _fault("subject_too_long", "subject", limit=MAX_SUBJECT_CHARACTERS)
    return text


def _name(field: str, given: str | None) -> str | None:
    name = (given or "").strip(" ")
    if not name:
        return None
    if has_control(name):
        raise _fault("display_name_has_control", field)
    if has_deceptive(name):
        raise _fault("display_name_has_hidden", field)
    if has_encoded_word(name):
        raise _fault("display_name_has_encoded_word", field)
    if len(name) > MAX_NAME_CHARACTERS:
        raise _fault("display_name_too_long", field, limit=MAX_NAME_CHARACTERS)
    return name


def _fault(code: str, field: str, **values: Any) -> Refusal:
    return BadRequest(code, errors=(FieldError(field, code, values),), **values)
