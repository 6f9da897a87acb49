"""The jobs of one run of the cron handler, with the maximum amount of every kind of work."""

from accounts.actor import Actor
from accounts.sending_limits import PausePolicy
from runtime.limits import MAX_SUBREQUESTS
from store.claim import claim
from store.record import StatusUpdate, record
from store.removal import clear_sendbox, purge_sendboxes
from store.search_index import MAX_STEPS, STEP_MESSAGES, index_messages
from store.sweep import due_messages, sweep
from tests.unit import given
from tests.unit.given import DAY, NOW, message_id
from tests.unit.sqlite_database import SqliteDatabase, run

# The same number as ``_ATTEMPTS_WITHOUT_QUEUE`` in sending/jobs.py.
ATTEMPTS = 2


def test_the_statements_of_a_cron_run_are_within_the_limit() -> None:
    database = SqliteDatabase()
    me = given.address(database, balance=10_000)
    waiting = [message_id(NOW + number, number) for number in range(ATTEMPTS + 1)]
    for id in waiting:
        given.reserved(database, me, id, given.scheduled(NOW + 1000, id))
    for number in range(STEP_MESSAGES * MAX_STEPS):
        id = message_id(NOW + 100 + number, number)
        given.reserved(database, me, id)
    cleared = given.address(database, "cleared@example.com", balance=10)
    mail = given.scheduled(NOW + DAY, "m1", sender=cleared.address)
    given.reserved(database, cleared, "m1", mail)
    run(clear_sendbox(database, cleared, by=Actor(cleared.address, "192.0.2.1"), now=NOW))
    # Clearing a sendbox cancels only some waiting messages. Let m1 be one that it left waiting.
    database.query(
        "UPDATE messages SET status = 'scheduled', finished_at = NULL, next_attempt_at = ?"
        " WHERE id = 'm1'",
        NOW + DAY,
    )
    database.statements.clear()

    now = NOW + 400_000
    assert len(run(due_messages(database, now=now))) == len(waiting)
    for id in waiting[:ATTEMPTS]:
        assert run(claim(database, id, claimant=id, now=now, lease_until=now + 1))
    rejections = [
        StatusUpdate(id=id, event="rejected", attempt=1, now=now, reason="recipient_suppressed")
        for id in waiting[:ATTEMPTS]
    ]
    run(record(database, rejections, pause_policy=PausePolicy(percent=50, last=4)))
    swept = run(sweep(database, now=now, retention_days=30, retention_metadata_days=90))
    assert swept["became_unknown"]
    assert run(purge_sendboxes(database, now=now)) == 1
    assert run(index_messages(database, now=now)) == STEP_MESSAGES * MAX_STEPS
    assert len(database.statements) <= MAX_SUBREQUESTS
