"""A bounded piece of the work that the cron does each minute."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from store.database import Database


class Step(NamedTuple):
    """A piece of work that can be repeated and interrupted.

    ``statements`` is the maximum number of statements. ``run`` returns the number of rows; if
    there are ``full`` or more, another run finds more work. Several may share a ``name``.
    """

    name: str
    statements: int
    full: int
    run: Callable[[Database], Coroutine[Any, Any, int]]
