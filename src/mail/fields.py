"""The parts of a request that say something of a mail, as their JSON is decoded."""

from typing import Annotated

from msgspec import Meta, Struct


class MailboxField(Struct):
    """A mailbox as an object; as a text it is `Name <address>` or an address alone."""

    email: Annotated[str, Meta(description="The mail address.")]
    name: Annotated[str | None, Meta(description="The display name, at most 200 characters.")] = (
        None
    )


Mailboxes = str | MailboxField | list[str | MailboxField] | None


class AttachmentField(Struct):
    """A file that goes with a mail."""

    filename: Annotated[
        str | None, Meta(description="Its name, of at most 255 bytes and no path. Required.")
    ] = None
    content: Annotated[
        str | None, Meta(description="What is in it, as base64; empty for no byte. Required.")
    ] = None
    content_type: Annotated[
        str | None, Meta(description="Its media type; without one the filename tells it.")
    ] = None
    content_id: Annotated[
        str | None,
        Meta(description="The name by which the HTML shows it, as `cid:` and this; then inline."),
    ] = None


class TagField(Struct):
    """A word with a value, by which a client finds its messages again; it is not sent."""

    name: Annotated[
        str, Meta(description="1 to 256 letters, digits, `_` and `-`; each name stands once.")
    ]
    value: Annotated[str, Meta(description="Likewise 1 to 256 letters, digits, `_` and `-`.")]
