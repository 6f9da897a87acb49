"""How this package refuses: with the field that is at fault."""

from typing import Any

from refusals import BadRequest, FieldError


def fault(code: str, field: str, **values: Any) -> BadRequest:
    """The refusal with this ``code``, which is also what is wrong with ``field``."""
    return BadRequest(code, errors=(FieldError(field, code, values),), **values)
