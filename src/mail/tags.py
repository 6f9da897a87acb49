"""Tags: names and values with which clients label their messages."""

import re
from collections.abc import Mapping, Sequence

from errors import FieldError, InvalidInput, field_error, invalid_input
from mail.message import Tag
from mail.scalars import Scalar, scalar_text

MAX_TAGS = 50
MAX_TAG_CHARACTERS = 256

_WORD = re.compile("[A-Za-z0-9_-]+")


def read_tags(given: Sequence[Mapping[str, Scalar | None]] | None) -> tuple[Tag, ...]:
    """Validate the tags of a message; return them in the given order.

    :raises BadRequest: ``tags_too_many``, ``tag_invalid``, ``tag_too_long`` or ``tag_repeated``.
    :raises InvalidInput: a member of a tag is missing or has the wrong type.
    """
    tags: dict[str, Tag] = {}
    if given and len(given) > MAX_TAGS:
        raise field_error("tags_too_many", "tags", limit=MAX_TAGS)
    for index, members in enumerate(given or ()):
        tag = _tag(f"tags[{index}]", members)
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


def _tag(path: str, members: Mapping[str, Scalar | None]) -> Tag:
    """The tag with these members: ``name`` and ``value``, or one member with the tag's name."""
    name: Scalar | None
    if len(members) == 1 and members.keys().isdisjoint(("name", "value")):
        ((name, value),) = members.items()
    else:
        for member in ("name", "value"):
            if member not in members:
                raise invalid_input("required_field_missing", f"{path}.{member}")
        name, value = members["name"], members["value"]
    if not isinstance(name, str):
        raise _wrong_type(f"{path}.name", "a string")
    if value is None:
        raise _wrong_type(f"{path}.value", "a string, a number or a boolean")
    return Tag(name, scalar_text(value))


def _wrong_type(field: str, expected: str) -> InvalidInput:
    problem = f"Expected {expected}"
    error = FieldError(field, "invalid_field", {"problem": problem})
    return InvalidInput("invalid_input", errors=(error,), field=field, problem=problem)
