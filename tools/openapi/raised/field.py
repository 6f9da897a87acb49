"""Refusals of one field."""

from typing import Any

from refusals import BadRequest, FieldError, Refusal


def in_field(
    code: str,
    field: str,
    *,
    sentence: str | None = None,
    kind: type[Refusal] = BadRequest,
    **values: Any,
) -> Refusal:
    """The refusal of `field`; `sentence` is what is wrong with it, where the code does not say."""
    fault = FieldError(field, sentence or code, values)
    return kind(code, errors=(fault,), **values)
