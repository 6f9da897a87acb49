"""A database is restored to an earlier state while its clients continue.

The first timeline is the one that the restore discards: there, everything that was waiting is sent.
"""

from collections import Counter

import pytest

from tests.api.restored import backup
from tests.api.storm.acts import ACTS, rage
from tests.api.storm.world import BALANCE, VARIABLES, World, new_world
from tests.client import TestClient
from tests.faults.consistency import check_mails, check_responses, check_rows, keep_subjects
from tests.unit.sqlite_database import SqliteDatabase

pytestmark = pytest.mark.filterwarnings("ignore:coroutine")

every_way = pytest.mark.parametrize("has_texts", [True, False], ids=["time travel", "export"])


def restore(world: World, database: SqliteDatabase) -> None:
    """Continue with a deployment on ``database``."""
    (first, *_) = world.workers
    world.remember_subjects()
    restored = TestClient(VARIABLES, database=database, beside=first)
    restored.lose_responses = world.loses
    world.workers = [restored]
    keep_subjects(world.query)
    restored.run_cron()


def check_restored_storm(seed: int, *, has_texts: bool) -> None:
    world = new_world(seed, lost=0.02)
    (first,) = world.workers
    rage(world, ACTS, 250)
    first.kill()
    copy = backup(first.database, has_texts=has_texts)
    world.settle()
    restore(world, copy)
    world.lost = 0.02
    rage(world, ACTS, 250)
    world.settle()
    rows = world.messages()
    by_id = {row["id"]: row for row in rows}
    check_rows(world.query, balance=BALANCE, has_texts=has_texts)
    mails = [mail.form["subject"] for mail in first.provider.taken]
    check_mails(rows, Counter(mails))
    for submission in world.submissions:
        check_responses(submission.responses, submission.subjects, by_id, loses=True)


@every_way
@pytest.mark.parametrize("seed", range(1))
def test_a_restore_during_a_storm_doubles_and_overcharges_nothing(
    seed: int, has_texts: bool
) -> None:
    check_restored_storm(seed, has_texts=has_texts)


@pytest.mark.slow
@every_way
@pytest.mark.parametrize("seed", range(1, 20))
def test_restores_during_many_storms_double_and_overcharge_nothing(
    seed: int, has_texts: bool
) -> None:
    check_restored_storm(seed, has_texts=has_texts)
