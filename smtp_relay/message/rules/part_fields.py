"""The rule for the header fields of a part: the API has no place for most of them."""

from smtp_relay.message.entity import Entity
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.header_text import header_text
from smtp_relay.message.rules.content_ids import content_id_of

# Only the Content- fields of a part have a meaning (RFC 2046, section 5.1). Programs add others,
# like X-Unix-Mode and X-Attachment-Id, which the relay ignores. It reads these:
_FIELDS = {"content-disposition", "content-id", "content-transfer-encoding", "content-type"}
# It ignores these, which do not change how a part is displayed:
_FIELDS |= {"content-class", "content-length", "content-md5"}


def note_fields(entity: Entity, *, filename: str | None = None) -> None:
    """Note which Content- fields of a part are left out. ``filename`` is that of an attachment.

    :raises Unsupported: the relay is strict, and a field is left out.
    """
    if not entity.number:  # `headers.py` handles the fields of the message itself
        return
    for header in entity.fields:
        if not header.key.startswith("content-") or header.key in _FIELDS or not header.value:
            continue
        is_noted_only = header.key == "content-language"
        if header.key == "content-description":
            what = f"{entity.place}Content-Description"
            if header_text(header.value, what, entity.adaptations) == filename:
                continue
            is_noted_only = filename is None
        elif header.key == "content-location":
            # It names a part, as the content id does. An attachment needs only one of them. In a
            # text, it is also the base of relative links.
            is_noted_only = filename is not None and bool(content_id_of(entity))
        problem = Unsupported(f"{entity.place}{header.name} is not supported")
        sentence = f"{entity.place}{header.name} left out"
        entity.adaptations.add("left_out", sentence, None if is_noted_only else problem)
