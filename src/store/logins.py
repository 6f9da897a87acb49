"""Logins by password: the failed ones of an address are counted, and after ten it has to wait.

A login asks twice: whether there is room for another failure, and, when the password has been
compared, whether there still is. Only the second answer lets the outcome be told, so of guesses
made at the same time no more than ten come to know theirs.
"""

import hashlib

from accounts.credentials import Credential
from refusals import TooManyRequests, Unauthorized
from store.audit import Actor, trail
from store.database import Database, Row, Statement

MOST_FAILURES = 10
WINDOW_MILLISECONDS = 15 * 60_000

# Within the window that begins after ?2.
_FAILURES = """
SELECT count(*) AS failures, min(failed_at) AS oldest
FROM login_failures WHERE counter = ?1 AND failed_at > ?2
"""

_HAS_ROOM = f"""
(SELECT count(*) FROM login_failures WHERE counter = ?1 AND failed_at > ?2) < {MOST_FAILURES}
"""

_PASSWORD = "SELECT password_hash FROM addresses WHERE name = ?1"

_COUNT = f"INSERT INTO login_failures (counter, failed_at) SELECT ?1, ?3 WHERE {_HAS_ROOM}"

# A counter never has more rows than failures that count, whether the sweep has come by or not.
_FORGET_OLD = "DELETE FROM login_failures WHERE counter = ?1 AND failed_at <= ?2"

_CREDENTIAL = """
SELECT id, credential_version FROM addresses WHERE name = ?1 AND password_hash = ?2
"""

_LOGS_IN = f"""
{_HAS_ROOM} AND EXISTS (SELECT 1 FROM addresses WHERE name = ?3 AND password_hash = ?4)
"""


async def stored_password(database: Database, address: str, *, now: int) -> str | None:
    """The stored form of the password of ``address``; None where there is none.

    :param now: Unix milliseconds.
    :raises TooManyRequests: ``too_many_logins``.
    """
    window = _window(address, now)
    failures, found = await database.batch(
        [Statement(_FAILURES, window), Statement(_PASSWORD, (address,))], repeatable=True
    )
    _check_room(failures[0], now)
    return found[0]["password_hash"] if found else None


async def count_failure(database: Database, address: str, *, now: int) -> None:
    """Count a failed login, of an address that may or may not exist.

    :param now: Unix milliseconds.
    :raises TooManyRequests: ``too_many_logins``, where others have failed in the meantime.
    """
    window = _window(address, now)
    failures, *_ = await database.batch(
        [
            Statement(_FAILURES, window),
            Statement(_FORGET_OLD, window),
            Statement(_COUNT, (*window, now)),
        ]
    )
    _check_room(failures[0], now)


async def logged_in(
    database: Database, address: str, password_hash: str, *, source: str | None, now: int
) -> Credential:
    """The credential of ``address``, whose password was the right one.

    Its failures still count: addresses share their counters, and whoever logs in at an address of
    his own must not be able to clear the counter of another's.

    :param password_hash: the stored form that the password was compared with.
    :param source: the client address, for the audit trail.
    :param now: Unix milliseconds.
    :raises TooManyRequests: ``too_many_logins``, where others have failed in the meantime.
    :raises Unauthorized: ``invalid_login``, where the password was changed in the meantime.
    """
    window = _window(address, now)
    row = trail(
        *(Actor(address, source), "credential.given", address, now),
        condition=_LOGS_IN,
        parameters=(*window, address, password_hash),
    )
    failures, _, found = await database.batch(
        [
            Statement(_FAILURES, window),
            row,
            Statement(_CREDENTIAL, (address, password_hash)),
        ],
        repeatable=True,
    )
    _check_room(failures[0], now)
    if not found:
        raise Unauthorized("invalid_login")
    return Credential(address, found[0]["id"], found[0]["credential_version"])


def _window(address: str, now: int) -> tuple[int, int]:
    """The counter of ``address``, and the time after which its failures count."""
    counter = int.from_bytes(hashlib.sha256(address.encode()).digest()[:2], "big")
    return counter, now - WINDOW_MILLISECONDS


def _check_room(report: Row, now: int) -> None:
    if report["failures"] >= MOST_FAILURES:
        milliseconds = report["oldest"] + WINDOW_MILLISECONDS - now
        raise TooManyRequests("too_many_logins", retry_after=max(1, -(-milliseconds // 1000)))
