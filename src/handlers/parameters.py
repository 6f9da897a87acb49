"""Parameters of the query, as the values that they stand for."""

from refusals import BadRequest, FieldError


def whole_number(text: str | None, name: str, default: int, minimum: int, maximum: int) -> int:
    """The number that ``text`` says, ``default`` where the parameter ``name`` is missing.

    :raises BadRequest: ``invalid_`` and ``name``, where it is none, or out of its range.
    """
    if text is None:
        return default
    # A longer one is over every maximum, and int() takes its time over very long ones.
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else -1
    if not minimum <= number <= maximum:
        raise BadRequest(f"invalid_{name}", errors=(FieldError(name, f"invalid_{name}"),))
    return number
