"""``runtime.rate_limiter``: a limiter that does not work admits all clients."""

import pytest

from subrequests import Subrequests
from tests.unit.stand_ins import stand_in


@pytest.mark.parametrize(("result", "admits"), [(True, True), (False, False), (OSError(), True)])
async def test_only_a_limiter_that_works_rejects(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    result: bool | Exception,
    admits: bool,
) -> None:
    async def result_of(name: str, key: str, milliseconds: int) -> bool:
        assert (name, key) == ("admits", "/api/new_address|192.0.2.1")
        if isinstance(result, Exception):
            raise result
        return result

    modules = {"runtime.coroutines": {"result_of": result_of}}
    stand_in(monkeypatch, modules, anew=["runtime.rate_limiter"])
    from runtime.rate_limiter import BindingRateLimiter

    subrequests = Subrequests(lambda: 50)
    limiter = BindingRateLimiter(subrequests)
    assert await limiter.admits("/api/new_address|192.0.2.1") is admits
    assert subrequests.used == 1
    is_broken = isinstance(result, Exception)
    assert ('"event":"rate_limiter_error"' in capsys.readouterr().out) is is_broken
