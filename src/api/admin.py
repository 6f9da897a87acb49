"""Administration."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from api.sending import SendMail
from mail.fields import Mailboxes, MailboxField

_Count = Annotated[int, Meta(description="How many there are in all.")]


class AddressRow(Struct):
    """An address as administrators see it."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="The mail address.")]
    created_at: Annotated[str, Meta(description="When it was made, as `YYYY-MM-DD HH:MM:SS` UTC.")]
    updated_at: Annotated[str, Meta(description="When its row was last changed.")]
    source_meta: Annotated[str | None, Meta(description="The client that made it.")]
    mail_count: Annotated[int, Meta(description="Mails received: none, this service only sends.")]
    send_count: Annotated[int, Meta(description="Messages in its sendbox.")]


class AddressPage(Struct):
    """Addresses."""

    results: Annotated[list[AddressRow], Meta(description="The addresses of this page.")]
    count: _Count


class ShownCredential(Struct):
    """The credential of an address."""

    jwt: Annotated[str, Meta(description="The credential (the address JWT).")]


class NewPassword(Struct):
    """Another password for an address."""

    password: Annotated[
        str | None,
        Meta(description="The SHA-256 of the password in hexadecimal digits. Required."),
    ] = None


class BalanceRow(Struct):
    """The send balance of an address."""

    id: Annotated[int, Meta(description="The number of the row, and of its address.")]
    address: Annotated[str, Meta(description="The mail address.")]
    balance: Annotated[int, Meta(description="How many more recipients it may send to.")]
    enabled: Annotated[int, Meta(description="1 where it may be used, else 0.")]
    created_at: Annotated[str, Meta(description="When it was made, as `YYYY-MM-DD HH:MM:SS` UTC.")]


class BalancePage(Struct):
    """Send balances."""

    results: Annotated[list[BalanceRow], Meta(description="The balances of this page.")]
    count: _Count


class NewBalance(Struct):
    """A send balance to be set."""

    address: Annotated[
        str | None, Meta(description="The mail address; required where `address_id` is 0.")
    ] = None
    address_id: Annotated[
        int | None,
        Meta(description="The `id` of the row, or 0 for the row of `address`. Required."),
    ] = None
    balance: Annotated[
        Annotated[int, Meta(ge=0, le=2**53 - 1)] | None,
        Meta(description="How many more recipients it may send to. Required."),
    ] = None
    enabled: Annotated[
        bool | Literal[0, 1] | None, Meta(description="Whether it may be used. Required.")
    ] = None


class AccountSettings(Struct, rename="camel"):
    """The lists and limits of the deployment; what is left out stays as it is."""

    block_list: Annotated[
        list[str] | None, Meta(description="Names in which nobody may make an address.")
    ] = None
    send_block_list: Annotated[
        list[str] | None,
        Meta(description="Recipients that get no mail: addresses, or domains for all in them."),
    ] = None
    verified_address_list: Annotated[
        list[str] | None, Meta(description="Recipients that cost no balance.")
    ] = None
    no_limit_send_address_list: Annotated[
        list[str] | None, Meta(description="Addresses that need no balance.")
    ] = None
    send_mail_limit_config: Annotated[
        Any,
        Meta(
            description="`{dailyEnabled, monthlyEnabled, dailyLimit, monthlyLimit}`: recipients of "
            "all addresses a UTC day and month; -1 for unlimited, null only where disabled.",
            extra_json_schema={"type": ["object", "null"]},
        ),
    ] = None


class AdminSendMail(SendMail):
    """A mail that an administrator sends."""

    from_mail: Annotated[
        str | None, Meta(description="The sender, in a domain of the deployment. Required.")
    ] = None


class BindingAttachment(Struct, rename="camel"):
    """A file, as the binding takes it."""

    filename: Annotated[str | None, Meta(description="Its name. Required.")] = None
    content: Annotated[str | None, Meta(description="What is in it, as base64. Required.")] = None
    type: Annotated[str | None, Meta(description="Its media type.")] = None
    content_id: Annotated[
        str | None, Meta(description="The name by which the HTML shows it, where it does.")
    ] = None


class BindingMail(Struct, rename="camel"):
    """A mail in the fields of the provider's binding; mailboxes are texts or objects."""

    sender: Annotated[
        str | MailboxField | None, Meta(description="The sender, of any domain. Required.")
    ] = msgspec.field(default=None, name="from")
    to: Annotated[Mailboxes, Meta(description="The recipients. Required.")] = None
    subject: Annotated[str | None, Meta(description="The subject. Required.")] = None
    html: Annotated[str | None, Meta(description="The HTML; it or `text` is required.")] = None
    text: Annotated[str | None, Meta(description="The plain text.")] = None
    cc: Annotated[Mailboxes, Meta(description="Those who get a copy.")] = None
    bcc: Annotated[Mailboxes, Meta(description="Those who get a copy that nobody sees.")] = None
    reply_to: Annotated[Mailboxes, Meta(description="Where answers go: one mailbox.")] = None
    attachments: Annotated[
        list[BindingAttachment] | None, Meta(description="At most 100 files.")
    ] = None
    headers: Annotated[dict[str, str] | None, Meta(description="Further header fields.")] = None


class BindingAnswer(Struct):
    """What became of a mail."""

    status: Annotated[
        Literal["ok", "queued", "sent", "failed", "unknown", "sending", "scheduled", "cancelled"],
        Meta(description="`ok` where the provider took the mail, else the message's status."),
    ]


class SuppressionRow(Struct):
    """A recipient that gets no mail."""

    address: Annotated[str, Meta(description="The mail address.")]
    reason: Annotated[str, Meta(description="Why.")]
    since: Annotated[str, Meta(description="Since when, as ISO 8601 in UTC.")]


class SuppressionPage(Struct):
    """Suppressions."""

    results: Annotated[list[SuppressionRow], Meta(description="The suppressions of this page.")]
    count: _Count


class NewSuppression(Struct):
    """A recipient that is to get no mail."""

    address: Annotated[str | None, Meta(description="The mail address. Required.")] = None
    reason: Annotated[
        Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] | None,
        Meta(description="Why, without control characters; `manual` without one."),
    ] = None


class Pause(Struct):
    """An address that may not send."""

    id: Annotated[int, Meta(description="The number of the address.")]
    address: Annotated[str, Meta(description="The mail address.")]
    since: Annotated[str, Meta(description="Since when, as ISO 8601 in UTC.")]


class Pauses(Struct):
    """The addresses that are paused."""

    results: Annotated[list[Pause], Meta(description="The addresses of this page.")]
    count: _Count


class AuditRow(Struct):
    """Something that was done."""

    id: Annotated[str, Meta(description="Its id; ids sort by time.")]
    at: Annotated[str, Meta(description="When, as ISO 8601 in UTC.")]
    actor: Annotated[
        str,
        Meta(
            description="Who: `admin#1` (the place of the password in `ADMIN_PASSWORDS`), `admin` "
            "where no password is asked for, a mail address, or `anybody`."
        ),
    ]
    action: Annotated[str, Meta(description="What, like `address.deleted`.")]
    object: Annotated[str, Meta(description="To what: an address, a message, a list.")]
    source: Annotated[str | None, Meta(description="From which client address.")]
    details: Annotated[dict[str, Any] | None, Meta(description="What else is known of it.")]


class AuditPage(Struct):
    """The audit trail, newest first."""

    results: Annotated[list[AuditRow], Meta(description="The rows of this page.")]
    next_cursor: Annotated[
        str | None, Meta(description="The `cursor` of the next page, null on the last.")
    ]
