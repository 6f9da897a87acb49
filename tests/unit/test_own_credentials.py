"""Rotations and passwords: a thief of a credential has no access after its rotation."""

from dataclasses import replace

import pytest

from errors import Forbidden, TooManyRequests, Unauthorized
from store.addresses import require_valid, reset_password
from tests.unit import given
from tests.unit.given import DAY, NOW, TODAY
from tests.unit.sqlite_database import SqliteDatabase, run


def password(database: SqliteDatabase) -> str | None:
    stored: str | None = database.value("SELECT password_hash FROM addresses WHERE id = 1")
    return stored


def test_a_rotated_credential_takes_the_place_of_the_old_one(database: SqliteDatabase) -> None:
    old = given.address(database)
    other = given.address(database, "other@example.com")
    new, _ = given.rotated(database, old, now=NOW + 1)
    assert (new.address, new.address_id) == (old.address, old.address_id)
    run(require_valid(database, new))
    run(require_valid(database, other))
    with pytest.raises(Unauthorized, match="invalid_credential"):
        run(require_valid(database, old))
    assert database.dump()["addresses"][0]["updated_at"] == NOW + 1


def test_an_old_credential_rotates_nothing(database: SqliteDatabase) -> None:
    old = given.address(database)
    new, _ = given.rotated(database, old)
    before = database.dump()
    with pytest.raises(Unauthorized, match="invalid_credential"):
        given.rotated(database, old)
    assert database.dump() == before
    run(require_valid(database, new))


def test_a_valid_credential_sets_the_password(database: SqliteDatabase) -> None:
    credential = given.address(database)
    given.changed_password(database, credential, "$new", now=NOW + 1)
    (row,) = database.dump()["addresses"]
    assert (row["password_hash"], row["updated_at"]) == ("$new", NOW + 1)
    run(require_valid(database, credential))
    with pytest.raises(Unauthorized, match="invalid_credential"):
        given.changed_password(database, replace(credential, version=1), "$other", present="$new")
    assert password(database) == "$new"


def test_a_password_is_changed_only_if_the_present_one_is_still_there(
    database: SqliteDatabase,
) -> None:
    credential = given.address(database)
    given.changed_password(database, credential, "$first")
    before = database.dump()
    for present in (None, "$another"):
        with pytest.raises(Forbidden, match="wrong_password"):
            given.changed_password(database, credential, "$second", present=present)
    assert database.dump() == before
    given.changed_password(database, credential, "$second", present="$first")
    assert password(database) == "$second"


def test_a_rotation_ends_a_password_that_was_set_with_a_credential(
    database: SqliteDatabase,
) -> None:
    credential = given.address(database)
    given.changed_password(database, credential, "$new")
    new, ended = given.rotated(database, credential)
    assert (ended, password(database)) == (True, None)
    details = database.query("SELECT details FROM audit WHERE action = 'credential.rotated'")
    assert details == [{"details": '{"password_ended":true}'}]
    new, ended = given.rotated(database, new)
    assert ended is False
    assert given.rotated(database, new, proof="$new")[1] is False


def test_each_rotation_needs_a_proof_to_keep_the_password(database: SqliteDatabase) -> None:
    credential = given.address(database)
    given.changed_password(database, credential, "$new")
    new, ended = given.rotated(database, credential, proof="$new")
    assert (ended, password(database)) == (False, "$new")
    # A thief could have set the password and given it as proof. So a later rotation still ends it.
    new, ended = given.rotated(database, new)
    assert (ended, password(database)) == (True, None)


def test_a_proof_of_an_earlier_password_keeps_nothing(database: SqliteDatabase) -> None:
    credential = given.address(database)
    given.changed_password(database, credential, "$first")
    given.changed_password(database, credential, "$second", present="$first")
    assert given.rotated(database, credential, proof="$first")[1] is True
    assert password(database) is None


def test_a_rotation_keeps_the_password_that_no_thief_can_have_set(
    database: SqliteDatabase,
) -> None:
    credential = given.address(database)
    database.query("UPDATE addresses SET password_hash = '$made'")
    credential, ended = given.rotated(database, credential)
    assert (ended, password(database)) == (False, "$made")
    given.changed_password(database, credential, "$mine", present="$made")
    run(reset_password(database, credential, "$reset", by=given.OWNER, now=NOW))
    _, ended = given.rotated(database, credential)
    assert (ended, password(database)) == (False, "$reset")


def test_rotations_are_limited_by_the_day(database: SqliteDatabase) -> None:
    credential = given.address(database)
    for _ in range(2):
        credential, _ = given.rotated(database, credential, most_a_day=2)
    before = database.dump()
    with pytest.raises(TooManyRequests) as caught:
        given.rotated(database, credential, most_a_day=2)
    assert caught.value.code == "too_many_credential_changes"
    assert caught.value.headers["Retry-After"] == str(12 * 3600)
    assert database.dump() == before
    run(require_valid(database, credential))
    # A thief can use up the limit of rotations. With the password, the owner can still rotate.
    given.changed_password(database, credential, "$new")
    credential, _ = given.rotated(database, credential, proof="$new", most_a_day=2)
    given.rotated(database, credential, most_a_day=2, now=NOW + DAY)


def test_password_changes_are_limited_by_the_day(database: SqliteDatabase) -> None:
    credential = given.address(database)
    given.changed_password(database, credential, "$1", most_a_day=2)
    given.changed_password(database, credential, "$2", present="$1", most_a_day=2)
    before = database.dump()
    with pytest.raises(TooManyRequests, match="too_many_credential_changes"):
        given.changed_password(database, credential, "$3", present="$2", most_a_day=2)
    assert database.dump() == before
    later = NOW + DAY
    given.changed_password(database, credential, "$3", present="$2", most_a_day=2, now=later)


def test_a_limit_of_0_is_no_limit(database: SqliteDatabase) -> None:
    credential = given.address(database)
    credential, _ = given.rotated(database, credential, most_a_day=0)
    credential, _ = given.rotated(database, credential, most_a_day=0)
    given.changed_password(database, credential, "$1", most_a_day=0)


def test_a_rotation_restores_the_limit_of_password_changes(database: SqliteDatabase) -> None:
    stolen = given.address(database)
    other = given.address(database, "other@example.com")
    for credential in (stolen, other):
        given.changed_password(database, credential, "$1", most_a_day=1)
    with pytest.raises(TooManyRequests):
        given.changed_password(database, stolen, "$2", present="$1", most_a_day=1)
    mine, _ = given.rotated(database, stolen)
    given.changed_password(database, mine, "$mine", most_a_day=1)
    with pytest.raises(Unauthorized):  # this rotation fails and restores nothing
        given.rotated(database, stolen)
    with pytest.raises(TooManyRequests):
        given.changed_password(database, mine, "$more", present="$mine", most_a_day=1)
    with pytest.raises(TooManyRequests):
        given.changed_password(database, other, "$2", present="$1", most_a_day=1)


# Another address


def test_the_password_of_another_address_is_no_proof(database: SqliteDatabase) -> None:
    me, other = given.address(database), given.address(database, "other@example.com")
    given.changed_password(database, me, "$mine")
    given.changed_password(database, other, "$others")
    before = database.dump()
    for new in ("$new", "$others"):
        with pytest.raises(Forbidden, match="wrong_password"):
            given.changed_password(database, me, new, present="$others")
    assert database.dump() == before


def test_an_invalid_credential_learns_nothing_about_the_password(database: SqliteDatabase) -> None:
    me = given.address(database)
    given.changed_password(database, me, "$mine")
    for change in ({"version": 1}, {"address_id": 9}, {"address": "other@example.com"}):
        invalid = replace(me, **change)
        with pytest.raises(Unauthorized, match="invalid_credential"):
            given.changed_password(database, invalid, "$mine", present="$mine")


def test_a_rotation_ends_only_the_password_of_its_address(database: SqliteDatabase) -> None:
    me, other = given.address(database), given.address(database, "other@example.com")
    given.changed_password(database, other, "$others")
    others = database.query("SELECT * FROM addresses WHERE id = ?", other.address_id)
    assert given.rotated(database, me)[1] is False
    assert database.query("SELECT * FROM addresses WHERE id = ?", other.address_id) == others


def test_each_act_has_its_own_count_per_day(database: SqliteDatabase) -> None:
    me = given.address(database)
    given.changed_password(database, me, "$1")
    me, _ = given.rotated(database, me, proof="$1", now=NOW + DAY)
    me, _ = given.rotated(database, me, now=NOW + DAY)
    given.rotated(database, me, now=NOW + DAY)
    counted = {(row["day"], row["act"], row["count"]) for row in database.dump()["daily_counts"]}
    assert counted == {
        (TODAY, "password_changes", 1),
        ("2026-11-04", "proven_rotations", 1),
        ("2026-11-04", "rotations", 2),
    }
