"""Storms on the real server: clients, queue and cron, one kill of all processes, and a restart.

At the end the provider's ledger, the rows, the balances and the responses are compared.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.crash.site import BALANCE, Site, running_site
from tests.crash.storm import AFTER_THE_KILL, UNTIL_THE_KILL, Storm
from tests.faults.consistency import (
    check_change,
    check_mails,
    check_responses,
    check_rows,
    keep_subjects,
    kept_subjects,
)

ADDRESSES = 3
SEEDS = range(20)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site({"ENABLE_USER_DELETE_EMAIL": "true"}) as running:
        keep_subjects(running.server.sql)
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_storm_loses_doubles_and_overcharges_nothing(
    site: Site, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = storm(site, seed)
    with capsys.disabled():
        print(f"\nstorm {seed}: {figures}", flush=True)


def storm(site: Site, seed: int) -> str:
    """Run one storm, check the state that it leaves, and return its figures."""
    senders = [site.api.new_sender(balance=BALANCE) for _ in range(ADDRESSES)]
    raging = Storm(site, senders)
    stop = raging.rage(f"{seed} until the kill", UNTIL_THE_KILL)
    time.sleep(3 + random.Random(seed).uniform(0, 1))
    site.server.kill()
    stop()
    site.server.sql("UPDATE messages SET lease_until = 1 WHERE lease_until IS NOT NULL")
    site.server.start()
    stop = raging.rage(f"{seed} after the kill", AFTER_THE_KILL)
    time.sleep(2)
    stop()
    finish(site)
    return check(raging)


def finish(site: Site) -> None:
    """Make waiting messages due, and run the cron, until every message has finished."""
    deadline = time.monotonic() + 90
    while site.open_rows():
        assert time.monotonic() < deadline, site.open_rows()
        site.server.sql(
            "UPDATE messages SET next_attempt_at = 1"
            " WHERE next_attempt_at > 1 AND status <> 'sending'"
        )
        site.server.run_cron()
        time.sleep(0.5)


def check(storm: Storm) -> str:
    """Compare everything in the database and the ledger, and the responses of ``storm``."""
    server = storm.site.server
    subjects = kept_subjects(server.sql)
    messages = server.sql("SELECT * FROM messages")
    found = [{**row, "subject": subjects[row["id"]]} for row in messages]
    rows = {row["id"]: row for row in found}
    mails = Counter(mail["subject"] for mail in storm.site.ledger.mails)
    check_rows(server.sql, balance=BALANCE)
    check_mails(found, mails)
    for submitted in storm.submitted:
        check_responses(submitted.responses, submitted.subjects, rows, loses=True)
    for changed in storm.changed:
        check_change(changed.kind, changed.response, rows[changed.message_id], rows)
    ours = {sender.address_id for sender in storm.senders}
    statuses = Counter(row["status"] for row in found if row["address_id"] in ours)
    responses = Counter(one.status_code for sent in storm.submitted for one in sent.responses)
    changes = Counter((one.kind, one.response.status_code) for one in storm.changed)
    return f"{dict(statuses)}, responses {dict(responses)}, changes {dict(changes)}"
