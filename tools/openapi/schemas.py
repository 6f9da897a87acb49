"""The JSON schemas of the types: those that msgspec generates, simplified."""

from typing import Any

import msgspec

from tools.openapi.error_forms import ERROR_FORMS
from tools.openapi.operations import Operation

JsonSchema = dict[str, Any]

# Requests must have these fields. The types declare them as optional, because handlers raise
# clearer errors than the decoder.
REQUIRED_BY_HANDLERS = {
    "NewEmail": ["from", "to", "subject"],
    "NewTime": ["scheduled_at"],
    "SendMail": ["subject"],
    "SendMailWithToken": ["token", "subject"],
}

_PLACE = "#/components/schemas/{name}"


def reference(kind: Any) -> JsonSchema:
    """The schema that refers to `kind`."""
    (found,), _ = msgspec.json.schema_components([kind], ref_template=_PLACE)
    return found


def component_schemas(operations: tuple[Operation, ...]) -> dict[str, JsonSchema]:
    """The schemas of all request and response types by name."""
    bodies = [operation.body.type for operation in operations if operation.body]
    responses = [success.type for operation in operations for success in operation.successes]
    kinds = dict.fromkeys([*bodies, *responses, *(form.type for form in ERROR_FORMS)])
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_PLACE)
    for name, fields in REQUIRED_BY_HANDLERS.items():
        schemas[name]["required"] = fields
    return {name: _simpler(schema) for name, schema in sorted(schemas.items())}


def _simpler(schema: JsonSchema) -> JsonSchema:
    """`schema`, simplified.

    For example, alternatives that differ only in their type become `type: [string, null]`.
    """
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
    # The field `object` of tagged types has no description, but every field needs one.
    if simpler.keys() == {"enum"}:
        simpler["description"] = "The type of the object."
    # A missing field means the same as null everywhere, so this default says nothing.
    if simpler.get("default", "") is None:
        del simpler["default"]
    if simpler.get("required") == []:
        del simpler["required"]
    simpler.pop("title", None)  # it repeats the name of the schema
    return simpler
