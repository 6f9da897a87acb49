"""The numbers of recipients per sending domain, by UTC day of acceptance.

``usage_days`` has those of sent messages, ``delivery_days`` those with delivery events.
"""

from collections.abc import Iterable

import msgspec

from clock import utc_day
from mail.delivery import KINDS
from store.database import Database, Row, Statement
from store.usage import USAGE_DAYS

_DAY = 86_400_000

_DOMAINS = """
SELECT value AS domain FROM json_each(?1)
UNION SELECT domain FROM usage_days WHERE day BETWEEN ?2 AND ?3 AND domain <> ''
UNION SELECT domain FROM delivery_days WHERE day BETWEEN ?2 AND ?3
"""
_COUNT = f"SELECT count(*) AS count FROM ({_DOMAINS})"
_PAGE = f"SELECT domain FROM ({_DOMAINS}) ORDER BY domain LIMIT ?4 OFFSET ?5"

_NUMBERS = f"""
WITH page AS MATERIALIZED ({_PAGE})
SELECT
  domain, day, sum(accepted) AS accepted,
  {", ".join(f"sum({kind}) AS {kind}" for kind in KINDS)}
FROM (
  SELECT day, domain, recipients AS accepted, {", ".join(f"0 AS {kind}" for kind in KINDS)}
  FROM usage_days WHERE day BETWEEN ?2 AND ?3 AND recipients > 0
  UNION ALL
  SELECT day, domain, 0, {", ".join(KINDS)} FROM delivery_days WHERE day BETWEEN ?2 AND ?3
)
WHERE domain IN (SELECT domain FROM page)
GROUP BY day, domain ORDER BY day
"""


async def domain_page(
    database: Database, configured: Iterable[str], *, now: int, limit: int, offset: int
) -> tuple[dict[str, list[Row]], int]:
    """The days of each domain of a page, and the number of all domains.

    The domains are those in ``configured``, and all that have sent in the last 90 UTC days, in
    alphabetical order. A domain has the days with any number, oldest first.
    """
    period = (
        msgspec.json.encode([*configured]).decode(),
        utc_day(now - (USAGE_DAYS - 1) * _DAY),
        utc_day(now),
    )
    page = (*period, limit, offset)
    (count,), names, rows = await database.batch(
        [Statement(_COUNT, period), Statement(_PAGE, page), Statement(_NUMBERS, page)],
        repeatable=True,
    )
    days: dict[str, list[Row]] = {row["domain"]: [] for row in names}
    for row in rows:
        days[row.pop("domain")].append(row)
    return days, count["count"]
