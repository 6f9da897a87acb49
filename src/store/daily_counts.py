"""Daily counts: how often an address or a client does what costs no balance, per UTC day.

Only such an act writes a row here, and each kind of act has its own row. A send that costs balance
writes none. Days are those of UTC; a limit is lifted at midnight.
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
    "reschedules",
    "clearings",
]

_COUNT = """
INSERT INTO daily_counts (day, subject, act, count) SELECT ?1, ?2, ?3, 1 WHERE changes() > 0
ON CONFLICT (day, subject, act) DO UPDATE SET count = count + 1
"""


def used(day: str, subject: str, act: str) -> str:
    """SQL of the number of acts, from SQL of its key."""
    return f"""coalesce(
      (SELECT count FROM daily_counts WHERE day = {day} AND subject = {subject} AND act = {act}), 0
    )"""


def count_statement(day: str, subject: str, act: Act) -> Statement:
    """Counts the change of the statement before it, if that changed a row: it reads changes()."""
    return Statement(_COUNT, (day, subject, act))


def limit_reached(code: str, *, most: int, now: int) -> TooManyRequests:
    """The error ``code`` about a limit of ``most`` a day."""
    return TooManyRequests(code, retry_after=seconds_left_of_day(now), most=most)
