"""What production enforces and the local tools do not, so that a local run fails the same way.

Sources: the limits pages of D1 and of Workers. Breaking one of these is a fault of this code,
never of a client's request.
"""

import re
from functools import cache

MAX_VALUE_BYTES = 2_000_000  # one D1 value or row
MAX_PARAMETERS = 100  # bound to one statement
MAX_SQL_BYTES = 100_000
MAX_PBKDF2_ITERATIONS = 100_000
# Of one request on Workers Free. Whether the statements of a batch count one by one is not
# documented, so they do here; a repetition after a lost answer does not.
MAX_SUBREQUESTS = 50

# A LIKE pattern may have 50 bytes, and what a client searches for is not bounded by that.
_LIKE = re.compile(r"\b(?:LIKE|GLOB)\b", re.IGNORECASE)


class ProductionLimitError(RuntimeError):
    """Production would refuse what this code is about to do."""


def check_statement(sql: str, parameters: tuple[object, ...]) -> None:
    """Check one statement and what is bound to it.

    :raises ProductionLimitError: where D1 would refuse it.
    """
    _check_sql(sql)
    if len(parameters) > MAX_PARAMETERS:
        raise ProductionLimitError(f"a statement binds more than {MAX_PARAMETERS} parameters")
    for parameter in parameters:
        # A character has at most four bytes, so that most texts need not be encoded to be sized.
        if (
            isinstance(parameter, str)
            and len(parameter) * 4 > MAX_VALUE_BYTES
            and len(parameter.encode()) > MAX_VALUE_BYTES
        ):
            raise ProductionLimitError(f"a value is larger than {MAX_VALUE_BYTES} bytes")


@cache  # the statements are few, and always the same
def _check_sql(sql: str) -> None:
    if len(sql.encode()) > MAX_SQL_BYTES:
        raise ProductionLimitError(f"a statement is longer than {MAX_SQL_BYTES} bytes")
    if _LIKE.search(sql):
        raise ProductionLimitError("a statement uses LIKE or GLOB, whose patterns are limited")


def check_pbkdf2(iterations: int) -> None:
    """:raises ProductionLimitError: where crypto.subtle would refuse the work factor."""
    if iterations > MAX_PBKDF2_ITERATIONS:
        raise ProductionLimitError(f"PBKDF2 with more than {MAX_PBKDF2_ITERATIONS} iterations")


def check_subrequests(count: int) -> None:
    """:raises ProductionLimitError: where Workers Free would end the request."""
    if count > MAX_SUBREQUESTS:
        raise ProductionLimitError(f"a request makes more than {MAX_SUBREQUESTS} subrequests")
