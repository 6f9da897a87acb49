"""The fields of a schema as table rows."""

from collections.abc import Iterator

from tools.openapi.markup import Html, prose, tag
from tools.openapi.schemas import JsonSchema

_LIMITS = {
    "minimum": "At least {}.",
    "maximum": "At most {}.",
    "minLength": "Length at least {}.",
    "maxLength": "Length at most {}.",
    "default": "Default: {}.",
}


def field_rows(
    schema: JsonSchema, schemas: dict[str, JsonSchema], *, of_response: bool
) -> list[tuple[Html, ...]]:
    """The path, type and meaning of every field of `schema` and of its nested objects."""
    return [
        (tag("code", path), type_words(field), _meaning(field, always=required or not of_response))
        for path, field, required in _fields(schema, schemas, "")
    ]


def _fields(
    schema: JsonSchema, schemas: dict[str, JsonSchema], prefix: str
) -> Iterator[tuple[str, JsonSchema, bool]]:
    if "items" in schema:
        yield from _fields(schema["items"], schemas, f"{prefix}[].")
        return
    named = _resolve(schema, schemas)
    shown: set[str] = set()
    for name, field in named.get("properties", {}).items():
        path = prefix + name
        yield path, field, name in named.get("required", ())
        for reference, suffix in _objects_in(field).items():
            if reference in shown:  # only the first field of a type lists its nested fields
                continue
            shown.add(reference)
            yield from _fields({"$ref": reference}, schemas, f"{path}{suffix}.")


def _resolve(schema: JsonSchema, schemas: dict[str, JsonSchema]) -> JsonSchema:
    reference = schema.get("$ref")
    return schemas[reference.rpartition("/")[2]] if reference else schema


def _objects_in(schema: JsonSchema) -> dict[str, str]:
    """The references in `schema`. The values are suffixes of the path: `[]` in a list, or empty."""
    found = {schema["$ref"]: ""} if "$ref" in schema else {}
    for alternative in schema.get("anyOf", ()):
        found |= _objects_in(alternative)
    if "items" in schema:
        found |= dict.fromkeys(_objects_in(schema["items"]), "[]")
    return found


def type_words(schema: JsonSchema) -> Html:
    """The types of values that `schema` accepts."""
    return prose(" or ".join(_kinds(schema)))


def _kinds(schema: JsonSchema) -> list[str]:
    if "enum" in schema:
        return [f"`{value}`" for value in schema["enum"] if value]
    if "const" in schema:
        return [f"`{schema['const']}`"]
    if "anyOf" in schema:
        return _alternatives(schema["anyOf"])
    if "items" in schema:
        return [f"list of {' or '.join(f'{kind}s' for kind in _kinds(schema['items']))}"]
    kinds = schema.get("type", "object")
    return kinds if isinstance(kinds, list) else [kinds]


def _alternatives(schemas: list[JsonSchema]) -> list[str]:
    """The types of values that any of `schemas` accepts: single values, then lists, then null."""
    lists = [schema for schema in schemas if "items" in schema]
    others = [kind for schema in schemas if schema not in lists for kind in _kinds(schema)]
    single = [kind for kind in dict.fromkeys(others) if kind != "null"]
    of_lists = [
        "list of these" if set(_kinds(schema["items"])) == set(single) else _kinds(schema)[0]
        for schema in lists
    ]
    return [*single, *of_lists, *(["null"] if "null" in others else [])]


def _meaning(field: JsonSchema, *, always: bool) -> Html:
    rest = "" if always else "Not always present."
    return prose(" ".join(filter(None, (field.get("description"), *limits(field), rest))))


def limits(schema: JsonSchema) -> list[str]:
    """The limits that `schema` sets, in words."""
    return [words.format(schema[key]) for key, words in _LIMITS.items() if key in schema]
