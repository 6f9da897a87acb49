"""What the administrators' overview shows of the database: what is set up, and what has happened.

The cron notes every few minutes that it runs. The note is the row ``cron`` of the table ``sweeps``;
its position is the lowest id for the time of the run.
"""

from typing import NamedTuple

from clock import utc_day
from ids import first_id, time_of
from store.database import Database, Statement, StatementRejected
from store.step import Step
from store.usage import USAGE_DAYS

# The file in migrations/ that was added last.
NEWEST_MIGRATION = "0005_transports.sql"

_DAY = 86_400_000

# A cron run writes no note if there is a note of one of the last three runs. So the note is at most
# four minutes old, and costs 360 rows per day.
_NOTE_STAYS_MILLISECONDS = 210_000

# A position later than ?1, which is now, is that of a wrong clock.
_NOTE_CRON = """
INSERT INTO sweeps (name, position) VALUES ('cron', ?1)
ON CONFLICT (name) DO UPDATE SET position = excluded.position
WHERE position NOT BETWEEN ?2 AND ?1
"""

# The maximum number of overdue messages that are counted.
_MAX_OVERDUE = 1000

# Messages are overdue if they should have been attempted this long ago.
_OVERDUE_MILLISECONDS = 300_000

# The overview only says whether any address can send, so a few balances are enough.
_FACTS = f"""
SELECT
  EXISTS (SELECT 1 FROM addresses) AS has_address,
  EXISTS (
    SELECT 1 FROM (
      SELECT balance, enabled FROM send_balances ORDER BY address_id DESC LIMIT 1000
    ) WHERE balance > 0 AND enabled
  ) OR EXISTS (SELECT 1 FROM list_entries WHERE list = 'unlimited') AS has_balance,
  (SELECT max(day) FROM delivery_days) AS heard,
  (SELECT position FROM sweeps WHERE name = 'cron') AS cron,
  (
    SELECT count(*) FROM (
      SELECT 1 FROM messages WHERE next_attempt_at < ?1 LIMIT {_MAX_OVERDUE}
    )
  ) AS overdue
"""

# Sandbox messages are not in usage_days.
_SENDING_DOMAINS = """
SELECT domain, min(day) AS first FROM usage_days
WHERE day BETWEEN ?1 AND ?2 AND recipients > 0 GROUP BY domain
"""

# wrangler adds a row to this table for each migration that it has applied.
_MIGRATION = "SELECT EXISTS (SELECT 1 FROM d1_migrations WHERE name = ?1) AS is_applied"


class Facts(NamedTuple):
    """What is set up, and what has happened.

    ``has_balance`` is whether any address has a balance or needs none. ``heard`` is the last UTC
    day of acceptance whose mail has any delivery event, ``cron_at`` the time of the last note of
    the cron, ``overdue`` the number of messages that should have been attempted minutes ago, at
    most 1000. ``sending_since`` maps each domain that has sent in the last 90 UTC days to the first
    of these days.
    """

    has_address: bool
    has_balance: bool
    heard: str | None
    cron_at: int | None
    overdue: int
    sending_since: dict[str, str]


def cron_step(*, now: int) -> Step:
    """The step that notes that the cron runs, if there is no recent note."""
    parameters = (first_id(now), first_id(max(0, now - _NOTE_STAYS_MILLISECONDS)))

    async def run(database: Database) -> int:
        await database.batch([Statement(_NOTE_CRON, parameters)], repeatable=True)
        return 0

    return Step("cron_noted", 1, 1, run)


async def read_facts(database: Database, *, now: int) -> Facts | None:
    """The facts; None if the database rejects the statements, because it lacks a migration.

    :raises DatabaseUnavailable: there was no response.
    """
    period = (utc_day(now - (USAGE_DAYS - 1) * _DAY), utc_day(now))
    statements = [
        Statement(_FACTS, (now - _OVERDUE_MILLISECONDS,)),
        Statement(_SENDING_DOMAINS, period),
    ]
    try:
        (row,), domains = await database.batch(statements, repeatable=True)
    except StatementRejected:
        return None
    return Facts(
        has_address=bool(row["has_address"]),
        has_balance=bool(row["has_balance"]),
        heard=row["heard"],
        cron_at=time_of(row["cron"]) if row["cron"] else None,
        overdue=row["overdue"],
        sending_since={one["domain"]: one["first"] for one in domains},
    )


async def has_newest_migration(database: Database) -> bool | None:
    """Whether wrangler has applied all migrations; None if the database has no list of them.

    :raises DatabaseUnavailable: there was no response.
    """
    try:
        ((row,),) = await database.batch(
            [Statement(_MIGRATION, (NEWEST_MIGRATION,))], repeatable=True
        )
    except StatementRejected:
        return None
    return bool(row["is_applied"])
