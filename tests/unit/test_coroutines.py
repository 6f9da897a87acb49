"""``runtime.coroutines``: coroutines that JavaScript resumes. Here the test is the JavaScript."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.stand_ins import stand_in


class JavaScript:
    """Collects the calls of coroutines.mjs."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *parameters: self.calls.append((name, *parameters))


@pytest.fixture
def javascript() -> JavaScript:
    return JavaScript()


@pytest.fixture
def runtime(javascript: JavaScript, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module ``runtime.coroutines`` with this JavaScript."""
    modules: dict[str, dict[str, object]] = {
        "pyodide": {},
        "pyodide.ffi": {"create_proxy": lambda function: function},
        "runtime.bridge": {"coroutines": lambda: javascript},
    }
    stand_in(monkeypatch, modules, anew=["runtime.coroutines"])
    import runtime.coroutines

    yield runtime.coroutines
    assert runtime.coroutines._works == {}, "a coroutine was not run to its end"


def test_a_result_is_awaited(runtime: Any, javascript: JavaScript) -> None:
    async def work() -> str:
        first = await runtime.result_of("batch", b"[]", 1000)
        second = await runtime.result_of("send", first)
        return f"{first} {second}"

    number = runtime.number_of(work())
    assert javascript.calls == []
    assert runtime.resume(number) is True
    assert javascript.calls == [("call", "batch", b"[]", 1000)]
    assert runtime.resume(number, "rows") is True
    assert javascript.calls[1:] == [("call", "send", "rows")]
    assert runtime.resume(number, "id") == "rows id"


def test_an_error_is_raised_at_the_await(runtime: Any) -> None:
    async def work() -> str:
        try:
            await runtime.result_of("batch")
        except OSError:
            await runtime.result_of("batch")
        return "done"

    number = runtime.number_of(work())
    runtime.resume(number)
    assert runtime.resume(number, None, OSError()) is True
    assert runtime.resume(number, None) == "done"


def test_only_promises_of_the_bridge_are_awaited(runtime: Any) -> None:
    async def work() -> str:
        try:
            await asyncio.sleep(0)
        except RuntimeError as error:
            await runtime.result_of("batch")
            return str(error)
        return ""

    number = runtime.number_of(work())
    assert runtime.resume(number) is True
    assert "result_of and Waiting" in runtime.resume(number)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_ends_the_coroutine(runtime: Any, error: type[BaseException]) -> None:
    async def work() -> None:
        await runtime.result_of("batch")
        raise error

    number = runtime.number_of(work())
    runtime.resume(number)
    with pytest.raises(error):
        runtime.resume(number)


def test_each_coroutine_gets_its_own_results(runtime: Any) -> None:
    async def work() -> list[int]:
        return [await runtime.result_of("batch") for _ in range(2)]

    numbers = [runtime.number_of(work()) for _ in range(3)]
    for number in numbers:
        runtime.resume(number)
    for number in reversed(numbers):
        assert runtime.resume(number, number * 10) is True
    for number in numbers:
        assert runtime.resume(number, number) == [number * 10, number]


async def echoed(runtime: Any, problem: Exception | None = None) -> Any:
    result = await runtime.result_of("batch")
    if problem:
        raise problem
    return result


def test_several_coroutines_run_at_once(runtime: Any, javascript: JavaScript) -> None:
    parent = runtime.number_of(runtime.JsWaiting().all([echoed(runtime) for _ in range(3)]))
    assert runtime.resume(parent) is True
    ((name, first, count),) = javascript.calls
    assert (name, count) == ("runAll", 3)
    for number in (first + 2, first, first + 1):
        assert runtime.resume(number) is True
    for number in (first + 1, first, first + 2):
        runtime.resume(number, number - first)
    assert runtime.resume(parent) == [0, 1, 2]


def test_the_first_error_is_raised_after_all_have_ended(runtime: Any) -> None:
    works = [echoed(runtime), echoed(runtime, OSError()), echoed(runtime, KeyError())]
    parent = runtime.number_of(runtime.JsWaiting().all(works))
    runtime.resume(parent)
    for child in range(parent + 1, parent + 4):
        runtime.resume(child)
    for child in range(parent + 3, parent, -1):
        runtime.resume(child)
    with pytest.raises(OSError):  # noqa: PT011
        runtime.resume(parent)


@pytest.mark.parametrize("count", [0, 1])
def test_one_coroutine_runs_without_another(
    runtime: Any, javascript: JavaScript, count: int
) -> None:
    parent = runtime.number_of(runtime.JsWaiting().all([echoed(runtime) for _ in range(count)]))
    result = runtime.resume(parent)
    if count:
        assert result is True
        result = runtime.resume(parent, "result")
    assert result == ["result"] * count
    assert [call[0] for call in javascript.calls] == ["call"] * count


def test_a_sleep_is_in_milliseconds(runtime: Any, javascript: JavaScript) -> None:
    number = runtime.number_of(runtime.JsWaiting().sleep(1.5))
    runtime.resume(number)
    assert javascript.calls == [("sleep", 1500.0)]
    assert runtime.resume(number) is None


def test_an_error_in_the_background_is_logged(
    runtime: Any, javascript: JavaScript, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime.JsWaiting().run_in_background(echoed(runtime, ValueError("secret")))
    ((name, number),) = javascript.calls
    assert name == "runInBackground"
    runtime.resume(number)
    assert runtime.resume(number) is None
    line = capsys.readouterr().out
    assert '"event":"background_failed"' in line
    assert "ValueError" in line
    assert "secret" not in line


def test_requests_are_started_with_what_javascript_knows_of_them(
    runtime: Any, javascript: JavaScript
) -> None:
    async def respond(head: str, body: bytes) -> tuple[str, bytes]:
        return head, body

    runtime.connect(respond)
    ((name, resume, start),) = javascript.calls
    assert name == "connect"
    assert resume(start("{}", b"body")) == ("{}", b"body")
