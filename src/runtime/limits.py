"""Checks of limits that production enforces and the local tools do not.

With these checks, a local run fails where production would fail. The limits are those on the limits
pages of D1 and of Workers. A violation is a bug of this code, never an error of a client's request.
The module ``subrequests`` checks the limit of subrequests.
"""

import re
from collections.abc import Iterable
from functools import cache

MAX_VALUE_BYTES = 2_000_000  # per D1 value or row
MAX_PARAMETERS = 100  # per statement
MAX_SQL_BYTES = 100_000
MAX_PBKDF2_ITERATIONS = 100_000

# LIKE and GLOB are not used: their patterns may have at most 50 bytes, and a client's search may be
# longer.
_LIKE = re.compile(r"\b(?:LIKE|GLOB)\b", re.IGNORECASE)


class ProductionLimitError(RuntimeError):
    """Production would reject this operation."""


def check_batch(statements: Iterable[tuple[str, tuple[object, ...]]]) -> None:
    """Check the statements of a batch, each with its parameters.

    :raises ProductionLimitError: D1 would reject one of the statements.
    """
    for sql, parameters in statements:
        _check_sql(sql)
        if len(parameters) > MAX_PARAMETERS:
            raise ProductionLimitError(f"a statement binds more than {MAX_PARAMETERS} parameters")
        for parameter in parameters:
            if isinstance(parameter, str) and _is_too_large(parameter):
                raise ProductionLimitError(f"a value is larger than {MAX_VALUE_BYTES} bytes")


def _is_too_large(text: str) -> bool:
    # A character has at most four bytes, so most texts need no encoding to be measured.
    return len(text) * 4 > MAX_VALUE_BYTES and len(text.encode()) > MAX_VALUE_BYTES


@cache  # the statements are few and constant
def _check_sql(sql: str) -> None:
    if len(sql.encode()) > MAX_SQL_BYTES:
        raise ProductionLimitError(f"a statement is longer than {MAX_SQL_BYTES} bytes")
    if _LIKE.search(sql):
        raise ProductionLimitError("a statement uses LIKE or GLOB, whose patterns are limited")


def check_pbkdf2(iterations: int) -> None:
    """Check the number of iterations of a key derivation.

    :raises ProductionLimitError: ``crypto.subtle`` would reject this number.
    """
    if iterations > MAX_PBKDF2_ITERATIONS:
        raise ProductionLimitError(f"PBKDF2 with more than {MAX_PBKDF2_ITERATIONS} iterations")
