"""``store.webhooks``: each function changes one webhook of its owner, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

import store.webhooks
from accounts.actor import Actor
from accounts.credentials import Credential
from errors import ApiError, BadRequest, NotFound, Unauthorized
from store.database import Row
from store.webhooks import (
    MAX_OF_ADDRESS,
    MAX_OF_ADMINISTRATORS,
    create_webhook,
    disabled_webhooks,
    find_webhook,
    has_webhooks,
    remove_webhook,
    rotate_secret,
    update_webhook,
    webhook_page,
)
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run

BY = Actor("somebody", "192.0.2.2")
URL = "https://hooks.example.com/a"


@pytest.fixture(params=["address", "administrators"])
def owner(request: pytest.FixtureRequest, me: Credential) -> Credential | None:
    return me if request.param == "address" else None


@pytest.fixture
def other(database: SqliteDatabase, me: Credential) -> Credential:
    return given.address(database, "other@example.com")


def create(database: SqliteDatabase, owner: Credential | None, *, now: int = NOW) -> str:
    row = run(create_webhook(database, owner, endpoint=URL, events=["email.sent"], by=BY, now=now))
    return str(row["id"])


def update(
    database: SqliteDatabase,
    owner: Credential | None,
    id: str,
    *,
    endpoint: str | None = None,
    events: list[str] | None = None,
    status: Literal["enabled", "disabled"] | None = None,
) -> None:
    values: dict[str, Any] = {"endpoint": endpoint, "events": events, "status": status}
    run(update_webhook(database, owner, id, **values, by=BY, now=NOW + 1))


def remove(database: SqliteDatabase, owner: Credential | None, id: str) -> None:
    run(remove_webhook(database, owner, id, by=BY, now=NOW + 1))


def rotate(database: SqliteDatabase, owner: Credential | None, id: str) -> int:
    return run(rotate_secret(database, owner, id, by=BY, now=NOW + 1))


def change_all(database: SqliteDatabase, owner: Credential | None, id: str) -> None:
    update(
        *(database, owner, id),
        endpoint="https://b.example.com/",
        events=["email.failed"],
        status="disabled",
    )


def page(
    database: SqliteDatabase, owner: Credential | None, limit: int = 100, **cursor: str
) -> tuple[list[str], bool]:
    rows, has_more = run(webhook_page(database, owner, limit=limit, **cursor))
    return [row["id"] for row in rows], has_more


def rows_by_id(database: SqliteDatabase) -> dict[str, Row]:
    return {row["id"]: row for row in database.query("SELECT * FROM webhooks")}


def actions(database: SqliteDatabase) -> list[str]:
    return sorted(row["action"] for row in database.query("SELECT action FROM audit"))


Change = Callable[[SqliteDatabase, Credential | None, str], object]
CHANGES: dict[str, Change] = {
    "webhook.updated": change_all,
    "webhook.removed": remove,
    "webhook.secret_rotated": rotate,
}
each_change = pytest.mark.parametrize(("action", "change"), CHANGES.items(), ids=CHANGES)


@each_change
def test_a_change_concerns_one_webhook(
    database: SqliteDatabase,
    owner: Credential | None,
    me: Credential,
    other: Credential,
    action: str,
    change: Change,
) -> None:
    for number, another in enumerate((me, other, None)):
        create(database, another, now=NOW + number)
    id_ = create(database, owner, now=NOW + 9)
    for number, another in enumerate((me, other, None)):
        create(database, another, now=NOW + 10 + number)
    before, audited = rows_by_id(database), actions(database)
    change(database, owner, id_)
    after = rows_by_id(database)
    assert {key for key in before if before[key] != after[key]} == {id_}
    assert before.keys() == after.keys()
    assert actions(database) == sorted([*audited, action])


@each_change
def test_a_webhook_of_another_owner_is_not_changed(
    database: SqliteDatabase,
    owner: Credential | None,
    me: Credential,
    other: Credential,
    action: str,
    change: Change,
) -> None:
    id_ = create(database, owner)
    before = database.dump()
    for stranger in (other, None if owner else me):
        with pytest.raises(NotFound):
            change(database, stranger, id_)
        with pytest.raises(NotFound):
            run(find_webhook(database, stranger, id_))
        assert page(database, stranger) == ([], False)
    with pytest.raises(NotFound):
        change(database, owner, "unknown")
    assert database.dump() == before


@each_change
def test_a_removed_webhook_is_not_changed(
    database: SqliteDatabase, owner: Credential | None, action: str, change: Change
) -> None:
    id_ = create(database, owner)
    remove(database, owner, id_)
    before = database.dump()
    with pytest.raises(NotFound):
        change(database, owner, id_)
    assert database.dump() == before


@pytest.mark.parametrize(
    "work",
    [
        *CHANGES.values(),
        lambda database, owner, id: create(database, owner),
        lambda database, owner, id: page(database, owner),
        lambda database, owner, id: page(database, owner, before="0"),
        lambda database, owner, id: run(find_webhook(database, owner, id)),
    ],
)
def test_an_invalid_credential_changes_and_reads_nothing(
    database: SqliteDatabase, me: Credential, work: Change
) -> None:
    id_ = create(database, me)
    before = database.dump()
    for ended in (replace(me, version=me.version + 1), replace(me, address="b@example.com")):
        with pytest.raises(Unauthorized) as caught:
            work(database, ended, id_)
        assert caught.value.code == "invalid_credential"
    assert database.dump() == before


def test_the_columns_of_a_new_webhook(database: SqliteDatabase, owner: Credential | None) -> None:
    id_ = create(database, owner)
    assert rows_by_id(database)[id_] == {
        "id": id_,
        "address_id": owner.address_id if owner else 0,
        "endpoint": URL,
        "events": '["email.sent"]',
        "disabled_by": None,
        "secret_version": 1,
        "previous_version": None,
        "rotated_at": None,
        "failing_since": None,
        "created_at": NOW,
    }
    assert run(find_webhook(database, owner, id_))["endpoint"] == URL


def test_the_limit_counts_the_present_webhooks_of_the_owner(
    database: SqliteDatabase, owner: Credential | None, me: Credential, other: Credential
) -> None:
    for another in (me, other, None):
        if another != owner:
            for number in range(3):
                create(database, another, now=NOW + number)
    most = MAX_OF_ADDRESS if owner else MAX_OF_ADMINISTRATORS
    assert most == (10 if owner else 20)
    ids = [create(database, owner, now=NOW + number) for number in range(most)]
    before = database.dump()
    with pytest.raises(BadRequest) as caught:
        create(database, owner, now=NOW + most)
    assert (caught.value.code, caught.value.values) == ("too_many_webhooks", {"limit": most})
    assert database.dump() == before
    update(database, owner, ids[0], status="disabled")
    with pytest.raises(ApiError):  # a disabled webhook counts
        create(database, owner, now=NOW + most)
    remove(database, owner, ids[1])
    create(database, owner, now=NOW + most)


def test_pages_in_both_directions(
    database: SqliteDatabase, owner: Credential | None, me: Credential, other: Credential
) -> None:
    for another in (me, other, None):
        if another != owner:
            create(database, another, now=NOW + 2)
    ids = [create(database, owner, now=NOW + number) for number in range(6)]
    remove(database, owner, ids.pop(2))
    newest_first = ids[::-1]
    assert page(database, owner, 5) == (newest_first, False)
    assert page(database, owner, 4) == (newest_first[:4], True)
    assert page(database, owner, 2, after=newest_first[1]) == (newest_first[2:4], True)
    assert page(database, owner, 3, after=newest_first[1]) == (newest_first[2:], False)
    assert page(database, owner, 2, before=newest_first[4]) == (newest_first[2:4], True)
    assert page(database, owner, 2, before=newest_first[2]) == (newest_first[:2], False)
    assert page(database, owner, 4, before=newest_first[4]) == (newest_first[:4], False)


def test_an_update_leaves_the_rest_as_it_is(
    database: SqliteDatabase, owner: Credential | None
) -> None:
    id_ = create(database, owner)

    def changed(**values: Any) -> dict[str, Any]:
        before = rows_by_id(database)[id_]
        update(database, owner, id_, **values)
        after = rows_by_id(database)[id_]
        return {name: value for name, value in after.items() if value != before[name]}

    failing = "UPDATE webhooks SET failing_since = 5"
    database.query(failing)
    assert changed() == {}
    assert changed(events=["email.failed"]) == {"events": '["email.failed"]'}
    assert changed(endpoint=URL) == {}
    other_url = "https://b.example.com/"
    assert changed(endpoint=other_url) == {"endpoint": other_url, "failing_since": None}
    database.query(failing)
    assert changed(status="disabled") == {"disabled_by": "owner"}
    assert changed(endpoint=other_url) == {}
    assert changed(status="enabled") == {"disabled_by": None, "failing_since": None}
    database.query("UPDATE webhooks SET disabled_by = 'gone'")
    assert changed(status="disabled") == {}
    assert changed(events=["email.sent"]) == {"events": '["email.sent"]'}
    assert changed(status="enabled") == {"disabled_by": None}


def test_a_rotation_keeps_the_previous_version(
    database: SqliteDatabase, owner: Credential | None
) -> None:
    id_ = create(database, owner)
    first = rotate(database, owner, id_)
    second = rotate(database, owner, id_)
    assert 2 <= first != second >= 2
    row = rows_by_id(database)[id_]
    assert (row["previous_version"], row["secret_version"]) == (first, second)
    assert row["rotated_at"] == NOW + 1


def test_a_new_secret_is_never_the_first_one(
    database: SqliteDatabase, me: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.webhooks, "randbelow", lambda number: 0)
    assert rotate(database, me, create(database, me)) == 2


def test_the_audit_log_has_what_was_changed(database: SqliteDatabase, me: Credential) -> None:
    id_ = create(database, me)
    update(database, me, id_, endpoint="https://b.example.com/secret", events=["email.failed"])
    update(database, me, id_, status="disabled")
    rotate(database, me, id_)
    remove(database, me, id_)
    rows = database.query("SELECT action, object, details FROM audit")
    assert {row["object"] for row in rows} == {id_}
    details: dict[str, list[Any]] = {}
    for row in rows:
        found = row["details"] and json.loads(row["details"])
        details.setdefault(row["action"], []).append(found)
    changes = details.pop("webhook.updated")
    assert len(changes) == 2
    assert {"host": "b.example.com", "events": ["email.failed"]} in changes
    assert {"status": "disabled"} in changes
    assert details == {
        "webhook.created": [{"host": "hooks.example.com", "events": ["email.sent"]}],
        "webhook.secret_rotated": [None],
        "webhook.removed": [None],
    }


def test_the_disabled_webhooks_of_all_owners(
    database: SqliteDatabase, me: Credential, other: Credential
) -> None:
    ids = [create(database, who, now=NOW + n) for n, who in enumerate((me, other, None, me, me))]
    for id_, reason in zip(ids[:4], ("gone", "owner", "failing", "removed"), strict=True):
        database.query("UPDATE webhooks SET disabled_by = ? WHERE id = ?", reason, id_)

    def found(limit: int, after: str | None = None) -> tuple[list[Any], bool]:
        rows, has_more = run(disabled_webhooks(database, after=after, limit=limit))
        return [(row["id"], row["address"]) for row in rows], has_more

    first, second, third = (ids[0], me.address), (ids[1], other.address), (ids[2], None)
    assert found(3) == ([third, second, first], False)
    assert found(2) == ([third, second], True)
    assert found(2, after=ids[1]) == ([first], False)


def test_a_removed_webhook_counts_as_one(database: SqliteDatabase, me: Credential) -> None:
    assert run(has_webhooks(database)) is False
    remove(database, me, create(database, me))
    assert run(has_webhooks(database)) is True
