"""The limit of subrequests, and the subrequests that are kept back for work that has begun."""

import asyncio

import pytest

from store.database import Database, DatabaseUnavailable, Statement
from subrequests import SubrequestLimitExceeded, Subrequests
from tests.unit.stand_ins import stand_in


def of(limit: int) -> Subrequests:
    return Subrequests(lambda: limit)


async def nothing() -> str:
    return "done"


def test_each_subrequest_is_counted() -> None:
    subrequests = of(50)
    subrequests.count()
    subrequests.count(9)
    assert (subrequests.used, subrequests.left) == (10, 40)


def test_the_plan_limits_the_subrequests() -> None:
    subrequests = of(50)
    subrequests.count(47)
    subrequests.check(3)
    with pytest.raises(SubrequestLimitExceeded, match="more than 50 subrequests"):
        subrequests.check(4)
    assert subrequests.used == 47


def test_the_limit_is_that_of_the_setting_at_each_use() -> None:
    limits = [50, 10_000]
    subrequests = Subrequests(lambda: limits[0])
    subrequests.count(50)
    limits.pop(0)
    subrequests.check(9950)
    assert subrequests.left == 9950


async def test_work_that_has_begun_keeps_back_what_it_needs_until_it_ends() -> None:
    subrequests = of(50)
    first, second = subrequests.keep(20, nothing()), subrequests.keep(5, nothing())
    assert subrequests.left == 25  # before either runs
    assert await first == "done"
    assert subrequests.left == 45
    await second
    assert subrequests.left == 50


async def test_work_that_fails_keeps_nothing_back() -> None:
    async def broken() -> None:
        raise LookupError

    subrequests = of(50)
    with pytest.raises(LookupError):
        await subrequests.keep(20, broken())
    assert subrequests.left == 50


def test_subrequests_that_are_kept_back_may_be_used() -> None:
    subrequests = of(50)
    work = subrequests.keep(50, nothing())
    subrequests.check(50)
    asyncio.run(work)


def test_recording_an_outcome_is_always_allowed() -> None:
    subrequests = of(50)
    subrequests.count(50)
    with subrequests.recording():
        with subrequests.recording():
            subrequests.check(9)
        subrequests.check(9)
    with pytest.raises(SubrequestLimitExceeded):
        subrequests.check(9)


# D1


class Bridge:
    """Counts the calls that arrive in JavaScript. The first ``lost`` calls get no response."""

    def __init__(self) -> None:
        self.calls = self.lost = 0
        self.texts: list[str] = []

    def keepStatement(self, sql: str) -> int:  # noqa: N802
        """Keep the text of a statement; return its number."""
        self.texts.append(sql)
        return len(self.texts) - 1

    async def result_of(
        self, name: str, statements: bytes, texts: object, milliseconds: int
    ) -> bytes:
        assert name == "batch"
        self.calls += 1
        if self.calls <= self.lost:
            raise OSError
        return b'[{"rows": [], "rows_written": 1}]'


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Bridge:
    """Replaces the JavaScript that ``runtime.d1`` calls."""
    made = Bridge()

    class Waiting:
        async def sleep(self, seconds: float) -> None:
            return None

    modules: dict[str, dict[str, object]] = {
        "pyodide": {},
        "pyodide.ffi": {"to_js": lambda value: value},
        "runtime.bridge": {"bridge": lambda: made},
        "runtime.coroutines": {"result_of": made.result_of, "JsWaiting": Waiting},
    }
    stand_in(monkeypatch, modules, anew=["runtime.d1", "runtime.long_texts"])
    return made


def d1(subrequests: Subrequests) -> Database:
    import runtime.d1

    made: Database = runtime.d1.D1Database(subrequests)
    return made


def batch(count: int) -> list[Statement]:
    return [Statement("SELECT 1")] * count


async def test_d1_makes_no_batch_beyond_the_limit(bridge: Bridge) -> None:
    subrequests = of(50)
    database = d1(subrequests)
    await database.batch(batch(48))
    await database.batch(batch(2))
    assert (subrequests.left, bridge.calls) == (0, 2)
    with pytest.raises(SubrequestLimitExceeded):
        await database.batch(batch(1))
    assert bridge.calls == 2


async def test_the_text_of_a_statement_is_passed_to_javascript_once(bridge: Bridge) -> None:
    for _ in range(2):  # by different invocations
        await d1(of(50)).batch([*batch(2), Statement("SELECT 2")])
    assert (bridge.texts, bridge.calls) == (["SELECT 1", "SELECT 2"], 2)


async def test_d1_always_tries_to_write_an_outcome(bridge: Bridge) -> None:
    subrequests = of(50)
    database = d1(subrequests)
    await database.batch(batch(48))
    with subrequests.recording():
        await database.batch(batch(9))
    assert (subrequests.used, bridge.calls) == (57, 2)


@pytest.mark.parametrize(("kept", "calls"), [(0, 3), (20, 3), (21, 2), (31, 1)])
async def test_d1_counts_repetitions_and_makes_those_that_fit(
    bridge: Bridge, kept: int, calls: int
) -> None:
    subrequests = of(50)
    bridge.lost = 3
    work = subrequests.keep(kept, nothing())

    with pytest.raises(DatabaseUnavailable):
        await d1(subrequests).batch(batch(10), repeatable=True)
    assert (subrequests.used, bridge.calls) == (10 * calls, calls)
    await work
