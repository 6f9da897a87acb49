"""Password logins: failures within 15 minutes block further logins.

After ten failed logins from one network, an address can't log in from this network. So others can't
lock out an owner who is elsewhere. After a hundred failures from all networks, it can't log in at
all. So guesses are bounded even if they come from many networks: at most 9,600 a day. That is too
few to find a password of ten characters that is on no list of common ones, and PBKDF2 makes each
guess cost CPU time.

The number of failures is checked before and after a password is compared. The client gets the
result only after the second check, so of many concurrent guesses at most ten from one network get
a result.

Wrong passwords in requests with a credential have a counter of their own. So the failed logins of
others can't keep an owner from replacing the credential or the password.
"""

import hashlib

from accounts.actor import Actor
from accounts.clients import client_key
from accounts.credentials import Credential
from clock import utc_day
from errors import TooManyRequests, Unauthorized
from store.addresses import require_valid
from store.audit import audit_row
from store.daily_counts import used
from store.database import Database, Row, Statement

MOST_FAILURES_OF_CLIENT = 10
MOST_FAILURES = 10 * MOST_FAILURES_OF_CLIENT
WINDOW_MILLISECONDS = 15 * 60_000

# Failures of the counter ?1 after ?2, the beginning of the window. A failure whose time is more
# than a window in the future was recorded by a wrong clock. It does not count: it would block
# logins until then.
_COUNTED = f"""
FROM login_failures
WHERE counter = ?1 AND failed_at > ?2 AND failed_at < ?2 + {2 * WINDOW_MILLISECONDS}
"""

# The oldest failure that counts towards a limit, if this limit is reached; otherwise NULL. A
# failure of the client ?3 counts towards both limits. If both are reached, the later time counts.
_BLOCKED_SINCE = f"""
SELECT max(since) AS blocked_since
FROM (
  SELECT min(failed_at) AS since {_COUNTED}
  GROUP BY counter HAVING count(*) >= {MOST_FAILURES}
  UNION ALL
  SELECT min(failed_at) {_COUNTED} AND client = ?3
  GROUP BY counter HAVING count(*) >= {MOST_FAILURES_OF_CLIENT}
)
"""

_BELOW_LIMITS = f"({_BLOCKED_SINCE}) IS NULL"

_PASSWORD = "SELECT (SELECT password_hash FROM addresses WHERE name = ?1) AS password_hash"

_COUNT = f"""
INSERT INTO login_failures (counter, failed_at, client) SELECT ?1, ?4, ?3 WHERE {_BELOW_LIMITS}
"""

# With this, a counter never has more rows than the limit, even if the sweep has not run.
_REMOVE_UNCOUNTED = f"""
DELETE FROM login_failures
WHERE counter = ?1 AND NOT (failed_at > ?2 AND failed_at < ?2 + {2 * WINDOW_MILLISECONDS})
"""

_CREDENTIAL = """
SELECT id, credential_version FROM addresses WHERE name = ?1 AND password_hash = ?2
"""

_LOGS_IN = f"""
{_BELOW_LIMITS} AND EXISTS (SELECT 1 FROM addresses WHERE name = ?4 AND password_hash = ?5)
"""

# The audit log has the first AUDITED_LOGINS logins of an address on a day. Of the later ones, it
# has those whose number is a power of two. So it has few rows, and the number in the last row of a
# day is more than half of the number of logins on this day.
AUDITED_LOGINS = 20
_LOGINS_TODAY = used("?6", "(SELECT CAST(id AS TEXT) FROM addresses WHERE name = ?4)", "'logins'")
# If D1's response is lost, the login is counted twice. The count limits nothing.
_COUNT_LOGIN = f"""
INSERT INTO daily_counts (day, subject, act, count)
SELECT ?6, CAST(id AS TEXT), 'logins', 1 FROM addresses
WHERE name = ?4 AND password_hash = ?5 AND {_BELOW_LIMITS}
ON CONFLICT (day, subject, act) DO UPDATE SET count = count + 1
"""
_IS_AUDITED = f"""
{_LOGS_IN} AND (
  SELECT logins <= {AUDITED_LOGINS} OR logins & (logins - 1) = 0
  FROM (SELECT {_LOGINS_TODAY} AS logins)
)
"""
_NUMBER_OF_LOGIN = f"""
CASE WHEN {_LOGINS_TODAY} > {AUDITED_LOGINS} THEN json_object('logins_today', {_LOGINS_TODAY}) END
"""


async def stored_password(
    database: Database, address: str, *, source: str | None, now: int
) -> str | None:
    """The stored form of the password of ``address``.

    None if the address does not exist or has no password.

    :param source: the client's IP address.
    :raises TooManyRequests: ``too_many_logins``.
    """
    terms = _terms(_login_counter(address), source, now)
    (report,), (found,) = await database.batch(
        [Statement(_BLOCKED_SINCE, terms), Statement(_PASSWORD, (address,))], repeatable=True
    )
    _check_limit(report, now)
    stored: str | None = found["password_hash"]
    return stored


async def stored_password_of(
    database: Database, credential: Credential, *, source: str | None, now: int
) -> str | None:
    """Like ``stored_password``, for the address of ``credential``.

    :raises Unauthorized: ``invalid_credential``.
    """
    (report,), (found,) = await require_valid(
        database,
        credential,
        Statement(_BLOCKED_SINCE, _terms(_owner_counter(credential), source, now)),
        Statement(_PASSWORD, (credential.address,)),
    )
    _check_limit(report, now)
    stored: str | None = found["password_hash"]
    return stored


async def count_failure(database: Database, address: str, *, source: str | None, now: int) -> None:
    """Count a failed login of an address, which need not exist.

    :raises TooManyRequests: ``too_many_logins``: other logins have failed in the meantime.
    """
    await _count(database, _terms(_login_counter(address), source, now), now)


async def count_failure_of(
    database: Database, credential: Credential, *, source: str | None, now: int
) -> None:
    """Like ``count_failure``, for a wrong password in a request with ``credential``."""
    await _count(database, _terms(_owner_counter(credential), source, now), now)


async def check_failures_of(
    database: Database, credential: Credential, *, source: str | None, now: int
) -> None:
    """Check that few passwords in requests with ``credential`` were wrong.

    :raises TooManyRequests: ``too_many_logins``.
    """
    terms = _terms(_owner_counter(credential), source, now)
    ((report,),) = await database.batch([Statement(_BLOCKED_SINCE, terms)], repeatable=True)
    _check_limit(report, now)


async def _count(database: Database, terms: tuple[int, int, str], now: int) -> None:
    (report,), *_ = await database.batch(
        [
            Statement(_BLOCKED_SINCE, terms),
            Statement(_REMOVE_UNCOUNTED, terms[:2]),
            Statement(_COUNT, (*terms, now)),
        ]
    )
    _check_limit(report, now)


async def logged_in(
    database: Database, address: str, password_hash: str, *, source: str | None, now: int
) -> Credential:
    """The credential of ``address``, after the caller has checked the password.

    Earlier failures still count: addresses share counters, so clearing one after a login would
    clear the failures of other addresses too.

    :param password_hash: the stored form that matched the password.
    :param source: the client's IP address, also for the audit log.
    :raises TooManyRequests: ``too_many_logins``: other logins have failed in the meantime.
    :raises Unauthorized: ``invalid_login``: the password was changed in the meantime.
    """
    terms = _terms(_login_counter(address), source, now)
    login = (*terms, address, password_hash, utc_day(now))
    row = audit_row(
        *(Actor(address, source), "credential.given", address, now),
        condition=_IS_AUDITED,
        parameters=login,
        computed=_NUMBER_OF_LOGIN,
    )
    (report,), _, _, rows = await database.batch(
        [
            Statement(_BLOCKED_SINCE, terms),
            Statement(_COUNT_LOGIN, login),
            row,
            Statement(_CREDENTIAL, (address, password_hash)),
        ],
        repeatable=True,
    )
    _check_limit(report, now)
    if not rows:
        raise Unauthorized("invalid_login")
    (found,) = rows
    return Credential(address, found["id"], found["credential_version"])


def _login_counter(address: str) -> int:
    """The counter of logins of ``address``, from 0 to 65,535."""
    return int.from_bytes(hashlib.sha256(address.encode()).digest()[:2], "big")


def _owner_counter(credential: Credential) -> int:
    """The counter of wrong passwords in requests with a credential of the address, below 0.

    A rotation does not change the counter: the thief of a credential can rotate it too.
    """
    return -credential.address_id


def _terms(counter: int, source: str | None, now: int) -> tuple[int, int, str]:
    """The counter, the beginning of the window that ends now, and the key of the client."""
    return counter, now - WINDOW_MILLISECONDS, client_key(source)


def _check_limit(report: Row, now: int) -> None:
    if report["blocked_since"] is not None:
        milliseconds = report["blocked_since"] + WINDOW_MILLISECONDS - now  # at least 1
        raise TooManyRequests("too_many_logins", retry_after=-(-milliseconds // 1000))
