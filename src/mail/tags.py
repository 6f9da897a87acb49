"""Tags: names and values with which clients label their messages."""

import itertools
import re
from collections.abc import Container, Mapping, Sequence

from errors import FieldError, InvalidInput, field_error, invalid_input
from mail.message import Tag
from mail.scalars import Scalar, scalar_text

MAX_TAGS = 50
MAX_TAG_CHARACTERS = 256

_WORD = re.compile("[A-Za-z0-9_-]+")


def read_tags(
    given: Sequence[Mapping[str, Scalar | None]] | None, warnings: list[FieldError]
) -> tuple[Tag, ...]:
    """Validate the tags of a message; return them in the given order.

    Symfony writes each tag as ``{"X-Tag": value}``. Such a tag with the name of an earlier one is
    named ``X-Tag-2``, because programs look up tags by their names. An equal one is left out.

    :param warnings: collects the tags that are renamed.
    :raises BadRequest: ``tags_too_many``, ``tag_invalid``, ``tag_too_long`` or ``tag_repeated``.
    :raises InvalidInput: a member of a tag is missing or has the wrong type.
    """
    if given and len(given) > MAX_TAGS:
        raise field_error("tags_too_many", "tags", limit=MAX_TAGS)
    valid = [_valid_tag(f"tags[{index}]", members) for index, members in enumerate(given or ())]
    taken = {tag.name for tag in valid}
    tags: dict[str, Tag] = {}
    for index, tag in enumerate(valid):
        if tag.name not in tags:
            tags[tag.name] = tag
        elif given and not _is_short(given[index]):
            raise field_error("tag_repeated", f"tags[{index}].name")
        elif tag not in valid[:index]:
            name = _numbered(tag.name, taken)
            taken.add(name)
            tags[name] = Tag(name, tag.value)
            warnings.append(FieldError(f"tags[{index}]", "tag_renamed", {"name": name}))
    return tuple(tags.values())


def _valid_tag(path: str, members: Mapping[str, Scalar | None]) -> Tag:
    tag = _tag(path, members)
    for member, text in (("name", tag.name), ("value", tag.value)):
        if len(text) > MAX_TAG_CHARACTERS:
            raise field_error("tag_too_long", f"{path}.{member}", limit=MAX_TAG_CHARACTERS)
        if _WORD.fullmatch(text) is None:
            raise field_error("tag_invalid", f"{path}.{member}")
    return tag


def _is_short(members: Mapping[str, Scalar | None]) -> bool:
    """Whether the only member of a tag has the name of the tag."""
    return len(members) == 1 and members.keys().isdisjoint(("name", "value"))


def _numbered(name: str, taken: Container[str]) -> str:
    """``name`` with the first number that makes it another name than those ``taken``."""
    endings = (f"-{number}" for number in itertools.count(2))
    names = (name[: MAX_TAG_CHARACTERS - len(ending)] + ending for ending in endings)
    return next(one for one in names if one not in taken)


def _tag(path: str, members: Mapping[str, Scalar | None]) -> Tag:
    """The tag with these members: ``name`` and ``value``, or one member with the tag's name."""
    name: Scalar | None
    if _is_short(members):
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
