"""The sendbox: the messages of one address, newest first, a page at a time."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.credentials import Credential
from mail.message import Message
from refusals import Unauthorized
from store.database import Row
from store.reserve import FIRST_PART_CHARACTERS, reserve
from store.sendbox import sendbox_page
from tests.unit import given
from tests.unit.given import NOW
from tests.unit.sqlite_database import SqliteDatabase, run


@pytest.fixture
def credential(database: SqliteDatabase) -> Credential:
    return given.address(database, balance=1000)


def keep(
    database: SqliteDatabase, credential: Credential, id: str, message: Message | None = None
) -> None:
    mail = message or given.message(sender=credential.address)
    run(reserve(database, mail, given.reservation(credential, id)))


def page(
    database: SqliteDatabase, credential: Credential, limit: int = 20, offset: int = 0
) -> tuple[list[Row], int]:
    return run(sendbox_page(database, credential, limit=limit, offset=offset))


def test_an_empty_sendbox(database: SqliteDatabase, credential: Credential) -> None:
    assert page(database, credential) == ([], 0)


def test_a_message_shows_what_was_sent(database: SqliteDatabase, credential: Credential) -> None:
    message = given.message("You@example.org", sender_name="Me", subject="Hé", html="<p>Hi</p>")
    keep(database, credential, "m1", message)
    ((row,), count) = page(database, credential)
    assert count == 1
    assert row == {
        "id": "m1",
        "sender": "me@example.com",
        "sender_name": "Me",
        "subject": "Hé",
        "status": "sending",
        "accepted_at": NOW,
        "recipient": "You@example.org",
        "recipient_name": None,
        "body_kind": "html",
        "content": "<p>Hi</p>",
    }


def test_pages_begin_with_the_newest(database: SqliteDatabase, credential: Credential) -> None:
    for number in range(5):
        keep(database, credential, f"m{number}")

    def ids(**numbers: int) -> list[str]:
        rows, count = page(database, credential, **numbers)
        assert count == 5
        return [row["id"] for row in rows]

    assert ids(limit=2) == ["m4", "m3"]
    assert ids(limit=2, offset=2) == ["m2", "m1"]
    assert ids(limit=2, offset=4) == ["m0"]
    assert ids(limit=2, offset=5) == []
    assert ids(limit=100, offset=2**53 - 1) == []
    assert ids(limit=100) == ["m4", "m3", "m2", "m1", "m0"]


def test_an_address_sees_only_its_own(database: SqliteDatabase, credential: Credential) -> None:
    other = given.address(database, "other@example.com", balance=10)
    keep(database, credential, "m1")
    keep(database, other, "m2")
    assert [row["id"] for row in page(database, credential)[0]] == ["m1"]
    assert [row["id"] for row in page(database, other)[0]] == ["m2"]


def test_an_address_made_anew_does_not_see_the_mails_of_the_old_one(
    database: SqliteDatabase, credential: Credential
) -> None:
    keep(database, credential, "m1")
    database.query("DELETE FROM addresses")
    assert page(database, given.address(database)) == ([], 0)


@pytest.mark.parametrize(
    "bodies", [{"text": "a"}, {"html": "a"}, {"text": "a", "html": "<p>a"}], ids=repr
)
@pytest.mark.parametrize("recipients", [1, 3])
def test_a_message_stands_once_in_the_list(
    database: SqliteDatabase, credential: Credential, bodies: dict[str, Any], recipients: int
) -> None:
    addresses = [f"you{number}@example.org" for number in range(recipients)]
    keep(database, credential, "m1", given.message(*addresses, **bodies))
    rows, count = page(database, credential)
    assert ([row["id"] for row in rows], count) == (["m1"], 1)
    assert rows[0]["recipient"] == "you0@example.org"


def test_of_a_long_body_the_first_part_is_shown(
    database: SqliteDatabase, credential: Credential
) -> None:
    text = "é" * FIRST_PART_CHARACTERS + "the rest"
    keep(database, credential, "m1", given.message(text=text))
    assert page(database, credential)[0][0]["content"] == "é" * FIRST_PART_CHARACTERS


def test_a_message_whose_body_was_cleaned_away_is_still_listed(
    database: SqliteDatabase, credential: Credential
) -> None:
    keep(database, credential, "m1")
    database.query("DELETE FROM bodies")
    ((row,), _) = page(database, credential)
    assert (row["id"], row["body_kind"], row["content"]) == ("m1", None, None)


def test_a_credential_that_does_not_hold_sees_nothing(
    database: SqliteDatabase, credential: Credential
) -> None:
    keep(database, credential, "m1")
    with pytest.raises(Unauthorized, match="invalid_credential"):
        page(database, replace(credential, version=1))
