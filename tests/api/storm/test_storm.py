"""Storms of requests, queue batches, cron runs, faults and crashes, with an audit at the end.

A storm repeats approximately if it fails: ids and the delays of retries differ in each run.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.storm.acts import ACTS, FAULTLESS, WITH_WRONG_CLOCKS, rage
from tests.api.storm.audit import audit
from tests.api.storm.world import new_world

# A kill leaves coroutines that were never awaited.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine")

FEW, MANY = range(1), range(1, 21)

# Workers on one database, each with other settings and other bindings.
DIFFERENT: tuple[dict[str, Any], ...] = (
    {
        "variables": {
            "RETENTION_DAYS": "1",
            "RETENTION_METADATA_DAYS": "2",
            "SUBREQUESTS": "10000",
            "RETRY_HOURS": "2",
            "BATCH_INLINE": "3",
            "SEND_RATE_LIMIT": "20/minute",
        }
    },
    {
        "variables": {
            "RETRY_HOURS": "0",
            "PAUSE_FAILED_PERCENT": "0",
            "RETENTION_DAYS": "0",
            "SEND_RATE_LIMIT": "100/10m",
            "MAX_WITHDRAWALS_PER_DAY": "3",
        },
        "queue": False,
    },
    {"variables": {"SENDING_PAUSED": "true", "SUBREQUESTS": "10000"}},
    {"transport": False},
)


def check_alone(seed: int) -> None:
    world = new_world(seed, lost=0.02)
    rage(world, ACTS)
    world.settle()
    assert audit(world, loses=True)["sent"] > 20


def check_without_faults(seed: int) -> None:
    world = new_world(seed)
    rage(world, FAULTLESS)
    world.settle()
    assert audit(world, loses=False)["sent"] > 20


def check_different_settings(seed: int) -> None:
    world = new_world(seed, DIFFERENT, lost=0.02)
    rage(world, ACTS)
    world.settle()
    assert audit(world, loses=True)["sent"] > 20


def check_wrong_clocks(seed: int) -> None:
    world = new_world(seed, [{}, {}], lost=0.02)
    rage(world, WITH_WRONG_CLOCKS)
    world.settle()
    assert audit(world, loses=True)["sent"] > 20


every_kind = pytest.mark.parametrize(
    "check", [check_alone, check_without_faults, check_different_settings, check_wrong_clocks]
)


@every_kind
@pytest.mark.parametrize("seed", FEW)
def test_a_storm_loses_doubles_and_overcharges_nothing(
    check: Callable[[int], None], seed: int
) -> None:
    check(seed)


@pytest.mark.slow
@every_kind
@pytest.mark.parametrize("seed", MANY)
def test_many_storms_lose_double_and_overcharge_nothing(
    check: Callable[[int], None], seed: int
) -> None:
    check(seed)
