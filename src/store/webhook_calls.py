"""The daily limit of an owner's calls that create, change, test or replay webhooks.

These calls cost no balance, but they write audit rows or send requests to other servers.
"""

from accounts.credentials import Credential
from clock import utc_day
from store.addresses import HOLDS, require_valid
from store.daily_counts import limit_reached
from store.database import Database, Statement

# ?4 is the day, ?5 the id of the address as text, ?6 the limit.
_COUNT = f"""
INSERT INTO daily_counts (day, subject, act, count)
SELECT ?4, ?5, 'webhook_calls', 1 WHERE EXISTS ({HOLDS})
ON CONFLICT (day, subject, act) DO UPDATE SET count = count + 1 WHERE count < ?6
RETURNING count
"""


async def count_webhook_call(
    database: Database, owner: Credential | None, *, most_a_day: int, now: int
) -> None:
    """Count a call of ``owner``. The calls of administrators (None) are not counted.

    :param most_a_day: how many calls an address has per day; 0 for no limit.
    :raises Unauthorized: ``invalid_credential``.
    :raises TooManyRequests: ``too_many_webhook_calls``.
    """
    if owner is None or not most_a_day:
        return
    day, subject = utc_day(now), str(owner.address_id)
    count = Statement(_COUNT, (*owner.key, day, subject, most_a_day))
    (counted,) = await require_valid(database, owner, count)
    if not counted:
        raise limit_reached("too_many_webhook_calls", most=most_a_day, now=now)
