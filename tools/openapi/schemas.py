"""The JSON schemas of the types, as msgspec makes them, put a little more simply."""

from typing import Any

import msgspec

from tools.openapi.error_forms import ERROR_FORMS
from tools.openapi.operation import JsonSchema, Operation

# Without these the handlers refuse a request, in better words than the decoder has.
REQUIRED_BY_HANDLERS = {
    "NewEmail": ["from", "to", "subject"],
    "NewTime": ["scheduled_at"],
    "SendMail": ["subject"],
    "SendMailWithToken": ["token", "subject"],
}

_PLACE = "#/components/schemas/{name}"


def reference(kind: Any) -> JsonSchema:
    """The schema that stands for `kind` where it is used."""
    (found,), _ = msgspec.json.schema_components([kind], ref_template=_PLACE)
    return found


def component_schemas(operations: tuple[Operation, ...]) -> dict[str, JsonSchema]:
    """The schemas of all types that the operations take and give, by the types' names."""
    bodies = [operation.body.type for operation in operations if operation.body]
    answers = [answer.type for operation in operations for answer in operation.answers]
    kinds = dict.fromkeys([*bodies, *answers, *(form.type for form in ERROR_FORMS)])
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_PLACE)
    for name, fields in REQUIRED_BY_HANDLERS.items():
        schemas[name]["required"] = fields
    return {name: _simpler(schema) for name, schema in sorted(schemas.items())}


def plain_value(value: Any) -> Any:
    """`value` as its JSON is read."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _simpler(schema: JsonSchema) -> JsonSchema:
    """`schema` with `type: [string, null]` for alternatives that differ in their type alone."""
    simpler = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(simpler.get(key), dict):
            simpler[key] = _simpler(simpler[key])
    if "properties" in simpler:
        fields = simpler["properties"].items()
        simpler["properties"] = {name: _simpler(field) for name, field in fields}
    if "anyOf" in simpler:
        simpler["anyOf"] = [_simpler(alternative) for alternative in simpler["anyOf"]]
        if all(alternative.keys() == {"type"} for alternative in simpler["anyOf"]):
            simpler["type"] = [alternative["type"] for alternative in simpler.pop("anyOf")]
    # A tag needs no words of its own, but all fields have some.
    if simpler.keys() == {"enum"}:
        simpler["description"] = "What kind of object this is."
    # Leaving a field out and null mean the same everywhere.
    if simpler.get("default", "") is None:
        del simpler["default"]
    if simpler.get("required") == []:
        del simpler["required"]
    simpler.pop("title", None)  # it is the name under which the schema stands
    return simpler
