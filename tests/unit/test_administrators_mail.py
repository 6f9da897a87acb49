"""Messages of administrators: free, without an address, limited, and in the audit log."""

import pytest

from accounts.actor import Actor
from accounts.credentials import Credential
from accounts.sending_limits import RateLimit
from errors import BadRequest
from store.sendbox import every_sendbox_page
from store.sendbox_generation import ADMINISTRATION
from tests.unit import given
from tests.unit.given import TODAY
from tests.unit.sqlite_database import SqliteDatabase, run

SENDER = "News@example.com"
NO_ADDRESS = Credential(SENDER, ADMINISTRATION, 0)
ME = Actor("admin#1", "192.0.2.1", is_administrator=True)


def test_the_message_is_stored_without_a_charge_and_audited(database: SqliteDatabase) -> None:
    given.reserved(database, NO_ADDRESS, administrator=ME)
    (row,) = database.query("SELECT address_id, sender, charge, sendbox FROM messages")
    assert tuple(row.values()) == (0, SENDER, 0, 0)
    assert database.value("SELECT recipients FROM daily_recipients WHERE day = ?", TODAY) == 1
    dump = database.dump()
    assert (dump["send_balances"], dump["rate_windows"]) == ([], [])
    (noted,) = dump["audit"]
    assert (noted["actor"], noted["action"], noted["object"]) == ("admin#1", "message.sent", "m1")
    assert (noted["source"], noted["details"]) == ("192.0.2.1", '{"from":"News@example.com"}')


def test_limits_and_lists_hold(database: SqliteDatabase) -> None:
    given.send_limits(database, dailyEnabled=True, dailyLimit=0)
    with pytest.raises(BadRequest, match="daily_quota_reached"):
        given.reserved(database, NO_ADDRESS, administrator=ME)
    given.listed(database, "send_block", given.YOU)
    with pytest.raises(BadRequest, match="address_blocked"):
        given.reserved(database, NO_ADDRESS, administrator=ME)
    dump = database.dump()
    assert (dump["messages"], dump["audit"]) == ([], [])


def test_only_administrators_send_without_an_address(database: SqliteDatabase) -> None:
    with pytest.raises(Exception, match="invalid_credential"):
        given.reserved(database, NO_ADDRESS, rate_limit=RateLimit(1, 60))


@pytest.mark.contract("GET /admin/sendbox: Lists messages by address")
def test_the_message_is_listed_under_its_sender(database: SqliteDatabase) -> None:
    given.reserved(database, NO_ADDRESS, "m1", administrator=ME)
    me = given.address(database, SENDER.lower(), balance=5)
    given.reserved(database, me, "m2")
    given.reserved(database, given.address(database, balance=5), "m3")
    for address, ids in ((SENDER.lower(), ["m2", "m1"]), (None, ["m3", "m2", "m1"])):
        rows, count = run(every_sendbox_page(database, address=address, limit=10, offset=0))
        assert ([row["id"] for row in rows], count) == (ids, len(ids))
        rows, _ = run(every_sendbox_page(database, address=address, limit=1, offset=1))
        assert [row["id"] for row in rows] == [ids[1]]
