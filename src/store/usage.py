"""Usage: the numbers of accepted, sent and failed messages by day of acceptance.

The counters (``usage_days``) include a message once it has finished. A query counts the messages
that have not finished through their indexes in ``messages``.
"""

from typing import NamedTuple

from accounts.credentials import Credential
from clock import utc_day
from store.addresses import require_valid
from store.balances import balance_statement
from store.database import Database, Row, Statement

USAGE_DAYS = 90
_DAY = 86_400_000

# The UTC day of acceptance, from a column of `messages`.
DAY_OF_ACCEPTANCE = "strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch')"

# The domain of the sender, in lower case, as a column of `messages`.
SENDING_DOMAIN = "lower(substr(sender, instr(sender, '@') + 1))"

# The changes of the counters by transitions from `status` to `target`, as columns of a SELECT.
# `unknown`, `sent` and `failed` are the final statuses that a message can leave again. A message
# that leaves one of them is subtracted.
COUNTED = f"""
  {DAY_OF_ACCEPTANCE} AS day, address_id, domain,
  sum(target = 'sent') - sum(status = 'sent') AS sent,
  sum(target = 'failed') - sum(status = 'failed') AS failed,
  sum(target = 'unknown') - sum(status = 'unknown') AS unknown,
  sum(target = 'cancelled') AS cancelled,
  sum(recipients * ((target = 'sent') - (status = 'sent'))) AS recipients
"""

ADD = """
INSERT INTO usage_days (day, address_id, domain, sent, failed, unknown, cancelled, recipients)
{counted}
ON CONFLICT (day, address_id, domain) DO UPDATE SET
  sent = sent + excluded.sent, failed = failed + excluded.failed,
  unknown = unknown + excluded.unknown, cancelled = cancelled + excluded.cancelled,
  recipients = recipients + excluded.recipients
"""

_OPEN = f"""
SELECT {DAY_OF_ACCEPTANCE} AS day, 1 AS accepted, 0 AS sent, 0 AS failed,
  0 AS delivered, 0 AS bounced, 0 AS complained
FROM messages WHERE NOT is_sandbox AND accepted_at >= unixepoch(?1) * 1000
"""

_COUNTERS = """
day, sent + failed + unknown + cancelled AS accepted, sent, failed, delivered, bounced, complained
"""

_SUM = """
SELECT
  day, sum(accepted) AS accepted, sum(sent) AS sent, sum(failed) AS failed,
  sum(delivered) AS delivered, sum(bounced) AS bounced, sum(complained) AS complained
FROM ({counters} UNION ALL {open} AND {leased} UNION ALL {open} AND {waiting})
GROUP BY day ORDER BY day
"""

_OF_ALL = _SUM.format(
    counters=f"SELECT {_COUNTERS} FROM usage_days WHERE day BETWEEN ?1 AND ?2",
    open=_OPEN,
    leased="lease_until IS NOT NULL",
    waiting="next_attempt_at IS NOT NULL",
)

# Looks up one counter per day. The index messages_waiting finds the waiting messages, and the index
# messages_leased finds the few that are being sent. Without the + SQLite would read all messages of
# the address instead.
_OF_ONE = _SUM.format(
    counters=f"""
    SELECT {_COUNTERS} FROM (
      WITH RECURSIVE days (day) AS (
        VALUES (?1) UNION ALL SELECT date(day, '+1 day') FROM days WHERE day < ?2
      )
      SELECT day FROM days
    ) CROSS JOIN usage_days USING (day) WHERE address_id = ?3
    """,
    open=_OPEN,
    leased="lease_until IS NOT NULL AND +address_id = ?3",
    waiting="next_attempt_at IS NOT NULL AND address_id = ?3",
)


def _limit(kind: str) -> str:
    return f"""(
      SELECT value ->> '{kind}Limit' FROM settings WHERE key = 'send_limits'
        AND value -> '{kind}Enabled' = 'true' AND value ->> '{kind}Limit' >= 0
    ) AS {kind}_limit"""


# Columns of a SELECT: the limits for all addresses together (NULL is unlimited), and the recipients
# counted on ``day`` and in its month.
QUOTAS = f"""
    {_limit("daily")}, {_limit("monthly")},
    coalesce((SELECT recipients FROM daily_recipients WHERE day = {{day}}), 0) AS sent_today,
    coalesce(
      (
        SELECT sum(recipients) FROM daily_recipients
        WHERE day BETWEEN substr({{day}}, 1, 8) || '01' AND {{day}}
      ),
      0
    ) AS sent_this_month
"""
_QUOTAS = f"SELECT {QUOTAS.format(day='?1')}"


class Quotas(NamedTuple):
    """The recipients that the deployment still accepts today and this month; None is unlimited."""

    daily_left: int | None
    monthly_left: int | None


async def usage_of_address(
    database: Database, credential: Credential, *, now: int, default_balance: int
) -> tuple[list[Row], Quotas, int, bool]:
    """The usage of one address, the quotas of the deployment, and the balance of the address.

    The rows are like those of ``usage_of_all``. The last value is whether the balance is 0 because
    an administrator has disabled it.

    :param default_balance: the balance to return for an address that has not been granted one yet.
        It is not granted here.
    """
    since, today = _days_shown(now)
    rows, (quotas,), (funds,) = await require_valid(
        database,
        credential,
        Statement(_OF_ONE, (since, today, credential.address_id)),
        Statement(_QUOTAS, (today,)),
        balance_statement(credential, default_balance),
    )
    balance: int = funds["balance"]
    is_disabled = balance == 0 and bool(funds["is_disabled"])
    return rows, _quotas(quotas), balance, is_disabled


async def usage_of_all(database: Database, *, now: int) -> tuple[list[Row], Quotas]:
    """The numbers of messages for each of the last 90 UTC days that has any, and the quotas.

    A row has ``day`` (YYYY-MM-DD), and the numbers ``accepted``, ``sent`` and ``failed`` of
    messages, ``delivered``, ``bounced`` and ``complained`` of recipients.
    """
    since, today = _days_shown(now)
    rows, (quotas,) = await database.batch(
        [Statement(_OF_ALL, (since, today)), Statement(_QUOTAS, (today,))], repeatable=True
    )
    return rows, _quotas(quotas)


def _days_shown(now: int) -> tuple[str, str]:
    return utc_day(now - (USAGE_DAYS - 1) * _DAY), utc_day(now)


def _quotas(row: Row) -> Quotas:
    def left(limit: int | None, used: int) -> int | None:
        return None if limit is None else max(0, limit - used)

    return Quotas(
        left(row["daily_limit"], row["sent_today"]),
        left(row["monthly_limit"], row["sent_this_month"]),
    )
