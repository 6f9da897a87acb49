"""Handlers whose modules are imported when they are first called.

Importing is the most of a worker's start, and most of its calls send mail.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module

from answers import Answer
from call import Call

Handler = Callable[[Call], Awaitable[Answer]]


class Later:
    """Stands for a module of handlers: its attributes are those handlers."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Handler:
        async def handler(call: Call) -> Answer:
            answer: Answer = await getattr(import_module(self._module), name)(call)
            return answer

        return handler
