"""Run the application's coroutines without asyncio. Here is how an ``await`` works in this Worker.

A Worker has one thread, and everything that takes time is a promise of JavaScript. With asyncio, a
task would await the promise, and its event loop would run several times for each promise. That took
more CPU time than everything else that Python does to send a mail. So JavaScript awaits the
promises, and runs the coroutines:

1. The function ``run`` of coroutines.mjs runs one coroutine in a loop. It calls ``resume`` here,
   and ``resume`` calls the coroutine's ``send``. So the coroutine runs, until a port awaits
   ``result_of("batch", ...)``, which awaits ``_wait``.
2. ``_wait`` calls ``call`` of coroutines.mjs. This calls the function ``batch``, and stores the
   promise that it returns in the variable ``awaited``.
3. Then ``_wait`` executes ``yield``. Every function between ``send`` and this ``yield`` awaits the
   next one, so the ``yield`` suspends all of them, and ``send`` returns. ``resume`` returns True.
4. ``run`` takes the promise out of ``awaited`` before any other coroutine can store one, and awaits
   it. Meanwhile other coroutines run.
5. ``run`` calls ``resume`` with the value of the promise. ``resume`` calls ``send``, which makes it
   the value of the ``yield``, and so of the ``await``. If the promise was rejected, ``run`` passes
   the error, which Pyodide makes a ``JsException``. ``resume`` then calls the coroutine's
   ``throw``, which raises the error at the ``yield``.
6. When the coroutine returns, ``resume`` returns its result, which is None or an object of
   JavaScript, and the loop of ``run`` ends. An error of the coroutine rejects the promise of
   ``run``.

Each coroutine has its own ``run``. JavaScript knows a coroutine by its number, which costs less
than a proxy.

Only ``_wait`` may suspend a coroutine. A pending Future of asyncio, or a promise that is awaited
directly, would suspend it too, but nothing would resume it. So ``resume`` raises an error at that
``await``. There is no cancellation: if the platform ends an invocation, its coroutines are not
resumed, and their ``finally`` does not run.

The application knows nothing of this. It awaits its ports, and uses the Protocol ``Waiting``
(``services.py``) to sleep, to run several coroutines at once, or one in the background. In the
tests, ``Waiting`` is implemented with asyncio. The SDK makes a task of asyncio for each invocation.
This task awaits only the promise of the whole invocation.
"""

import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from itertools import count
from typing import Any, TypeVar

from pyodide.ffi import create_proxy

from log import in_background
from runtime.bridge import coroutines

T = TypeVar("T")
Work = Coroutine[Any, Any, T]

# The value that ``_wait`` yields.
_AWAITED = object()

_numbers = count(1)
_works: dict[int, Work[Any]] = {}


def connect(respond: Callable[..., Work[Any]]) -> None:
    """Let coroutines.mjs run coroutines, and call ``respond`` for each request."""

    def start(*parameters: Any) -> int:
        return number_of(respond(*parameters))

    coroutines().connect(create_proxy(resume), create_proxy(start))


def number_of(work: Work[Any]) -> int:
    """The number of ``work``, which has not begun yet."""
    number = next(_numbers)
    _works[number] = work
    return number


def resume(number: int, value: Any = None, error: BaseException | None = None) -> Any:
    """Run a coroutine until it waits or ends.

    :param value: the result of what the coroutine waited for.
    :param error: raised in the coroutine, instead of a result.
    :returns: True if the coroutine waits, otherwise its result: None or an object of JavaScript.
    """
    work = _works[number]
    try:
        yielded = work.send(value) if error is None else work.throw(error)
        while yielded is not _AWAITED:
            yielded = work.throw(RuntimeError("a coroutine may only await result_of and Waiting"))
    except StopIteration as end:
        del _works[number]
        return end.value
    except BaseException:
        del _works[number]
        raise
    return True


@types.coroutine
def _wait(start: Callable[..., None], *parameters: object) -> Generator[object, Any, Any]:
    """Call ``start``, which stores a promise in ``awaited``, and wait for the promise."""
    start(*parameters)
    return (yield _AWAITED)


async def result_of(name: str, *parameters: object) -> Any:
    """Call the asynchronous function ``name`` of JavaScript; return its result.

    :raises pyodide.ffi.JsException: the function throws an error.
    """
    return await _wait(coroutines().call, name, *parameters)


class JsWaiting:
    """Implements ``services.Waiting``."""

    async def all(self, works: Sequence[Work[T]]) -> list[T]:
        if len(works) == 1:
            return [await works[0]]
        results: dict[int, T] = {}
        errors: dict[int, Exception] = {}

        async def run(position: int, work: Work[T]) -> None:
            try:
                results[position] = await work
            except Exception as error:
                errors[position] = error

        numbers = [number_of(run(*item)) for item in enumerate(works)]
        if numbers:
            await _wait(coroutines().runAll, numbers[0], len(numbers))
        if errors:
            raise errors[min(errors)]
        return [results[position] for position in range(len(works))]

    async def sleep(self, seconds: float) -> None:
        await _wait(coroutines().sleep, seconds * 1000)

    def run_in_background(self, work: Work[object]) -> None:
        coroutines().runInBackground(number_of(in_background(work)))
