"""Daily counts: how often an address or a client has done an act that costs no balance.

There is one row per UTC day, address or client, and kind of act. A send that costs balance writes
no row. The daily limits use these counts, so a limit applies until midnight UTC.
"""

from typing import Literal

from clock import seconds_left_of_day
from errors import TooManyRequests
from store.database import Statement

Act = Literal[
    "addresses_created",
    "rotations",
    "proven_rotations",
    "password_changes",
    "logins",
    "sandbox_recipients",
    "sandbox_bytes",
    "reschedules",
    "late_cancellations",
    "withdrawals_forgiven",
    "webhook_calls",
]

# changes() is the number of rows that the previous statement changed.
_COUNT = """
INSERT INTO daily_counts (day, subject, act, count) SELECT ?1, ?2, ?3, 1 WHERE changes() > 0
ON CONFLICT (day, subject, act) DO UPDATE SET count = count + 1
"""


def used(day: str, subject: str, act: str) -> str:
    """SQL of the count of ``act`` on ``day``. The arguments are SQL expressions."""
    return f"""coalesce(
      (SELECT count FROM daily_counts WHERE day = {day} AND subject = {subject} AND act = {act}), 0
    )"""


def count_statement(day: str, subject: str, act: Act) -> Statement:
    """The statement that counts ``act`` if the statement before it in the batch changed a row."""
    return Statement(_COUNT, (day, subject, act))


def limit_reached(code: str, *, most: int, now: int) -> TooManyRequests:
    """The error ``code``: the limit of ``most`` per day is reached."""
    return TooManyRequests(code, retry_after=seconds_left_of_day(now), most=most)
