"""Withdrawals: the messages of an address that were accepted today, then failed or were cancelled.

Messages that were accepted on an earlier day and cancelled today are withdrawals too. They cost no
balance, so their number per day is limited, and so is the number of reschedules. A thief of a
credential can use up these limits, and replacing the credential does not restore them. So an
administrator can, together with lifting a pause.
"""

from clock import utc_day
from store.daily_counts import Act, used
from store.database import Statement

_LATE: Act = "late_cancellations"
_FORGIVEN: Act = "withdrawals_forgiven"


def late_cancellations(cancelled: str) -> str:
    """SQL that counts messages on the day when they are cancelled, if they are older.

    :param cancelled: the beginning of a SELECT with ``address_id``, ``accepted_at`` and ``now``.
    """
    return f"""
    INSERT INTO daily_counts (day, subject, act, count)
    SELECT
      strftime('%Y-%m-%d', now / 1000, 'unixepoch') AS today, CAST(address_id AS TEXT), '{_LATE}',
      count(*)
    FROM ({cancelled}) WHERE accepted_at < unixepoch(date(now / 1000, 'unixepoch')) * 1000
    GROUP BY today, address_id
    ON CONFLICT (day, subject, act) DO UPDATE SET count = count + excluded.count
    """


def withdrawn(day: str, address_id: str) -> str:
    """SQL of the withdrawals minus the messages that were accepted on ``day`` and sent.

    Withdrawals that an administrator has forgiven do not count. The arguments are SQL expressions.
    """
    subject = f"CAST({address_id} AS TEXT)"
    late, forgiven = (used(day, subject, f"'{act}'") for act in (_LATE, _FORGIVEN))
    return f"""(
      coalesce(
        (
          SELECT sum(failed + cancelled - sent) FROM usage_days
          WHERE day = {day} AND address_id = {address_id}
        ),
        0
      ) + {late} - {forgiven}
    )"""


_WITHDRAWN = withdrawn("?2", "?1")
_CHANGES = "day = ?2 AND subject = CAST(?1 AS TEXT) AND act = 'reschedules'"

# A limit of the day is used up. ?1 is the id of the address, ?2 the day, ?3 the limit or NULL.
IS_USED_UP = f"""
(
  coalesce({_WITHDRAWN} >= ?3, false)
  OR EXISTS (SELECT 1 FROM daily_counts WHERE {_CHANGES} AND count >= ?3)
)
"""

_FORGIVE = f"""
INSERT INTO daily_counts (day, subject, act, count)
SELECT ?2, CAST(?1 AS TEXT), '{_FORGIVEN}', {_WITHDRAWN} WHERE {_WITHDRAWN} >= ?3
ON CONFLICT (day, subject, act) DO UPDATE SET count = count + excluded.count
"""
_RESET_CHANGES = f"DELETE FROM daily_counts WHERE {_CHANGES} AND count >= ?3"


def limit_of_today(address_id: int, most_a_day: int, now: int) -> tuple[str, str, int | None]:
    """The parameters of ``IS_USED_UP``. ``most_a_day`` is 0 for no limit."""
    # The id is a text, because D1 binds numbers as REAL, and CAST(1.0 AS TEXT) is '1.0'.
    return str(address_id), utc_day(now), most_a_day or None


def restoring_statements(limit: tuple[str, str, int | None]) -> list[Statement]:
    """The statements that restore the limits that are used up."""
    return [Statement(_FORGIVE, limit), Statement(_RESET_CHANGES, limit)]
