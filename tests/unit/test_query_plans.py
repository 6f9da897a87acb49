"""No statement of the store reads a whole table, so that no cost grows with it."""

import re

import pytest

from accounts.credentials import Credential
from store.addresses import check_holds, create_address
from store.balances import send_balance
from store.confirm import Ending, confirm
from store.database import Statement
from store.reserve import reserve
from store.sendbox import sendbox_page
from store.sweep import end_expired_leases
from tests.unit import given
from tests.unit.given import ME, NOW
from tests.unit.sqlite_database import SqliteDatabase, run


def _every_statement() -> tuple[SqliteDatabase, list[Statement]]:
    """Each statement of the store once, with the parameters that it ran with."""
    database = SqliteDatabase()
    credential: Credential = given.address(database, balance=10)
    run(
        create_address(
            database,
            "new@example.com",
            blockable_name="new",
            password_hash=None,
            source=None,
            now=NOW,
        )
    )
    run(check_holds(database, credential))
    run(send_balance(database, credential, default=1, now=NOW))
    mail = given.message("you@example.org", "they@example.org", sender=ME)
    run(reserve(database, mail, given.reservation(credential)))
    run(confirm(database, Ending("m1", 1, "sending", "failed", NOW)))
    run(end_expired_leases(database, now=NOW))
    run(sendbox_page(database, credential, limit=20, offset=0))
    return database, list({statement.sql: statement for statement in database.statements}.values())


DATABASE, STATEMENTS = _every_statement()
TABLES = set(DATABASE.dump())


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda it: " ".join(it.sql.split())[:60])
def test_rows_are_found_by_an_index(statement: Statement) -> None:
    aliases = dict.fromkeys(TABLES, "") | dict(
        re.findall(r"\b(?:FROM|JOIN) (\w+) AS (\w+)", statement.sql)
    )
    names = TABLES | {alias for table, alias in aliases.items() if table in TABLES}
    scanned = {
        match[1]
        for step in DATABASE.plan(statement)
        if (match := re.match(r"SCAN (\w+)", step)) is not None
    }
    assert scanned & names == set()


def test_the_newest_page_is_found_without_sorting_all_messages() -> None:
    (page,) = [statement for statement in STATEMENTS if "OFFSET" in statement.sql]
    plan = DATABASE.plan(page)
    assert any("messages_by_address" in step for step in plan)


def test_expired_leases_are_found_among_the_leased_alone() -> None:
    sweep = [statement for statement in STATEMENTS if "lease_until <= ?1" in statement.sql]
    assert len(sweep) == 3
    for statement in sweep:
        assert any("messages_leased" in step for step in DATABASE.plan(statement))
