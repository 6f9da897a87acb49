"""Reserve, confirm and sweep in any order and number, against a simple model."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from accounts.credentials import Credential
from clock import utc_day
from refusals import Refusal
from store.confirm import Ending, confirm
from store.reserve import reserve
from store.sweep import end_expired_leases
from tests.unit import given
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

_DAY = 86_400_000
_RECIPIENTS = [f"r{number}@example.org" for number in range(4)]
_SENDERS = ["a@example.com", "b@example.com"]


@dataclass
class Kept:
    """What the model knows of a message that was accepted."""

    sender: str
    day: str
    recipients: int
    charge: int
    lease_until: int
    status: str = "sending"
    history: list[str] = field(default_factory=lambda: ["accepted"])
    given_back: int = 0


class Sending(RuleBasedStateMachine):
    """The model: what was accepted, what is left, what was counted."""

    ids = Bundle("ids")

    @initialize(forgetful=st.booleans(), default=st.integers(0, 6))
    def start(self, forgetful: bool, default: int) -> None:
        self.database = ForgetfulDatabase() if forgetful else SqliteDatabase()
        self.default = default
        self.now = given.milliseconds("2026-11-29T23:59:59.999")
        self.credentials: dict[str, Credential] = {
            sender: given.address(self.database, sender) for sender in _SENDERS
        }
        self.messages: dict[str, Kept] = {}
        self.balances: dict[str, int] = {}
        self.disabled: set[str] = set()
        self.counts: dict[str, int] = {}
        self.verified: set[str] = set()
        self.unlimited: set[str] = set()
        self.blocked: set[str] = set()
        self.suppressed: set[str] = set()
        self.daily: int | None = None
        self.monthly: int | None = None

    # What administrators and time do

    @rule(days=st.integers(1, 2))
    def time_goes_by(self, days: int) -> None:
        self.now += days * _DAY

    @rule(sender=st.sampled_from(_SENDERS), balance=st.integers(0, 6), enabled=st.booleans())
    def set_balance(self, sender: str, balance: int, enabled: bool) -> None:
        given.set_balance(self.database, self.credentials[sender], balance, enabled=enabled)
        self.balances[sender] = balance
        (self.disabled.discard if enabled else self.disabled.add)(sender)

    @rule(
        daily=st.none() | st.integers(-1, 8),
        monthly=st.none() | st.integers(-1, 12),
    )
    def set_limits(self, daily: int | None, monthly: int | None) -> None:
        given.send_limits(
            self.database,
            dailyEnabled=daily is not None,
            dailyLimit=daily,
            monthlyEnabled=monthly is not None,
            monthlyLimit=monthly,
        )
        self.daily = None if daily == -1 else daily
        self.monthly = None if monthly == -1 else monthly

    @rule(recipient=st.sampled_from(_RECIPIENTS))
    def verify(self, recipient: str) -> None:
        self._toggle("verified", self.verified, recipient)

    @rule(sender=st.sampled_from(_SENDERS))
    def lift_limit(self, sender: str) -> None:
        self._toggle("unlimited", self.unlimited, sender)

    @rule(recipient=st.sampled_from(_RECIPIENTS[:1]))
    def block(self, recipient: str) -> None:
        self._toggle("send_block", self.blocked, recipient)

    @rule(recipient=st.sampled_from(_RECIPIENTS[:2]))
    def suppress(self, recipient: str) -> None:
        if recipient in self.suppressed:
            self.database.query("DELETE FROM suppressions WHERE address = ?", recipient)
        else:
            given.suppressed(self.database, recipient)
        self.suppressed ^= {recipient}

    def _toggle(self, name: str, members: set[str], value: str) -> None:
        if value in members:
            sql = "DELETE FROM list_entries WHERE list = ? AND value = ?"
            self.database.query(sql, name, value)
        else:
            given.listed(self.database, name, value)
        members ^= {value}

    # What the service does

    @rule(
        target=ids,
        sender=st.sampled_from(_SENDERS),
        recipients=st.lists(st.sampled_from(_RECIPIENTS), min_size=1, max_size=4, unique=True),
    )
    def send(self, sender: str, recipients: list[str]) -> object:
        id = f"m{len(self.messages)}"
        expected = self._refusal(sender, recipients)
        assert self._reserve(id, sender, recipients) == expected
        if expected:
            return multiple()
        day, charge = utc_day(self.now), self._charge(sender, recipients)
        self.messages[id] = Kept(sender, day, len(recipients), charge, self.now + 90_000)
        self.counts[day] = self.counts.get(day, 0) + len(recipients)
        if charge:
            self.balances[sender] = self.balances.get(sender, self.default) - charge
        return id

    @rule(id=ids, recipients=st.lists(st.sampled_from(_RECIPIENTS), min_size=1, unique=True))
    def reserve_again(self, id: str, recipients: list[str]) -> None:
        assert self._reserve(id, self.messages[id].sender, recipients) is None

    @rule(
        id=ids,
        status=st.sampled_from(["sent", "failed", "unknown"]),
        expected=st.sampled_from(["sending", "unknown"]),
        attempt=st.sampled_from([1, 1, 1, 0, 2]),
    )
    def end(self, id: str, status: str, expected: str, attempt: int) -> None:
        run(confirm(self.database, Ending(id, attempt, expected, status, self.now)))
        kept = self.messages[id]
        # Nobody confirms unknown as unknown; it would only say so again in the history.
        if attempt != 1 or kept.status != expected:
            return
        if expected == status and isinstance(self.database, ForgetfulDatabase):
            kept.history.append(status)
        kept.status = status
        kept.history.append(status)
        if status == "failed":
            kept.given_back += 1
            self.counts[kept.day] -= kept.recipients
            if kept.charge:
                self.balances[kept.sender] += kept.charge

    @rule()
    def sweep(self) -> None:
        run(end_expired_leases(self.database, now=self.now))
        for kept in self.messages.values():
            if kept.status == "sending" and kept.lease_until <= self.now:
                kept.status = "unknown"
                kept.history.append("unknown")

    @rule(id=consumes(ids))
    def forget(self, id: str) -> None:
        """Leave a message as it is, so that later rules meet others."""

    def _reserve(self, id: str, sender: str, recipients: list[str]) -> str | None:
        mail = given.message(*recipients, sender=sender)
        reservation = given.reservation(
            self.credentials[sender], id, default_balance=self.default, now=self.now
        )
        try:
            run(reserve(self.database, mail, reservation))
        except Refusal as refusal:
            return refusal.code
        return None

    def _charge(self, sender: str, recipients: list[str]) -> int:
        return 0 if sender in self.unlimited else len(set(recipients) - self.verified)

    def _refusal(self, sender: str, recipients: list[str]) -> str | None:
        left = 0 if sender in self.disabled else self.balances.get(sender, self.default)
        today = utc_day(self.now)
        month = sum(n for day, n in self.counts.items() if day[:7] == today[:7] and day <= today)
        if self._charge(sender, recipients) > left:
            return "no_balance"
        if self.blocked & set(recipients):
            return "address_blocked"
        if self.suppressed & set(recipients):
            return "recipient_suppressed"
        if self.daily is not None and self.counts.get(today, 0) + len(recipients) > self.daily:
            return "daily_quota_reached"
        if self.monthly is not None and month + len(recipients) > self.monthly:
            return "monthly_quota_reached"
        return None

    # What is always true

    @invariant()
    def messages_agree(self) -> None:
        rows = self.database.query("SELECT id, status, recipients, charge FROM messages")
        assert {row["id"]: (row["status"], row["recipients"], row["charge"]) for row in rows} == {
            id: (kept.status, kept.recipients, kept.charge) for id, kept in self.messages.items()
        }

    @invariant()
    def histories_agree(self) -> None:
        histories: dict[str, list[str]] = {}
        for row in self.database.query("SELECT * FROM events ORDER BY message_id, sequence"):
            histories.setdefault(row["message_id"], []).append(row["kind"])
        assert histories == {id: kept.history for id, kept in self.messages.items()}

    @invariant()
    def deliveries_agree(self) -> None:
        rows = self.database.query(
            "SELECT message_id, status, count(*) AS count FROM deliveries GROUP BY 1, 2"
        )
        assert {row["message_id"]: (row["status"], row["count"]) for row in rows} == {
            id: (kept.status.replace("sending", "pending"), kept.recipients)
            for id, kept in self.messages.items()
        }

    @invariant()
    def balances_agree(self) -> None:
        rows = self.database.query(
            "SELECT name, balance FROM send_balances JOIN addresses ON id = address_id"
        )
        assert {row["name"]: row["balance"] for row in rows} == self.balances
        assert all(balance >= 0 for balance in self.balances.values())

    @invariant()
    def counts_agree(self) -> None:
        rows = self.database.query("SELECT day, recipients FROM daily_recipients")
        assert {row["day"]: row["recipients"] for row in rows} == self.counts

    @invariant()
    def a_charge_is_given_back_at_most_once(self) -> None:
        assert all(kept.given_back <= 1 for kept in self.messages.values())


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
