"""Changes that owners make: replacing the credential, changing the password.

A thief of a credential can send the same requests as the owner. So the password can be changed only
with the present password. Replacing the credential removes a password that was set with a
credential, unless the request has this password. It keeps the first password of a new address and
passwords that administrators set, because a thief can't have set these.
"""

from accounts.actor import Actor
from accounts.credentials import Credential, rotated
from clock import utc_day
from errors import FieldError, Forbidden, Unauthorized
from store.addresses import HOLDS, credential_check
from store.audit import audit_row
from store.daily_counts import Act, count_statement, limit_reached, used
from store.database import Database, Row, Statement

# ?4 is the day, ?5 the id of the address as text, ?6 the act, ?7 its daily limit or NULL.
_IS_USED_UP = f"coalesce({used('?4', '?5', '?6')} >= ?7, false)"
_MAY = f"EXISTS ({HOLDS}) AND NOT {_IS_USED_UP}"
_STATE = f"SELECT EXISTS ({HOLDS}) AS holds, {_IS_USED_UP} AS is_used_up"

# ?8 is the stored form that matched the password in the request, or NULL. Each stored form has its
# own salt. So if the address still has this form, its password was not changed in the meantime.
_PASSWORD_ENDS = "password_by_owner AND password_hash IS NOT ?8"
# A thief who used up the password changes of the day must not prevent the owner from setting a new
# password. ?1 to ?3 are the new credential, ?4 the day, ?5 the id of the address as text.
_RESTORE_PASSWORD_CHANGES = f"""
DELETE FROM daily_counts
WHERE day = ?4 AND subject = ?5 AND act = 'password_changes' AND EXISTS ({HOLDS})
"""
_WAS_ENDED = f"""
CASE WHEN EXISTS (
  SELECT 1 FROM addresses WHERE id = ?1 AND password_hash IS NOT NULL AND {_PASSWORD_ENDS}
) THEN json_object('password_ended', json('true')) END
"""
_ROTATE = f"""
UPDATE addresses SET
  credential_version = ?9, updated_at = ?10,
  password_hash = CASE WHEN {_PASSWORD_ENDS} THEN NULL ELSE password_hash END
WHERE id = ?1 AND {_MAY}
"""
# ?1 is the audit row of the rotation, as JSON.
_HOW_ROTATED = """
SELECT details ->> 'password_ended' AS password_ended FROM audit WHERE id = ?1 ->> 'id'
"""

_IS_PRESENT = "EXISTS (SELECT 1 FROM addresses WHERE id = ?1 AND password_hash IS ?8)"
_SET_PASSWORD = f"""
UPDATE addresses SET password_hash = ?9, password_by_owner = 1, updated_at = ?10
WHERE id = ?1 AND password_hash IS ?8 AND {_MAY}
"""
_HAS_PASSWORD = f"SELECT 1 FROM addresses WHERE id = ?1 AND password_hash = ?4 AND EXISTS ({HOLDS})"


async def rotate_credential(
    database: Database,
    credential: Credential,
    *,
    proof: str | None,
    most_a_day: int,
    by: Actor,
    now: int,
) -> tuple[Credential, bool]:
    """Replace ``credential``, which becomes invalid.

    Only one of several concurrent requests with the same credential succeeds. Rotations with
    ``proof`` are counted separately, so a thief of the credential can't use up their limit. A
    rotation restores the limit of password changes.

    :param proof: the stored form that matched the password in the request; this password is kept.
        None if the request has no password.
    :param most_a_day: how often the address can do this per day; 0 for no limit.
    :returns: the new credential, and whether the password was removed.
    :raises Unauthorized: ``invalid_credential``.
    :raises TooManyRequests: ``too_many_credential_changes``.
    """
    new = rotated(credential)
    act: Act = "proven_rotations" if proof else "rotations"
    terms = (*_terms(credential, act, most_a_day, now), proof)
    row = audit_row(
        *(by, "credential.rotated", credential.address, now),
        condition=_MAY,
        parameters=terms,
        computed=_WAS_ENDED,
    )
    (state,), _, _, _, found, how, _ = await database.batch(
        [
            Statement(_STATE, terms[:7]),
            row,
            Statement(_ROTATE, (*terms, new.version, now)),
            count_statement(terms[3], terms[4], act),
            credential_check(new),
            Statement(_HOW_ROTATED, row.parameters[-1:]),
            Statement(_RESTORE_PASSWORD_CHANGES, (*new.key, *terms[3:5])),
        ],
        repeatable=True,
    )
    if not found:
        _check_state(state, most_a_day, now)
        raise Unauthorized("invalid_credential")
    (rotation,) = how
    return new, bool(rotation["password_ended"])


async def change_password(
    database: Database,
    credential: Credential,
    password_hash: str,
    *,
    present: str | None,
    most_a_day: int,
    by: Actor,
    now: int,
) -> None:
    """Replace the stored form of the password of an address.

    :param present: the stored form that matched the present password; None if there is none.
    :param most_a_day: as for ``rotate_credential``.
    :raises Unauthorized: ``invalid_credential``.
    :raises TooManyRequests: ``too_many_credential_changes``.
    :raises Forbidden: ``wrong_password``: the password was changed in the meantime.
    """
    terms = (*_terms(credential, "password_changes", most_a_day, now), present)
    row = audit_row(
        *(by, "password.changed", credential.address, now),
        condition=f"{_MAY} AND {_IS_PRESENT}",
        parameters=terms,
    )
    (state,), _, _, _, changed = await database.batch(
        [
            Statement(_STATE, terms[:7]),
            row,
            Statement(_SET_PASSWORD, (*terms, password_hash, now)),
            count_statement(terms[3], terms[4], "password_changes"),
            Statement(_HAS_PASSWORD, (*credential.key, password_hash)),
        ],
        repeatable=True,
    )
    if not changed:
        _check_state(state, most_a_day, now)
        raise wrong_password()


def wrong_password() -> Forbidden:
    """The error for a ``current_password`` that is not the password of the address."""
    code = "wrong_password"
    return Forbidden(code, errors=(FieldError("current_password", code),))


def _terms(
    credential: Credential, act: Act, most_a_day: int, now: int
) -> tuple[int, str, int, str, str, Act, int | None]:
    day, subject = utc_day(now), str(credential.address_id)
    return (*credential.key, day, subject, act, most_a_day or None)


def _check_state(state: Row, most: int, now: int) -> None:
    if not state["holds"]:
        raise Unauthorized("invalid_credential")
    if state["is_used_up"]:
        raise limit_reached("too_many_credential_changes", most=most, now=now)
