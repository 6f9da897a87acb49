"""Tags: names and values with which clients label their messages."""

import re

from errors import field_error
from mail.message import Tag

MAX_TAGS = 50
MAX_TAG_CHARACTERS = 256

_WORD = re.compile("[A-Za-z0-9_-]+")


def read_tags(given: list[Tag] | None) -> tuple[Tag, ...]:
    """Validate the tags of a message; return them in the given order.

    :raises BadRequest: ``tags_too_many``, ``tag_invalid``, ``tag_too_long`` or ``tag_repeated``.
    """
    tags: dict[str, Tag] = {}
    if given and len(given) > MAX_TAGS:
        raise field_error("tags_too_many", "tags", limit=MAX_TAGS)
    for index, tag in enumerate(given or ()):
        for member, text in (("name", tag.name), ("value", tag.value)):
            field = f"tags[{index}].{member}"
            if len(text) > MAX_TAG_CHARACTERS:
                raise field_error("tag_too_long", field, limit=MAX_TAG_CHARACTERS)
            if _WORD.fullmatch(text) is None:
                raise field_error("tag_invalid", field)
        if tag.name in tags:
            raise field_error("tag_repeated", f"tags[{index}].name")
        tags[tag.name] = tag
    return tuple(tags.values())
