"""The cron's steps and a claim of one message, as single calls."""

from mail.submission import Attempt
from store.claim import claim as claim_all
from store.database import Database
from store.removal import purge_steps
from store.sweep import lease_step, sweep_steps


async def claim(
    database: Database, message_id: str, *, claimant: str, now: int, lease_until: int
) -> Attempt | None:
    """Claim a message. None if it is not due, or if it can't be claimed for another reason."""
    attempts, left = await claim_all(
        database,
        [message_id],
        claimant=claimant,
        now=now,
        lease_until=lease_until,
        max_messages=1,
        max_bytes=10**9,
        max_first=0,
    )
    assert left == []
    return attempts[0] if attempts else None


async def sweep(
    database: Database, *, now: int, retention_days: int, retention_metadata_days: int
) -> dict[str, int]:
    """Run each step of the sweep once. Return the number of rows by the name of the step."""
    steps = sweep_steps(
        now=now, retention_days=retention_days, retention_metadata_days=retention_metadata_days
    )
    return {step.name: await step.run(database) for step in [lease_step(now=now), *steps]}


async def purge_sendboxes(database: Database, *, now: int) -> int:
    """Run each step of the purges once. Return how many messages the last step removed."""
    counts = [await step.run(database) for step in purge_steps(now=now)]
    return counts[-1]
