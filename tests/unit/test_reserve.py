"""Reserve: a message is stored and charged, or rejected without any change."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.credentials import Credential
from clock import iso_time
from errors import ApiError
from locales import sentence
from mail.message import Message
from store.database import StatementRejected
from store.message_content import MAX_PART_BYTES
from tests.unit import given
from tests.unit.given import LEASE, ME, NOW, TODAY, YOU
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase

TWO = ("a@one.example", "b@two.example")


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    return given.address(database)


def keep(
    database: SqliteDatabase,
    me: Credential,
    *recipients: str,
    id: str = "m1",
    message: Message | None = None,
    **submission: Any,
) -> None:
    mail = message or given.message(*recipients, sender=me.address)
    given.reserved(database, me, id, mail, **submission)


def rejected(database: SqliteDatabase, me: Credential, *recipients: str, **more: Any) -> ApiError:
    """The error of a rejected message. Checks that the database does not change."""
    before = database.dump()
    with pytest.raises(ApiError) as caught:
        keep(database, me, *recipients, **more)
    assert database.dump() == before
    return caught.value


def balance(database: SqliteDatabase) -> int | None:
    rows = database.query("SELECT balance FROM send_balances")
    return rows[0]["balance"] if rows else None


def sent_today(database: SqliteDatabase, day: str = TODAY) -> int:
    rows = database.query("SELECT recipients FROM daily_recipients WHERE day = ?", day)
    return rows[0]["recipients"] if rows else 0


def test_all_stored_columns_of_a_message(database: SqliteDatabase, me: Credential) -> None:
    given.set_balance(database, me, 10)
    message = given.message(*TWO, sender_name="Me", subject="Hé 😀", text="Hello", html="<p>Hello")
    keep(*(database, me), message=message, idempotency_key="k1", request_digest="d1", retry_of="m0")
    dump = database.dump()
    assert dump["messages"] == [
        {
            "id": "m1",
            "address_id": 1,
            "sender": "me@example.com",
            "sender_name": "Me",
            "subject": "Hé 😀",
            "size": 2000,
            "recipients": 2,
            "charge": 2,
            "status": "sending",
            "attempt": 1,
            "lease_until": NOW + LEASE,
            "next_attempt_at": None,
            "provider_message_id": None,
            "provider_code": None,
            "reason": None,
            "accepted_at": NOW,
            "finished_at": None,
            "request_id": "r1",
            "idempotency_key": "k1",
            "request_digest": "d1",
            "reported_as": None,
            "claimed_by": None,
            "retry_of": "m0",
            "details": None,
            "scheduled_at": None,
            "is_sandbox": 0,
            "batch_results": None,
            "sendbox": 0,
            "delivery_status": None,
            "delivery_count": None,
            "transport": None,
            "ask_until": None,
        }
    ]
    assert dump["deliveries"] == [
        {
            "message_id": "m1",
            "position": position,
            "kind": "to",
            "address": address,
            "name": None,
        }
        for position, address in enumerate(TWO)
    ]
    assert dump["events"] == []  # acceptance adds no event
    assert dump["bodies"] == [
        {"message_id": "m1", "kind": "html", "part": 0, "content": "<p>Hello"},
        {"message_id": "m1", "kind": "text", "part": 0, "content": "Hello"},
    ]
    assert dump["daily_recipients"] == [{"day": TODAY, "recipients": 2}]
    assert balance(database) == 8


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", [1]),
        ("a" * MAX_PART_BYTES, [MAX_PART_BYTES]),
        ("a" * MAX_PART_BYTES + "b", [MAX_PART_BYTES, 1]),
        ("a" * (2 * MAX_PART_BYTES), [MAX_PART_BYTES, MAX_PART_BYTES]),
        ("a" * (2 * MAX_PART_BYTES + 1), [MAX_PART_BYTES, MAX_PART_BYTES, 1]),
        # No character is split: a character of several bytes goes completely into the next part.
        *(
            ("a" * (MAX_PART_BYTES - short) + character, [MAX_PART_BYTES - short, size])
            for character, size in (("é", 2), ("名", 3), ("😀", 4))
            for short in range(1, size)
        ),
        ("a" * (MAX_PART_BYTES - 4) + "😀", [MAX_PART_BYTES]),
        ("é" * (MAX_PART_BYTES // 2), [MAX_PART_BYTES]),
        ("名" * 500_000, [999_999, 500_001]),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, list) else "",
)
def test_a_body_is_kept_in_parts(
    database: SqliteDatabase, me: Credential, text: str, parts: list[int]
) -> None:
    message = given.message(text=text)
    keep(database, me, message=message, default_balance=10)
    contents = [
        row["content"] for row in database.query("SELECT content FROM bodies ORDER BY part")
    ]
    assert [len(content.encode()) for content in contents] == parts
    assert "".join(contents) == text


def test_the_parts_of_text_and_html_are_kept_apart(
    database: SqliteDatabase, me: Credential
) -> None:
    message = given.message(text="t" * MAX_PART_BYTES + "T", html="h" * MAX_PART_BYTES + "H")
    keep(database, me, message=message, default_balance=10)
    assert database.query("SELECT kind, part, substr(content, -1) AS last FROM bodies") == [
        {"kind": "html", "part": 0, "last": "h"},
        {"kind": "html", "part": 1, "last": "H"},
        {"kind": "text", "part": 0, "last": "t"},
        {"kind": "text", "part": 1, "last": "T"},
    ]


def test_a_part_fits_into_a_d1_value() -> None:
    assert MAX_PART_BYTES <= 1_000_000


def test_the_largest_message_stays_within_the_subrequests_of_one_request(
    database: SqliteDatabase, me: Credential
) -> None:
    message = given.message(text="a" * 1_915_000, html="a" * 1_915_000)  # 5 MiB in base64
    keep(database, me, message=message, default_balance=10, idempotency_key="k")
    once = len(database.statements) // (2 if isinstance(database, ForgetfulDatabase) else 1)
    assert once + 6 <= 50  # 6: the statements of record


# The balance


def test_the_default_balance_is_granted_at_the_first_send(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, *TWO, default_balance=5)
    assert database.query("SELECT * FROM send_balances") == [
        {"address_id": 1, "balance": 3, "enabled": 1, "requested_at": None, "created_at": NOW}
    ]


def test_the_grant_of_the_first_send_is_one_row(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, *TWO, default_balance=2)
    assert balance(database) == 0
    keep(database, me, *TWO, id="m1", default_balance=2)
    assert database.query("SELECT balance FROM send_balances") == [{"balance": 0}]


def test_the_default_balance_is_granted_once(database: SqliteDatabase, me: Credential) -> None:
    keep(database, me, default_balance=1)
    assert balance(database) == 0
    assert rejected(database, me, id="m2", default_balance=1).code == "no_balance"


@pytest.mark.contract("send checks: A rejected message costs nothing and stores nothing")
def test_a_rejected_message_grants_no_balance(database: SqliteDatabase, me: Credential) -> None:
    assert rejected(database, me, *TWO, default_balance=1).code == "no_balance"
    assert balance(database) is None


@pytest.mark.contract("balance: The default never changes a balance that an administrator set")
@pytest.mark.parametrize("enabled", [True, False])
def test_the_default_does_not_change_an_administrators_balance(
    database: SqliteDatabase, me: Credential, enabled: bool
) -> None:
    given.set_balance(database, me, 0 if enabled else 9, enabled=enabled)
    assert rejected(database, me, default_balance=100).code == "no_balance"


def test_a_balance_allows_as_many_recipients(database: SqliteDatabase, me: Credential) -> None:
    given.set_balance(database, me, 3)
    keep(database, me, *TWO)
    assert rejected(database, me, *TWO, id="m2").code == "no_balance"
    keep(database, me, YOU, id="m3")
    assert balance(database) == 0
    assert rejected(database, me, YOU, id="m4").code == "no_balance"


def test_a_charge_of_the_whole_balance_may_be_repeated(
    database: SqliteDatabase, me: Credential
) -> None:
    given.set_balance(database, me, 2)
    keep(database, me, *TWO)
    after = database.dump()
    keep(database, me, *TWO)
    assert database.dump() == after
    assert (balance(database), sent_today(database)) == (0, 2)


@pytest.mark.contract("send checks: Verified recipients cost no balance")
def test_verified_recipients_cost_nothing(database: SqliteDatabase, me: Credential) -> None:
    given.listed(database, "verified", TWO[0])
    given.set_balance(database, me, 1)
    keep(database, me, *TWO)
    assert (balance(database), sent_today(database)) == (0, 2)
    assert database.value("SELECT charge FROM messages") == 1


def test_verified_recipients_need_no_balance(database: SqliteDatabase, me: Credential) -> None:
    given.listed(database, "verified", YOU)
    keep(database, me, "YOU@Example.ORG", default_balance=5)
    assert balance(database) is None
    assert sent_today(database) == 1


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        *(("verified", entry) for entry in ("example.org", "@example.org", "other@example.org")),
        ("verified", ME),  # a verified recipient is not an unlimited sender
        ("unlimited", YOU),
    ],
)
def test_entries_of_other_addresses_do_not_make_recipients_free(
    database: SqliteDatabase, me: Credential, name: str, entry: str
) -> None:
    given.listed(database, name, entry)
    assert rejected(database, me, YOU).code == "no_balance"


@pytest.mark.contract(
    "send checks: Unlimited addresses are not charged but count towards the limits"
)
def test_an_unlimited_address_is_counted_without_a_charge(
    database: SqliteDatabase, me: Credential
) -> None:
    given.listed(database, "unlimited", ME)
    given.set_balance(database, me, 1)
    keep(database, me, *TWO)
    assert (balance(database), sent_today(database)) == (1, 2)
    assert database.value("SELECT charge FROM messages") == 0


def test_an_unlimited_address_needs_no_balance_row(
    database: SqliteDatabase, me: Credential
) -> None:
    given.listed(database, "unlimited", ME)
    keep(database, me, *TWO, default_balance=5)
    assert balance(database) is None


# The lists


@pytest.mark.parametrize(
    ("entry", "recipient"),
    [
        ("you@example.org", "you@example.org"),
        ("you@example.org", "YOU@Example.Org"),
        ("example.org", "you@example.org"),
        ("@example.org", "you@example.org"),
        ("@example.org", "You@EXAMPLE.org"),
        ("xn--bcher-kva.example", "you@bücher.example"),
    ],
)
def test_the_block_list_has_addresses_and_domains(
    database: SqliteDatabase, me: Credential, entry: str, recipient: str
) -> None:
    given.listed(database, "send_block", entry)
    assert rejected(database, me, recipient, default_balance=9).code == "address_blocked"


@pytest.mark.parametrize(
    "entry",
    [
        *("sub.example.org", "@org", "org", "le.org", "ou@example.org", "yo@example.org"),
        *("you@example.or", "@you@example.org"),
        *("me@example.com", "example.com", "*", "%", "you"),
    ],
)
def test_the_block_list_blocks_nothing_else(
    database: SqliteDatabase, me: Credential, entry: str
) -> None:
    given.listed(database, "send_block", entry)
    keep(database, me, YOU, default_balance=1)


@pytest.mark.contract("send checks: The block list matches addresses and domains, not subdomains")
@pytest.mark.parametrize("entry", ["example.org", "@example.org"])
def test_a_blocked_domain_does_not_block_its_subdomains(
    database: SqliteDatabase, me: Credential, entry: str
) -> None:
    given.listed(database, "send_block", entry)
    keep(database, me, "you@sub.example.org", default_balance=1)


@pytest.mark.contract("send checks: Every recipient is checked")
@pytest.mark.parametrize("position", [0, 1, 2])
def test_every_recipient_is_checked(
    database: SqliteDatabase, me: Credential, position: int
) -> None:
    recipients = [f"you{number}@example.org" for number in range(3)]
    given.listed(database, "send_block", recipients[position])
    code = rejected(database, me, *recipients, default_balance=9).code
    assert code == "address_blocked"


def test_a_suppressed_recipient_is_named(database: SqliteDatabase, me: Credential) -> None:
    given.suppressed(database, TWO[1])
    error = rejected(database, me, TWO[0], "B@Two.Example", default_balance=9)
    assert (error.code, error.values["recipient"]) == ("recipient_suppressed", TWO[1])


def test_a_rejection_says_the_reason_and_the_end(database: SqliteDatabase, me: Credential) -> None:
    end = NOW + 1000
    given.suppressed(database, YOU, scope="example.com", reason="hard_bounce", expires_at=end)
    error = rejected(database, me, YOU, default_balance=9)
    shown = {"recipient": YOU, "reason": "hard_bounce", "expires_at": iso_time(end)}
    assert error.extra == {"suppression": shown}
    text = sentence(error.sentence, "en", error.values)
    why = "a mail to it was rejected permanently"
    assert text == f"Recipient is suppressed until {iso_time(end)}: {YOU} ({why})"


def test_a_rejection_says_the_last_end(database: SqliteDatabase, me: Credential) -> None:
    given.suppressed(database, YOU, scope="example.com", reason="provider", expires_at=NOW + 1000)
    given.suppressed(database, YOU)
    error = rejected(database, me, YOU, default_balance=9)
    shown = {"recipient": YOU, "reason": "manual", "expires_at": None}
    assert error.extra == {"suppression": shown}


@pytest.mark.parametrize(
    "columns", [{"scope": "example.net"}, {"expires_at": NOW}, {"expires_at": NOW - 1}]
)
def test_a_suppression_of_another_domain_or_the_past_does_not_count(
    database: SqliteDatabase, me: Credential, columns: dict[str, Any]
) -> None:
    given.suppressed(database, YOU, **columns)
    keep(database, me, YOU, default_balance=9)


def test_a_verified_recipient_may_be_blocked_and_suppressed(
    database: SqliteDatabase, me: Credential
) -> None:
    given.listed(database, "verified", YOU)
    given.suppressed(database, YOU)
    assert rejected(database, me, YOU).code == "recipient_suppressed"
    given.listed(database, "send_block", YOU)
    assert rejected(database, me, YOU).code == "address_blocked"


# The limits


def test_the_daily_limit_is_exact(database: SqliteDatabase, me: Credential) -> None:
    given.set_balance(database, me, 100)
    given.send_limits(database, dailyEnabled=True, dailyLimit=3)
    keep(database, me, *TWO)
    assert rejected(database, me, *TWO, id="m2").code == "daily_quota_reached"
    keep(database, me, YOU, id="m3")
    assert rejected(database, me, YOU, id="m4").code == "daily_quota_reached"
    assert sent_today(database) == 3


def test_the_monthly_limit_is_exact(database: SqliteDatabase, me: Credential) -> None:
    given.set_balance(database, me, 100)
    given.send_limits(database, monthlyEnabled=True, monthlyLimit=9)
    given.sent_on(database, "2026-11-01", 4)
    given.sent_on(database, "2026-11-02", 3)
    keep(database, me, YOU)
    assert rejected(database, me, *TWO, id="m2").code == "monthly_quota_reached"
    keep(database, me, YOU, id="m3")
    assert rejected(database, me, YOU, id="m4").code == "monthly_quota_reached"


def test_other_days_do_not_count_towards_today(database: SqliteDatabase, me: Credential) -> None:
    given.send_limits(database, dailyEnabled=True, dailyLimit=1)
    given.sent_on(database, "2026-11-02", 50)
    given.sent_on(database, "2026-11-04", 50)
    keep(database, me, default_balance=9)


def test_other_months_do_not_count_towards_this_one(
    database: SqliteDatabase, me: Credential
) -> None:
    given.send_limits(database, monthlyEnabled=True, monthlyLimit=1)
    for day in ("2026-10-31", "2025-11-03", "2026-12-01"):
        given.sent_on(database, day, 50)
    keep(database, me, default_balance=9)


@pytest.mark.contract(
    "send checks: Limits count recipients exactly per UTC day and month, over all addresses"
)
@pytest.mark.parametrize(
    ("last", "first"),
    [
        ("2026-11-03T23:59:59.999", "2026-11-04T00:00:00.000"),
        ("2026-11-30T23:59:59.999", "2026-12-01T00:00:00.000"),
        ("2026-12-31T23:59:59.999", "2027-01-01T00:00:00.000"),
        ("2028-02-29T23:59:59.999", "2028-03-01T00:00:00.000"),
    ],
)
def test_days_and_months_end_at_midnight_utc(
    database: SqliteDatabase, me: Credential, last: str, first: str
) -> None:
    given.set_balance(database, me, 9)
    limit = "daily" if last[:7] == first[:7] else "monthly"
    given.send_limits(database, **{f"{limit}Enabled": True, f"{limit}Limit": 1})
    late, early = given.milliseconds(last), given.milliseconds(first)
    keep(database, me, now=late)
    assert rejected(database, me, id="m2", now=late).code == f"{limit}_quota_reached"
    keep(database, me, id="m2", now=early)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"dailyEnabled": False, "dailyLimit": 0, "monthlyEnabled": False, "monthlyLimit": 0},
        {"dailyEnabled": True, "dailyLimit": -1, "monthlyEnabled": True, "monthlyLimit": -1},
        {"dailyEnabled": True, "dailyLimit": 51, "monthlyEnabled": True, "monthlyLimit": 51},
    ],
    ids=["as at first", "disabled", "unlimited", "just enough"],
)
def test_disabled_and_large_limits_reject_nothing(
    database: SqliteDatabase, me: Credential, config: dict[str, Any]
) -> None:
    given.send_limits(database, **config)
    given.sent_on(database, TODAY, 50)
    keep(database, me, default_balance=9)


@pytest.mark.parametrize("limit", ["daily", "monthly"])
def test_a_limit_of_0_rejects_everything(
    database: SqliteDatabase, me: Credential, limit: str
) -> None:
    given.send_limits(database, **{f"{limit}Enabled": True, f"{limit}Limit": 0})
    assert rejected(database, me, default_balance=9).code == f"{limit}_quota_reached"


def test_limits_hold_over_all_addresses(database: SqliteDatabase, me: Credential) -> None:
    other = given.address(database, "other@example.com")
    given.send_limits(database, dailyEnabled=True, dailyLimit=1)
    keep(database, me, default_balance=9)
    assert rejected(database, other, id="m2", default_balance=9).code == "daily_quota_reached"


@pytest.mark.parametrize("free", ["unlimited", "verified"])
def test_free_messages_are_limited_too(database: SqliteDatabase, me: Credential, free: str) -> None:
    given.listed(database, free, ME if free == "unlimited" else YOU)
    given.send_limits(database, dailyEnabled=True, dailyLimit=0)
    assert rejected(database, me, YOU).code == "daily_quota_reached"


# The credential, and the order of the errors


@pytest.mark.parametrize(
    "change",
    [{"address": "other@example.com"}, {"address_id": 2}, {"address_id": 3}, {"version": 1}],
    ids=repr,
)
def test_a_credential_must_be_valid(
    database: SqliteDatabase, me: Credential, change: dict[str, Any]
) -> None:
    given.address(database, "other@example.com", balance=5)
    wrong = replace(me, **change)
    error = rejected(database, wrong, default_balance=9, message=given.message())
    assert (error.code, int(error.status)) == ("invalid_credential", 401)


@pytest.mark.contract(
    "send checks: Next come balance, block list, daily limit and monthly limit, in this order"
)
def test_errors_come_in_the_order_of_the_contract(database: SqliteDatabase, me: Credential) -> None:
    stale = replace(me, version=1)
    given.listed(database, "send_block", YOU)
    given.suppressed(database, YOU)
    given.send_limits(
        database, dailyEnabled=True, dailyLimit=0, monthlyEnabled=True, monthlyLimit=0
    )
    assert rejected(database, stale).code == "invalid_credential"
    assert rejected(database, me).code == "no_balance"
    given.set_balance(database, me, 1)
    assert rejected(database, me).code == "address_blocked"
    database.query("DELETE FROM list_entries")
    assert rejected(database, me).code == "recipient_suppressed"
    database.query("DELETE FROM suppressions")
    assert rejected(database, me).code == "daily_quota_reached"
    given.send_limits(database, monthlyEnabled=True, monthlyLimit=0)
    assert rejected(database, me).code == "monthly_quota_reached"
    given.send_limits(database)
    keep(database, me)


@pytest.mark.contract("attacks: SQL is treated as data in every field and parameter")
def test_no_value_is_interpreted_as_sql(database: SqliteDatabase, me: Credential) -> None:
    evil = "'; DROP TABLE messages; -- \" ?1 {} \\ $.id"
    message = given.message("o'neil@example.org", subject=evil, sender_name=evil, text=evil)
    keep(database, me, message=message, default_balance=9)
    assert database.query("SELECT subject, sender_name FROM messages") == [
        {"subject": evil, "sender_name": evil}
    ]
    assert database.value("SELECT content FROM bodies") == evil
    assert database.value("SELECT address FROM deliveries") == "o'neil@example.org"


def test_a_failing_statement_undoes_the_whole_batch(
    database: SqliteDatabase, me: Credential
) -> None:
    before = database.dump()
    too_many = given.message(*(f"you{number}@example.org" for number in range(51)))
    with pytest.raises(StatementRejected, match="CHECK constraint failed"):
        keep(database, me, message=too_many, default_balance=99)
    assert database.dump() == before


def test_a_repeated_batch_changes_nothing_after_other_changes(
    database: SqliteDatabase, me: Credential
) -> None:
    keep(database, me, *TWO, default_balance=2)
    given.listed(database, "send_block", TWO[0])
    given.send_limits(database, dailyEnabled=True, dailyLimit=0)
    given.set_balance(database, me, 7)
    after = database.dump()
    keep(database, me, *TWO, default_balance=2)
    assert database.dump() == after
