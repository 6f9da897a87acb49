"""Run the application's coroutines without asyncio. Here is how an ``await`` works in this Worker.

Python cannot wait: a Worker has one thread, and everything that takes time is a JavaScript promise.
In Pyodide, ``await promise`` normally needs a task of asyncio, whose event loop is called several
times for each promise. This took more CPU time than the rest of a send. So JavaScript calls the
coroutines itself:

1. A port calls ``await result_of("batch", ...)``. This calls the function in JavaScript, which
   starts the work and stores its promise in the variable ``awaited`` of coroutines.mjs.
2. ``result_of`` yields. A yield below ``await`` suspends all coroutines above it. So control is
   back in ``resume``, which called ``send`` of the outermost coroutine, and ``resume`` returns True
   to JavaScript.
3. JavaScript awaits the promise, as any JavaScript code does. Meanwhile other requests run.
4. It calls ``resume`` with the value of the promise, or with its error. ``send`` makes the value
   the result of the ``yield``, and so of the ``await``; ``throw`` raises the error there.
5. When the coroutine ends, ``resume`` returns its result, and the loop in JavaScript ends.

Coroutines that run at the same time are resumed independently. JavaScript knows each by its number:
a number costs less than a proxy of the coroutine, which would also have to be destroyed.

The application knows nothing of this. It awaits its ports, and uses the Protocol ``Waiting``
(``services.py``) to sleep, to run several coroutines at once, or one in the background. In the
tests, ``Waiting`` is implemented with asyncio.
"""

import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from itertools import count
from typing import Any, TypeVar

from pyodide.ffi import create_proxy

from log import frames, log
from runtime.bridge import coroutines

T = TypeVar("T")
Work = Coroutine[Any, Any, T]

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
    """Run a coroutine until it waits, then return True; or until it ends, then return its result.

    :param value: the result of what the coroutine waited for.
    :param error: raised in the coroutine, instead of a result.
    """
    work = _works[number]
    try:
        if error is None:
            work.send(value)
        else:
            work.throw(error)
    except StopIteration as end:
        del _works[number]
        return end.value
    except BaseException:
        del _works[number]
        raise
    return True


@types.coroutine
def _wait(start: Callable[..., None], *parameters: object) -> Generator[None, Any, Any]:
    """Call ``start``, which stores a promise in ``awaited``, and wait for the promise."""
    start(*parameters)
    return (yield)


async def result_of(name: str, *parameters: object) -> Any:
    """Call the asynchronous function ``name`` of bridge.mjs or bodies.mjs; return its result.

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
        coroutines().runInBackground(number_of(_logged(work)))


async def _logged(work: Work[object]) -> None:
    try:
        await work
    except Exception as error:  # no coroutine awaits this work
        log("background_failed", kind=type(error).__name__, frames=frames(error))
