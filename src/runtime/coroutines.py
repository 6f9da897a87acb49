"""Run the application's coroutines without asyncio. Here is how an ``await`` works in this Worker.

A Worker has one thread, and everything that it waits for is a promise of JavaScript. An event loop
of asyncio would run several times for each promise, and would take more CPU time than everything
else that Python does to send a mail. So JavaScript awaits the promises, and runs the coroutines:

1. The function ``run`` of coroutines.mjs runs one coroutine to its end. It calls ``resume`` here
   once at the start, and once after each wait. ``resume`` calls the coroutine's ``send``, so the
   coroutine runs until it waits: for example until the port of D1 awaits ``result_of("batch",
   ...)``, which awaits ``_wait``.
2. ``_wait`` calls ``call`` of coroutines.mjs. This calls the function ``batch``, and stores the
   promise that it returns in the variable ``awaited``. If ``batch`` raises an error before it
   returns a promise, the error is raised here, and the coroutine does not wait.
3. Then ``_wait`` executes ``yield``. Every function between ``resume`` and this ``yield`` awaits
   the next one, so the ``yield`` suspends all of them. ``resume`` returns True.
4. ``run`` reads ``awaited`` at once, so no other coroutine has stored a promise since. It awaits
   the promise. Meanwhile other coroutines run.
5. ``run`` calls ``resume`` with the value of the promise, and ``resume`` calls ``send`` with it. So
   the ``yield`` has this value, and the ``await`` too. If the promise was rejected, ``run`` passes
   the error, which Pyodide makes a ``JsException``. ``resume`` then calls the coroutine's
   ``throw``, which raises the error at the ``yield``.
6. When the coroutine returns, ``resume`` returns its result, and ``run`` ends. The result is None
   or an object of JavaScript: True would mean that the coroutine waits, and Pyodide would make a
   proxy of another object of Python, which no code would destroy. An error of the coroutine rejects
   the promise of ``run``.

An invocation, a coroutine given to ``Waiting.all``, and one that runs in the background have a
``run`` of their own. The coroutines that they await run within it. JavaScript knows a coroutine by
its number, which costs less than a proxy.

Only ``_wait`` may suspend a coroutine. A pending Future of asyncio, or a promise that is awaited
directly, would suspend it too, but nothing would resume it. So ``resume`` raises an error at that
``await``. There is no cancellation: if the platform ends an invocation, its coroutines are not
resumed, and their ``finally`` does not run. memory.mjs therefore releases old rooms itself.

The application knows nothing of this. It awaits its ports, and uses the Protocol ``Waiting``
(``services.py``) to sleep, to run several coroutines at once, or one in the background. In the
tests, ``Waiting`` is implemented with asyncio. Cloudflare's SDK, the package ``workers``, makes a
task of asyncio for each invocation. This task awaits only the promise of the whole invocation.
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

# ``_wait`` yields this value. ``resume`` rejects all others.
_AWAITED = object()

_numbers = count(1)
_works: dict[int, Work[Any]] = {}


def connect(respond: Callable[..., Work[Any]]) -> None:
    """Connect coroutines.mjs with this module. It calls ``respond`` for each request."""

    def start(*parameters: Any) -> int:
        return number_of(respond(*parameters))

    coroutines().connect(create_proxy(resume), create_proxy(start))


def number_of(work: Work[Any]) -> int:
    """Keep ``work`` for coroutines.mjs, which must run it once; return its number."""
    number = next(_numbers)
    _works[number] = work
    return number


def resume(number: int, value: Any = None, error: BaseException | None = None) -> Any:
    """Run a coroutine until it waits or ends.

    :param value: the result of what the coroutine waited for; None at its start.
    :param error: raised in the coroutine, instead of a result.
    :returns: True if the coroutine waits, otherwise its result: None or an object of JavaScript.
    :raises BaseException: as the coroutine does.
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
    """Call ``start`` of coroutines.mjs, which stores a promise in ``awaited``.

    Wait for the promise; return its value, or raise its error.
    """
    start(*parameters)
    return (yield _AWAITED)


async def result_of(name: str, *parameters: object) -> Any:
    """Call the asynchronous function ``name`` of JavaScript; return its result.

    :raises pyodide.ffi.JsException: the function throws an error, or its promise is rejected.
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
