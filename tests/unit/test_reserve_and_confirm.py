"""Reserve, claim, confirm and sweep in any order and number, against a simple model."""

from dataclasses import dataclass, field, replace
from typing import Any

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
from lifecycle import FINAL, TRANSITIONS, News, Status
from refusals import Refusal
from store.claim import claim
from store.confirm import Confirmation, confirm
from store.reserve import Sending as Earlier
from store.reserve import reserve
from store.sweep import due_messages, sweep
from tests.unit import given
from tests.unit.given import DAY, LEASE
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

_KEYS = ["k1", "k2"]
_DIGESTS = ["d1", "d2"]
_ANSWERS: dict[News, tuple[int, str | None]] = {
    "sent": (200, None),
    "deferred": (202, None),
    "refused": (502, "E_X"),
    "lost": (502, "outcome_unknown"),
}
_RECIPIENTS = [f"r{number}@example.org" for number in range(4)]
_SENDERS = ["a@example.com", "b@example.com"]


@dataclass
class Kept:
    """What the model knows of a message that was accepted."""

    sender: str
    day: str
    recipients: int
    charge: int
    accepted_at: int
    lease_until: int
    key: str | None = None
    digest: str | None = None
    retry_of: str | None = None
    answer: tuple[int, str | None] | None = None
    status: Status = "sending"
    attempt: int = 1
    due_at: int = 0
    finished_at: int = 0
    history: list[str] = field(default_factory=lambda: ["accepted"])
    given_back: int = 0
    has_bodies: bool = True


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
        self.removed: dict[str, Kept] = {}
        self.number = self.claims = 0
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

    @rule(milliseconds=st.sampled_from([1, 60_000, LEASE, DAY // 2, DAY - 1, DAY, 2 * DAY]))
    def time_goes_by(self, milliseconds: int) -> None:
        self.now += milliseconds

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
        key=st.none() | st.sampled_from(_KEYS),
        digest=st.sampled_from(_DIGESTS),
    )
    def send(self, sender: str, recipients: list[str], key: str | None, digest: str) -> object:
        return self._order(sender, recipients, key, digest if key else None, None)

    @rule(
        target=ids,
        id=ids,
        key=st.none() | st.sampled_from(_KEYS),
        recipients=st.lists(st.sampled_from(_RECIPIENTS), min_size=1, max_size=2, unique=True),
    )
    def send_again(self, id: str, key: str | None, recipients: list[str]) -> object:
        digest = _DIGESTS[0] if key else None
        sender = (self.messages.get(id) or self.removed[id]).sender
        return self._order(sender, recipients, key, digest, id)

    def _order(
        self,
        sender: str,
        recipients: list[str],
        key: str | None,
        digest: str | None,
        retry_of: str | None,
    ) -> object:
        self.number += 1
        id = given.message_id(self.now, self.number)
        if key:
            for kept in self._with_key(sender, key):
                if kept.accepted_at <= self.now - DAY:
                    kept.key = None
        expected = self._expected(sender, recipients, key, digest, retry_of)
        more = {"idempotency_key": key, "request_digest": digest, "retry_of": retry_of}
        assert self._reserve(id, sender, recipients, **more) == expected
        if expected:
            return multiple()
        day, charge = utc_day(self.now), self._charge(sender, recipients)
        self.messages[id] = Kept(
            sender,
            day,
            len(recipients),
            charge,
            accepted_at=self.now,
            lease_until=self.now + LEASE,
            key=key,
            digest=digest,
            retry_of=retry_of,
        )
        self.counts[day] = self.counts.get(day, 0) + len(recipients)
        if charge:
            self.balances[sender] = self.balances.get(sender, self.default) - charge
        return id

    def _with_key(self, sender: str, key: str) -> list[Kept]:
        return [k for k in self.messages.values() if (k.sender, k.key) == (sender, key)]

    @rule(id=ids, recipients=st.lists(st.sampled_from(_RECIPIENTS), min_size=1, unique=True))
    def reserve_again(self, id: str, recipients: list[str]) -> None:
        if id in self.messages:
            assert self._reserve(id, self.messages[id].sender, recipients) is None

    @rule(id=ids, claimant=st.sampled_from(["w1", "w2"]))
    def claim(self, id: str, claimant: str) -> None:
        kept = self.messages.get(id)
        self.claims += 1
        got = run(
            claim(
                self.database,
                id,
                claimant=f"{claimant}, {self.claims}",
                now=self.now,
                lease_until=self.now + LEASE,
            )
        )
        if kept is None or kept.status != "queued" or kept.due_at > self.now:
            assert got is None
            return
        kept.status, kept.lease_until = "sending", self.now + LEASE
        kept.attempt += 1
        assert got is not None
        assert (got[0].attempt, got[0].accepted_at) == (kept.attempt, kept.accepted_at)
        assert str(got[1].sender) == kept.sender
        assert len(got[1].recipients) == kept.recipients

    @rule(
        id=ids,
        news=st.sampled_from(["sent", "refused", "deferred", "lost", "cancelled"]),
        attempt=st.sampled_from([0, 0, 0, 0, -1, 1]),
        delay=st.sampled_from([0, 30_000, DAY]),
        frees_key=st.booleans(),
    )
    def tell(self, id: str, news: News, attempt: int, delay: int, frees_key: bool) -> None:
        """News of the present attempt, the one before it or the one after it."""
        kept = self.messages.get(id) or replace(self.removed[id], answer=(200, None))
        frees_key = frees_key and news == "refused"
        answer = None if frees_key else _ANSWERS.get(news)
        about = Confirmation(
            id=id,
            attempt=kept.attempt + attempt,
            now=self.now,
            next_attempt_at=self.now + delay,
            answer_status=answer[0] if answer else None,
            answer_code=answer[1] if answer else None,
            frees_key=frees_key,
        )
        run(confirm(self.database, news, about))
        if attempt or id in self.removed:
            return
        if frees_key and kept.answer is None:
            kept.key = kept.retry_of = None
        step = TRANSITIONS.get((kept.status, news))
        if step is None:
            return
        if (kept.status, news) == ("unknown", "deferred"):
            answer = (502, None)  # it has failed: 202 would promise another attempt
        kept.status = step.target
        kept.answer = kept.answer or answer
        kept.history.append("deferred" if step.target == "queued" else step.target)
        if step.target == "queued":
            kept.due_at = self.now + delay
        else:
            kept.finished_at = self.now
        if step.gives_back:
            kept.given_back += 1
            self.counts[kept.day] -= kept.recipients
            if kept.charge:
                self.balances[kept.sender] += kept.charge

    @rule(days=st.sampled_from([0, 0, 2]), metadata_days=st.sampled_from([0, 0, 3]))
    def sweep(self, days: int, metadata_days: int) -> None:
        run(
            sweep(
                self.database,
                now=self.now,
                retention_days=days,
                retention_metadata_days=metadata_days,
            )
        )
        for id, kept in [*self.messages.items()]:
            if kept.status == "sending" and kept.lease_until <= self.now:
                kept.status = "unknown"
                kept.history.append("unknown")
                kept.finished_at = self.now
            age = self.now - kept.accepted_at
            if age > DAY:
                kept.key = None
            if kept.status in FINAL:
                since_end = self.now - kept.finished_at
                if days and age > days * DAY and since_end >= days * DAY:
                    kept.has_bodies = False
                if metadata_days and age > metadata_days * DAY and since_end >= metadata_days * DAY:
                    self.removed[id] = self.messages.pop(id)

    @rule()
    def look_for_what_is_due(self) -> None:
        due = [(k.due_at, id) for id, k in self.messages.items() if k.status == "queued"]
        expected = {id for time, id in due if time <= self.now}
        assert set(run(due_messages(self.database, now=self.now))) == expected

    @rule(id=consumes(ids))
    def forget(self, id: str) -> None:
        """Leave a message as it is, so that later rules meet others."""

    def _reserve(
        self, id: str, sender: str, recipients: list[str], **more: Any
    ) -> str | Earlier | None:
        mail = given.message(*recipients, sender=sender)
        reservation = given.reservation(
            self.credentials[sender], id, default_balance=self.default, now=self.now, **more
        )
        try:
            return run(reserve(self.database, mail, reservation))
        except Refusal as refusal:
            return refusal.code

    def _expected(
        self,
        sender: str,
        recipients: list[str],
        key: str | None,
        digest: str | None,
        retry_of: str | None,
    ) -> str | Earlier | None:
        for id, kept in self.messages.items():
            if key and (kept.sender, kept.key) == (sender, key):
                if kept.digest != digest:
                    return "idempotency_key_reused"
                if kept.status == "sending" and kept.answer is None:
                    return "idempotency_in_flight"
                answer = kept.answer or (502, "outcome_unknown")
                return Earlier(id, kept.status, None, *answer, replayed=True)
        if retry_of and any(kept.retry_of == retry_of for kept in self.messages.values()):
            return "already_retried"
        return self._refusal(sender, recipients)

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
            id: (None, kept.recipients) for id, kept in self.messages.items()
        }

    @invariant()
    def attempts_keys_and_bodies_agree(self) -> None:
        rows = self.database.query(
            "SELECT id, attempt, idempotency_key, answer_status, answer_code,"
            " EXISTS (SELECT 1 FROM bodies WHERE message_id = id) AS has_bodies FROM messages"
        )
        assert {row.pop("id"): tuple(row.values()) for row in rows} == {
            id: (kept.attempt, kept.key, *(kept.answer or (None, None)), kept.has_bodies)
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
        for kept in [*self.messages.values(), *self.removed.values()]:
            assert kept.given_back == (kept.status in ("failed", "cancelled"))


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
