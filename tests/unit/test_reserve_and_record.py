"""Reserve, claim, record and sweep in any order and number, against a simple model."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec
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
from accounts.sending_limits import RateLimit, RateState
from clock import utc_day
from errors import ApiError
from mail.lifecycle import FINAL, TRANSITIONS, Event, ReportedAs, Status
from mail.submission import Attempt, SubmissionResult
from store.due import due_messages
from store.record import StatusUpdate, record
from store.reserve import Reserved, find_earlier
from store.schedule import cancel, reschedule
from tests.unit import given
from tests.unit.given import DAY, LEASE
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run
from tests.unit.steps import claim, sweep

T = TypeVar("T")

_KEYS = ["k1", "k2"]
_DIGESTS = ["d1", "d2"]
_REPORTS: dict[Event, ReportedAs] = {
    "accepted": "sent",
    "deferred": "queued",
    "rejected": "failed",
    "timed_out": "unknown",
}
_MINUTE = 60_000
_FILE = given.file(b"\0 or more")
_RECIPIENTS = [f"r{number}@example.org" for number in range(4)]
_SANDBOX_RECIPIENTS = ["delivered@test.invalid", "bounced@test.invalid"]
_SENDERS = ["a@example.com", "b@example.com"]

_key = st.none() | st.sampled_from(_KEYS)
_recipients = st.lists(st.sampled_from(_RECIPIENTS), min_size=1, max_size=4, unique=True)


@dataclass(frozen=True)
class Mail:
    """A message to reserve, and its first status. It is due after ``delay`` milliseconds."""

    recipients: list[str]
    status: Literal["sending", "queued", "scheduled"] = "sending"
    delay: int = 0
    has_file: bool = False

    @property
    def is_scheduled(self) -> bool:
        return self.status == "scheduled"

    @property
    def is_sandbox(self) -> bool:
        return self.recipients[0] in _SANDBOX_RECIPIENTS

    @property
    def stores_file(self) -> bool:
        return self.has_file and not self.is_sandbox


_mails = st.builds(
    Mail,
    recipients=_recipients | st.just(_SANDBOX_RECIPIENTS),
    status=st.sampled_from(["sending", "sending", "queued", "scheduled"]),
    delay=st.sampled_from([0, _MINUTE, DAY]),
    has_file=st.booleans(),
)


@dataclass
class Kept:
    """An accepted message in the model."""

    sender: str
    mail: Mail
    day: str
    charge: int
    accepted_at: int
    status: Status
    attempt: int
    lease_until: int = 0
    due_at: int = 0
    key: str | None = None
    digest: str | None = None
    retry_of: str | None = None
    batch: tuple[str, ...] | None = None
    reported_as: ReportedAs | None = None
    provider_code: str | None = None
    finished_at: int = 0
    history: list[str] = field(default_factory=list)
    refunded: int = 0
    was_claimed: bool = False
    has_bodies: bool = True
    has_parts: bool = False

    @property
    def counted(self) -> int:
        return 0 if self.mail.is_sandbox else len(self.mail.recipients)

    def end(self, status: Status, now: int) -> None:
        self.status, self.finished_at, self.has_parts = status, now, False


class Submitting(RuleBasedStateMachine):
    """The model: accepted messages, balances, and counts."""

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
        self.batches: list[tuple[str, list[Attempt], bool, tuple[str | None, ...]]] = []
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
        self.rate: RateLimit | None = None
        self.windows: dict[str, tuple[int, int]] = {}

    # Administrators and time

    @rule(milliseconds=st.sampled_from([1, 60_000, LEASE, DAY // 2, DAY - 1, DAY, 2 * DAY]))
    def pass_time(self, milliseconds: int) -> None:
        self.now += milliseconds

    @rule(sender=st.sampled_from(_SENDERS), balance=st.integers(0, 6), enabled=st.booleans())
    def set_balance(self, sender: str, balance: int, enabled: bool) -> None:
        given.set_balance(self.database, self.credentials[sender], balance, enabled=enabled)
        self.balances[sender] = balance
        (self.disabled.discard if enabled else self.disabled.add)(sender)

    @rule(daily=st.none() | st.integers(-1, 8), monthly=st.none() | st.integers(-1, 12))
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

    @rule(rate=st.none() | st.builds(RateLimit, st.integers(1, 5), st.sampled_from([60, 3600])))
    def set_rate(self, rate: RateLimit | None) -> None:
        self.rate = rate

    def _toggle(self, name: str, members: set[str], value: str) -> None:
        if value in members:
            sql = "DELETE FROM list_entries WHERE list = ? AND value = ?"
            self.database.query(sql, name, value)
        else:
            given.listed(self.database, name, value)
        members ^= {value}

    # The service

    @rule(target=ids, sender=st.sampled_from(_SENDERS), mail=_mails, key=_key)
    def send(self, sender: str, mail: Mail, key: str | None) -> object:
        return self._submit(sender, [mail], key=key)

    @rule(target=ids, id=ids, key=_key, recipients=_recipients)
    def send_again(self, id: str, key: str | None, recipients: list[str]) -> object:
        sender = (self.messages.get(id) or self.removed[id]).sender
        return self._submit(sender, [Mail(recipients)], key=key, retry_of=id)

    @rule(
        target=ids,
        sender=st.sampled_from(_SENDERS),
        mails=st.lists(_mails, min_size=1, max_size=5),
        permissive=st.booleans(),
        key=_key,
        digest=st.sampled_from(_DIGESTS),
    )
    def send_batch(
        self, sender: str, mails: list[Mail], permissive: bool, key: str | None, digest: str
    ) -> object:
        return self._submit(
            sender, mails, key=key, digest=digest, is_batch=True, permissive=permissive
        )

    def _submit(
        self,
        sender: str,
        mails: list[Mail],
        *,
        key: str | None,
        digest: str = _DIGESTS[0],
        retry_of: str | None = None,
        is_batch: bool = False,
        permissive: bool = False,
    ) -> object:
        attempts = [self._attempt(sender, mail) for mail in mails]
        for kept in self._with_key(sender, key):
            if kept.accepted_at <= self.now - DAY:
                kept.key = None
        earlier = self._earlier(sender, key, digest)
        errors = self._errors(sender, mails, retry_of)
        kept_all = permissive or not any(errors)
        accepted = [] if earlier else [n for n, it in enumerate(errors) if kept_all and not it]
        expected = earlier or tuple(errors)
        rate = self._rate(sender, 0 if isinstance(earlier, str) else len(accepted))
        more = {
            "idempotency_key": key,
            "request_digest": digest if key else None,
            "retry_of": retry_of,
        }
        reserved = self._reserve(sender, attempts, is_batch=is_batch, permissive=permissive, **more)
        assert reserved == (expected if isinstance(earlier, str) else (expected, rate))
        if not accepted:
            return multiple()
        reported = tuple(it or one.id for one, it in zip(attempts, errors, strict=True))
        if is_batch:
            self.batches.append((sender, attempts, permissive, tuple(errors)))
        for number in accepted:
            is_first = number == accepted[0]
            self._keep(sender, attempts[number], mails[number])
            kept = self.messages[attempts[number].id]
            kept.retry_of = retry_of
            kept.key = key if is_first else None
            kept.digest = digest
            kept.batch = reported if is_batch and is_first else None
        if self.rate:
            started, used = self._window(sender)
            self.windows[sender] = (started, used + len(accepted))
        return multiple(*(attempts[number].id for number in accepted))

    def _attempt(self, sender: str, mail: Mail) -> Attempt:
        self.number += 1
        id = given.message_id(self.now, self.number)
        files = (_FILE,) if mail.has_file else ()
        due_at = None if mail.status == "sending" else self.now + mail.delay
        message = given.message(
            *mail.recipients,
            sender=sender,
            attachments=files,
            scheduled_at=due_at if mail.is_scheduled else None,
        )
        return given.attempt(message, id, status=mail.status, due_at=due_at)

    def _keep(self, sender: str, attempt: Attempt, mail: Mail) -> None:
        kept = self.messages[attempt.id] = Kept(
            sender,
            mail,
            day=utc_day(self.now),
            charge=self._charge(sender, mail),
            accepted_at=self.now,
            status=attempt.status,
            attempt=int(attempt.status == "sending"),
            lease_until=self.now + LEASE,
            due_at=attempt.due_at or 0,
            has_parts=mail.stores_file and attempt.status != "sending",
        )
        if kept.counted:
            self.counts[kept.day] = self.counts.get(kept.day, 0) + kept.counted
        if kept.charge:
            self.balances[sender] = self.balances.get(sender, self.default) - kept.charge

    def _with_key(self, sender: str, key: str | None) -> list[Kept]:
        return [k for k in self.messages.values() if key and (k.sender, k.key) == (sender, key)]

    @rule(data=st.data())
    def repeat_a_reserved_batch(self, data: st.DataObject) -> None:
        whole = [
            batch
            for batch in self.batches
            if not any(attempt.id in self.removed for attempt in batch[1])
        ]
        if whole:
            sender, attempts, permissive, errors = data.draw(st.sampled_from(whole))
            rate = self._rate(sender, 0)
            reserved = self._reserve(sender, attempts, is_batch=True, permissive=permissive)
            assert reserved == (errors, rate)

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
        waits = kept is not None and kept.status in ("queued", "scheduled")
        if kept is None or not waits or kept.due_at > self.now:
            assert got is None
            return
        kept.status, kept.lease_until = "sending", self.now + LEASE
        kept.attempt += 1
        kept.was_claimed = True
        assert got is not None
        assert got.number == kept.attempt
        assert str(got.message.sender) == kept.sender
        assert [str(to.address) for to in got.message.recipients] == kept.mail.recipients
        file = _FILE if kept.mail.stores_file else msgspec.structs.replace(_FILE, content=b"")
        assert got.message.attachments == ((file,) if kept.mail.has_file else ())

    @rule(
        id=ids,
        others=st.lists(ids, max_size=2),
        kinds=st.tuples(*[st.sampled_from(["accepted", "rejected", "deferred", "timed_out"])] * 3),
        attempt=st.sampled_from([0, 0, 0, 0, -1, 1]),
        delay=st.sampled_from([0, 30_000, DAY]),
    )
    def record_events(
        self, id: str, others: list[str], kinds: tuple[Event, ...], attempt: int, delay: int
    ) -> None:
        """Record events of the current attempts, or of earlier or later attempts."""
        self._record(
            [
                StatusUpdate(
                    id=id,
                    event=kind,
                    attempt=(self.messages.get(id) or self.removed[id]).attempt + attempt,
                    now=self.now,
                    next_attempt_at=self.now + delay,
                    provider_code="E_X" if kind == "rejected" else None,
                    reported_as=_REPORTS[kind],
                )
                for id, kind in zip({id, *others}, kinds, strict=False)
            ]
        )

    @rule(id=ids, others=st.lists(ids, max_size=3))
    def undo(self, id: str, others: list[str]) -> None:
        """Undo submissions, as the service does when the response of reserve is lost."""
        self._record(
            [
                StatusUpdate(id=id, event="rejected", attempt=1, now=self.now, undo=True)
                if (self.messages.get(id) or self.removed[id]).mail.status == "sending"
                else StatusUpdate(id=id, event="cancelled", now=self.now, undo=True)
                for id in {id, *others}
            ]
        )

    def _record(self, updates: list[StatusUpdate]) -> None:
        messages = {about.id: self.messages.get(about.id) for about in updates}
        queued = [
            (id, given.message(attachments=(_FILE,)))
            for id, kept in messages.items()
            if kept and kept.mail.stores_file
        ]
        statuses = run(record(self.database, updates, queued=queued))
        is_undone = not any(
            kept and (kept.reported_as or kept.was_claimed) for kept in messages.values()
        )
        for about in updates:
            kept = messages[about.id]
            if kept is not None:
                self._record_one(kept, about, is_undone)
        assert statuses == {id: kept.status for id, kept in messages.items() if kept}

    def _record_one(self, kept: Kept, about: StatusUpdate, is_undone: bool) -> None:
        if kept.mail.stores_file and kept.status == "sending":
            kept.has_parts = True
        if about.attempt not in (None, kept.attempt) or (about.undo and not is_undone):
            return
        if about.undo:
            kept.key = kept.retry_of = None
        step = TRANSITIONS.get((kept.status, about.event))
        if step is None:
            return
        reported_as = about.reported_as
        if (kept.status, about.event) == ("unknown", "deferred"):
            reported_as = "failed"  # "queued" would promise another attempt
        kept.reported_as = kept.reported_as or reported_as
        kept.provider_code = about.provider_code
        kept.history.append("deferred" if step.target == "queued" else step.target)
        if step.target == "queued":
            kept.status, kept.due_at = "queued", about.next_attempt_at or 0
        else:
            kept.end(step.target, self.now)
        if step.refunds:
            self._refund(kept)

    def _refund(self, kept: Kept) -> None:
        kept.refunded += 1
        if kept.counted:
            self.counts[kept.day] -= kept.counted
        if kept.charge:
            self.balances[kept.sender] += kept.charge

    @rule(id=ids, sender=st.sampled_from(_SENDERS))
    def cancel(self, id: str, sender: str) -> None:
        kept = self.messages.get(id)
        code = _outcome(cancel(self.database, self.credentials[sender], id, now=self.now))
        if kept is None or kept.sender != sender:
            assert code == "message_not_found"
        elif kept.status in ("queued", "scheduled"):
            assert code is None
            kept.history.append("cancelled")
            kept.end("cancelled", self.now)
            self._refund(kept)
        else:
            assert code == (None if kept.status == "cancelled" else "not_cancellable")

    @rule(id=ids, sender=st.sampled_from(_SENDERS), delay=st.sampled_from([0, _MINUTE, 2 * DAY]))
    def reschedule(self, id: str, sender: str, delay: int) -> None:
        kept, due_at = self.messages.get(id), self.now + delay
        change = reschedule(
            self.database, self.credentials[sender], id, due_at=due_at, now=self.now
        )
        code = _outcome(change)  # or False: no address has many waiting messages
        if kept is None or kept.sender != sender:
            assert code == "message_not_found"
        elif kept.status != "scheduled":
            assert code == "not_scheduled"
        else:
            assert code is False
            if kept.due_at != due_at:
                kept.history.append("rescheduled")
            kept.due_at = due_at

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
                kept.end("unknown", self.now)
                kept.history.append("unknown")
            age = self.now - kept.accepted_at
            if age > DAY:
                kept.key = None
                kept.has_bodies = kept.has_bodies and not kept.mail.is_sandbox
            if kept.status in FINAL:
                since_end = self.now - kept.finished_at
                if days and age > days * DAY and since_end >= days * DAY:
                    kept.has_bodies = False
                if metadata_days and age > metadata_days * DAY and since_end >= metadata_days * DAY:
                    self.removed[id] = self.messages.pop(id)

    @rule()
    def find_due_messages(self) -> None:
        ahead: dict[Status, int] = {"queued": 0, "scheduled": _MINUTE}
        expected = {
            (id, kept.due_at)
            for id, kept in self.messages.items()
            if kept.status in ahead and kept.due_at <= self.now + ahead[kept.status]
        }
        assert set(run(due_messages(self.database, now=self.now))) == expected

    @rule(sender=st.sampled_from(_SENDERS), key=st.sampled_from(_KEYS))
    def look_up_key(self, sender: str, key: str) -> None:
        held = [kept.accepted_at > self.now - DAY for kept in self._with_key(sender, key)]
        # Marks the result as reported even if the key has expired.
        found = self._earlier(sender, key, _DIGESTS[0])
        expected = found if any(held) else None
        credential, digest = self.credentials[sender], _DIGESTS[0]
        asked = find_earlier(self.database, credential, key=key, digest=digest, now=self.now)
        assert _comparable(_outcome(asked)) == expected

    @rule(id=consumes(ids))
    def forget(self, id: str) -> None:
        """Remove an id from the bundle, so that later rules use other messages."""

    def _reserve(
        self, sender: str, attempts: list[Attempt], *, is_batch: bool, **more: Any
    ) -> object:
        try:
            reserved: Reserved = given.reserve(
                self.database,
                attempts,
                self.credentials[sender],
                default_balance=self.default,
                now=self.now,
                rate_limit=self.rate,
                reports="acceptance" if is_batch else "outcome",
                **more,
            )
        except ApiError as error:
            return error.code
        codes = tuple(error and error.code for error in reserved.errors)
        return _comparable(reserved.earlier) or codes, reserved.rate

    def _earlier(self, sender: str, key: str | None, digest: str) -> object:
        """The result of a repeated request with this key, or None. Marks it as reported."""
        for id, kept in self.messages.items():
            if key and (kept.sender, kept.key) == (sender, key):
                if kept.digest != digest:
                    return "idempotency_key_reused"
                if kept.mail.is_scheduled or kept.batch:
                    kept.reported_as = kept.reported_as or "queued"
                if kept.batch:
                    return kept.batch
                if kept.mail.is_scheduled:
                    return SubmissionResult(id=id, status=kept.status, replayed=True)
                if kept.status == "sending" and kept.reported_as is None:
                    return "idempotency_in_flight"
                reported_as = kept.reported_as or "unknown"
                codes = {"failed": kept.provider_code, "unknown": "outcome_unknown"}
                return SubmissionResult(
                    id=id,
                    status=kept.status,
                    reported_as=reported_as,
                    code=codes.get(reported_as),
                    replayed=True,
                )
        return None

    def _charge(self, sender: str, mail: Mail) -> int:
        free = mail.is_sandbox or sender in self.unlimited
        return 0 if free else len(set(mail.recipients) - self.verified)

    def _errors(self, sender: str, mails: list[Mail], retry_of: str | None) -> list[str | None]:
        """The code of the error of each message, or None.

        Earlier messages of the batch use up balance and limits, even if they exceed them. Only
        messages to blocked or suppressed recipients use up nothing.
        """
        if retry_of and any(kept.retry_of == retry_of for kept in self.messages.values()):
            return ["already_retried"] * len(mails)
        left = 0 if sender in self.disabled else self.balances.get(sender, self.default)
        today = utc_day(self.now)
        day = self.counts.get(today, 0)
        month = sum(n for day, n in self.counts.items() if day[:7] == today[:7] and day <= today)
        used = self._window(sender)[1]
        errors: list[str | None] = []
        for mail in mails:
            charge = self._charge(sender, mail)
            counted = 0 if mail.is_sandbox else len(mail.recipients)
            listed = None
            if self.blocked & set(mail.recipients):
                listed = "address_blocked"
            elif self.suppressed & set(mail.recipients):
                listed = "recipient_suppressed"
            if self.rate and used + 1 > self.rate.quota:
                errors.append("rate_limit_exceeded")
            elif charge and charge > left:
                errors.append("no_balance")
            elif listed:
                errors.append(listed)
            elif counted and self.daily is not None and day + counted > self.daily:
                errors.append("daily_quota_reached")
            elif counted and self.monthly is not None and month + counted > self.monthly:
                errors.append("monthly_quota_reached")
            else:
                errors.append(None)
                left, day, month, used = left - charge, day + counted, month + counted, used + 1
        return errors

    def _window(self, sender: str) -> tuple[int, int]:
        """The start of the current rate window in Unix milliseconds, and its number of messages."""
        started, used = self.windows.get(sender, (0, 0))
        if self.rate and started > self.now - self.rate.seconds * 1000:
            return started, used
        return self.now, 0

    def _rate(self, sender: str, accepted: int) -> RateState | None:
        if self.rate is None:
            return None
        started, used = self._window(sender)
        left = started + self.rate.seconds * 1000 - self.now
        return RateState(max(0, self.rate.quota - used) - accepted, max(1, -(-left // 1000)))

    # Invariants

    @invariant()
    def messages_agree(self) -> None:
        rows = self.database.query(
            "SELECT id, status, recipients, charge, is_sandbox, next_attempt_at FROM messages"
        )
        assert {row.pop("id"): tuple(row.values()) for row in rows} == {
            id: (
                kept.status,
                len(kept.mail.recipients),
                kept.charge,
                kept.mail.is_sandbox,
                kept.due_at if kept.status in ("queued", "scheduled") else None,
            )
            for id, kept in self.messages.items()
        }

    @invariant()
    def histories_agree(self) -> None:
        histories: dict[str, list[str]] = {id: [] for id in self.messages}
        for row in self.database.query("SELECT * FROM events ORDER BY message_id, sequence"):
            histories[row["message_id"]].append(row["kind"])
        assert histories == {id: kept.history for id, kept in self.messages.items()}

    @invariant()
    def deliveries_agree(self) -> None:
        rows = self.database.query(
            "SELECT message_id, count(*) AS count FROM deliveries GROUP BY 1"
        )
        assert {row["message_id"]: row["count"] for row in rows} == {
            id: len(kept.mail.recipients) for id, kept in self.messages.items()
        }

    @invariant()
    def attempts_keys_and_contents_agree(self) -> None:
        rows = self.database.query(
            "SELECT id, attempt, idempotency_key, reported_as,"
            " EXISTS (SELECT 1 FROM bodies WHERE message_id = id) AS has_bodies,"
            " EXISTS (SELECT 1 FROM attachment_parts WHERE message_id = id) AS has_parts"
            " FROM messages"
        )
        assert {row.pop("id"): tuple(row.values()) for row in rows} == {
            id: (*(kept.attempt, kept.key, kept.reported_as), *(kept.has_bodies, kept.has_parts))
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
    def windows_agree(self) -> None:
        rows = self.database.query(
            "SELECT name, started_at, used FROM rate_windows JOIN addresses ON id = address_id"
        )
        assert {row["name"]: (row["started_at"], row["used"]) for row in rows} == self.windows

    @invariant()
    def a_charge_is_refunded_at_most_once(self) -> None:
        for kept in [*self.messages.values(), *self.removed.values()]:
            assert kept.refunded == (kept.status in ("failed", "cancelled"))


def _outcome(change: Coroutine[Any, Any, T]) -> T | str:
    """The result of ``change``, or the code of its error."""
    try:
        return run(change)
    except ApiError as error:
        return error.code


def _comparable(earlier: list[SubmissionResult] | str | None) -> object:
    """The result of one message; for a batch, the id or the error code of each message.

    Codes replace the errors, because two errors of the same code are not equal.
    """
    if earlier is None or isinstance(earlier, str):
        return earlier
    assert all(result.replayed for result in earlier)
    if len(earlier) == 1 and earlier[0].status is not None:
        return earlier[0]
    assert all(result.status is None for result in earlier)  # results of a batch have no status
    return tuple(result.error.code if result.error else result.id for result in earlier)


TestSubmitting = Submitting.TestCase
TestSubmitting.settings = settings(stateful_step_count=30, deadline=None)
