"""A bounded piece of the work that the cron does each minute."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from store.database import Database


class Step(NamedTuple):
    """A piece of work that can be repeated and interrupted.

    ``name`` is the name of the count of its rows. ``statements`` is the maximum number of
    statements of a run. ``run`` returns the number of rows that it handled. If this number is
    ``full`` or more, there may be more work.
    """

    name: str
    statements: int
    full: int
    run: Callable[[Database], Coroutine[Any, Any, int]]
