"""The life of a message: every interleaving of all who act on it, over the table of transitions.

The model is a row (status, attempt, how often its charge was refunded) and its actors: the worker
that reserved it, two workers that the queue calls for it, the sweeper, a canceller, and the late
answers of the provider to those who have given up waiting. An actor's next step may come at any
time, however long after its last one, and any actor may die before it. So a worker may lose its
lease before, during and after its call of the provider, and the sweeper may come at any time at
which the row is ``sending``. Every batch of a worker may also run twice, the second time at any
time after the first: so it is where the database's answer is lost.

What an interleaving leaves behind is a ``World``, and what may follow depends on nothing else;
so the walk visits every world once, and with that has made every step of every interleaving.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any, NamedTuple, get_args

import pytest

from accounts.credentials import Credential
from mail.lifecycle import FINAL, TRANSITIONS, Event, Status, Transition, transitions_on
from store.claim import claim
from store.database import Row
from store.record import StatusUpdate, record
from store.sweep import due_messages, sweep
from tests.unit import given
from tests.unit.given import NOW, TODAY
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run

WAITING = frozenset({"scheduled", "queued"})
OF_AN_ATTEMPT: tuple[Event, ...] = ("accepted", "rejected", "deferred", "timed_out")


class Mail(NamedTuple):
    """The row, as the model has it."""

    status: Status
    attempt: int
    refunded: int = 0

    def told(self, event: Event, attempt: int | None = None) -> "Mail":
        """The row after ``event``; one of an attempt applies to the present attempt alone."""
        step = TRANSITIONS.get((self.status, event))
        if step is None or (event in OF_AN_ATTEMPT and attempt != self.attempt):
            return self
        return Mail(step.target, self.attempt + (event == "claimed"), self.refunded + step.refunds)


class Worker(NamedTuple):
    """An actor: what it has come to, with its attempt, and what the provider answers it.

    It is ``idle``; it is ``claiming``, its batch having run once; it ``holds`` an attempt; it
    ``called`` the provider; it is ``telling`` that it has given up, and then ``waits`` for a late
    answer; it is ``ending`` with the answer; it is ``done``, or has died, which is the same.
    """

    phase: str = "idle"
    attempt: int = 0
    answer: str = ""


DONE = Worker("done")

# What the provider may do with a call: the first three are answers, which may come in time, come
# late, or be lost with their worker. ``taken`` and ``not taken`` is never answered.
ANSWERS: tuple[Event, ...] = ("accepted", "rejected", "deferred")
OUTCOMES = (*ANSWERS, "taken", "not taken")
TAKEN = frozenset({"accepted", "taken"})
KNOWN_NOT_TAKEN = frozenset({"rejected", "deferred"})


@dataclass(frozen=True, slots=True)
class World:
    """The row, the workers, and the outcome of each call of the provider by attempt."""

    mail: Mail
    workers: tuple[Worker, ...]
    calls: tuple[tuple[int, str], ...] = ()

    def after(self, index: int, worker: Worker, mail: Mail | None = None) -> "World":
        workers = (*self.workers[:index], worker, *self.workers[index + 1 :])
        return replace(self, mail=mail or self.mail, workers=workers)


class Move(NamedTuple):
    """A step of an actor, and the event that it brings to the row, if any."""

    actor: str
    event: Event | None
    attempt: int
    world: World
    call: str = ""


IMMEDIATE = World(Mail("sending", 1), (Worker("holds", 1), Worker(), Worker()))
SCHEDULED = World(Mail("scheduled", 0), (Worker(), Worker(), Worker()))
STARTS = (IMMEDIATE, SCHEDULED)
each_start = pytest.mark.parametrize("start", STARTS, ids=["immediate", "scheduled"])


def moves(world: World) -> Iterator[Move]:
    """Every step that some actor may take next; steps that change nothing are no steps."""
    mail = world.mail
    for index, worker in enumerate(world.workers):
        for move in _worker_moves(world, index, worker):
            assert move.world != world
            yield move
    if mail.status == "sending":  # and its lease is over
        yield Move(
            "sweeper", "timed_out", mail.attempt, _with(world, mail.told("timed_out", mail.attempt))
        )
    if mail.told("cancelled") != mail:
        yield Move("canceller", "cancelled", mail.attempt, _with(world, mail.told("cancelled")))
    # Somebody is woken as long as the message waits; its time is over at last, and what would be
    # deferred is rejected then (tests of retries.py show when).
    if mail.status in WAITING and all(worker == DONE for worker in world.workers):
        claimed = mail.told("claimed")
        last = Worker("holds at last", claimed.attempt)
        yield Move("last", "claimed", mail.attempt, replace(world, mail=claimed, workers=(last,)))


def _with(world: World, mail: Mail) -> World:
    return replace(world, mail=mail)


def _worker_moves(world: World, index: int, worker: Worker) -> Iterator[Move]:
    mail, name = world.mail, f"worker {index}"
    phase, attempt, answer = worker
    if worker == DONE:
        return
    if phase == "idle":
        claimed = mail.told("claimed")
        held = claimed.attempt if claimed != mail else 0
        yield Move(name, "claimed", 0, world.after(index, Worker("claiming", held), claimed))
        return
    yield Move(name, None, attempt, world.after(index, DONE))  # it dies
    if phase == "claiming":
        if attempt:
            yield Move(name, None, attempt, world.after(index, Worker("holds", attempt)))
        if attempt == mail.attempt and mail.status == "sending":  # it finds its own claim
            again = world.after(index, Worker("holds", attempt))
            yield Move(name, "claimed", attempt, again)
        else:
            claimed = mail.told("claimed")
            got = Worker("holds", claimed.attempt) if claimed != mail else DONE
            yield Move(name, "claimed", 0, world.after(index, got, claimed))
    if phase in ("holds", "holds at last"):
        for outcome in OUTCOMES:
            if (phase, outcome) == ("holds at last", "deferred"):
                continue
            calling = world.after(index, Worker("called", attempt, outcome))
            calls = (*world.calls, (attempt, outcome))
            yield Move(name, None, attempt, replace(calling, calls=calls), call=outcome)
        if attempt == 1:  # the answer of reserve was lost: its submission is undone
            told = mail.told("rejected", attempt)
            ending = Worker("ending", attempt, "rejected")
            yield Move(name, "rejected", attempt, world.after(index, ending, told))
    if phase in ("called", "telling"):
        told = mail.told("timed_out", attempt)
        then = Worker("telling" if phase == "called" else "waits", attempt, answer)
        yield Move(name, "timed_out", attempt, world.after(index, then, told))
    if phase == "telling":
        yield Move(name, None, attempt, world.after(index, Worker("waits", attempt, answer)))
    if phase in ("called", "waits", "ending"):
        for event in ANSWERS:
            if event == answer:
                told = mail.told(event, attempt)
                then = DONE if phase == "ending" else Worker("ending", attempt, answer)
                yield Move(name, event, attempt, world.after(index, then, told))


class Walk(NamedTuple):
    """Every world that may come to be, and every move between two of them."""

    worlds: dict[World, list[Move]]

    @property
    def edges(self) -> Iterator[tuple[World, Move]]:
        return ((world, move) for world, moves in self.worlds.items() for move in moves)


def everything(starts: tuple[World, ...] = STARTS) -> Walk:
    """The walk by the table as it stands."""
    worlds: dict[World, list[Move]] = {}
    left = list(starts)
    while left:
        world = left.pop()
        if world not in worlds:
            worlds[world] = list(moves(world))
            left += [move.world for move in worlds[world]]
            assert world.mail.attempt < 6, "there is no end to its attempts"
    return Walk(worlds)


@cache
def walk() -> Walk:
    return everything()


@cache
def reached(start: World) -> set[World]:
    return set(everything((start,)).worlds)


def interleavings(start: World) -> int:
    """How many there are; each has an end, or this would not come to one."""
    worlds = walk().worlds
    ways: dict[World, int] = {}
    stack = [start]
    while stack:
        missing = [m.world for m in worlds[stack[-1]] if m.world not in ways]
        if missing:
            stack += missing
        else:
            world = stack.pop()
            ways[world] = sum(ways[move.world] for move in worlds[world]) or 1
    return ways[start]


@each_start
def test_the_walk_covers_millions_of_interleavings(start: World) -> None:
    assert interleavings(start) > 5_000_000


def test_every_transition_is_reachable() -> None:
    made = {
        (world.mail.status, move.event)
        for world, move in walk().edges
        if move.event and world.mail != move.world.mail
    }
    assert made == set(TRANSITIONS)


def test_every_status_is_reachable() -> None:
    assert {world.mail.status for world in walk().worlds} == set(get_args(Status))


def the_provider_is_not_called_while_it_may_have_taken_the_message(walk: Walk) -> None:
    for world, move in walk.edges:
        if move.call:
            assert {outcome for _, outcome in world.calls} <= KNOWN_NOT_TAKEN, (world, move)


def a_message_is_taken_at_most_once(walk: Walk) -> None:
    for world in walk.worlds:
        assert sum(outcome in TAKEN for _, outcome in world.calls) <= 1, world


def an_attempt_calls_the_provider_once(walk: Walk) -> None:
    for world in walk.worlds:
        attempts = [attempt for attempt, _ in world.calls]
        assert attempts == sorted(set(attempts)), world


def an_attempt_is_held_by_one_worker(walk: Walk) -> None:
    for world in walk.worlds:
        held = [worker.attempt for worker in world.workers if worker.attempt]
        assert len(set(held)) == len(held), world
        assert all(attempt <= world.mail.attempt for attempt in held), world


def a_charge_is_refunded_once_and_only_for_what_was_not_sent(walk: Walk) -> None:
    for world in walk.worlds:
        assert world.mail.refunded == (world.mail.status in ("failed", "cancelled")), world


def what_the_provider_took_is_not_refunded(walk: Walk) -> None:
    for world in walk.worlds:
        if any(outcome in TAKEN for _, outcome in world.calls):
            assert world.mail.status in ("sending", "sent", "unknown"), world
            assert world.mail.refunded == 0, world


def sent_is_said_only_of_what_the_provider_took(walk: Walk) -> None:
    for world in walk.worlds:
        if world.mail.status == "sent":
            assert [outcome for _, outcome in world.calls][-1:] == ["accepted"], world


def final_states_are_left_by_corrections_alone(walk: Walk) -> None:
    corrections = {(s, n, step.target) for (s, n), step in TRANSITIONS.items() if s in FINAL}
    left = {
        (world.mail.status, move.event, move.world.mail.status)
        for world, move in walk.edges
        if world.mail.status in FINAL and world.mail != move.world.mail
    }
    assert left == corrections
    assert left == {
        ("unknown", "accepted", "sent"),
        ("unknown", "rejected", "failed"),
        ("unknown", "deferred", "failed"),
    }


def every_path_ends_in_a_final_state(walk: Walk) -> None:
    ends = Counter(world.mail.status for world, moves in walk.worlds.items() if not moves)
    assert set(ends) == FINAL


def attempt_numbers_grow_with_each_claim_and_not_otherwise(walk: Walk) -> None:
    for world, move in walk.edges:
        claims = world.mail.status in WAITING and move.world.mail.status == "sending"
        assert claims <= (move.event == "claimed"), (world, move)
        assert move.world.mail.attempt == world.mail.attempt + claims, (world, move)


def what_is_known_is_said_at_last(walk: Walk) -> None:
    """Of a call that was answered, and whose worker did not die, nobody says ``unknown``."""
    for world, move in walk.edges:
        if move.event in ANSWERS and move.attempt == world.mail.attempt:
            assert move.world.mail.status != "unknown", (world, move)


PROMISES = (
    the_provider_is_not_called_while_it_may_have_taken_the_message,
    a_message_is_taken_at_most_once,
    an_attempt_calls_the_provider_once,
    an_attempt_is_held_by_one_worker,
    a_charge_is_refunded_once_and_only_for_what_was_not_sent,
    what_the_provider_took_is_not_refunded,
    sent_is_said_only_of_what_the_provider_took,
    final_states_are_left_by_corrections_alone,
    every_path_ends_in_a_final_state,
    attempt_numbers_grow_with_each_claim_and_not_otherwise,
    what_is_known_is_said_at_last,
)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_promise_holds_in_every_interleaving(promise: Callable[[Walk], None]) -> None:
    promise(walk())


@pytest.mark.parametrize(
    ("source", "event", "step"),
    [
        ("sending", "timed_out", Transition("queued")),  # sent again automatically
        ("sending", "timed_out", Transition("failed", refunds=True)),
        ("unknown", "claimed", Transition("sending")),
        ("unknown", "deferred", Transition("queued")),
        ("unknown", "deferred", Transition("failed")),  # charged for what was not sent
        ("unknown", "cancelled", Transition("cancelled", refunds=True)),
        ("unknown", "timed_out", Transition("failed", refunds=True)),
        ("sending", "claimed", Transition("sending")),  # two workers at once
        ("sending", "cancelled", Transition("cancelled", refunds=True)),
        ("sending", "deferred", Transition("queued", refunds=True)),
        ("sending", "accepted", Transition("sent", refunds=True)),
        ("sending", "rejected", Transition("unknown")),
        ("failed", "accepted", Transition("sent")),
        ("failed", "claimed", Transition("sending")),
        ("sent", "rejected", Transition("failed", refunds=True)),
        ("cancelled", "claimed", Transition("sending")),
    ],
    ids=str,
)
def test_a_changed_table_breaks_a_promise(
    monkeypatch: pytest.MonkeyPatch, source: Status, event: Event, step: Transition
) -> None:
    monkeypatch.setitem(TRANSITIONS, (source, event), step)

    def all_promises() -> None:
        wrong = everything()
        for promise in PROMISES:
            promise(wrong)

    with pytest.raises(AssertionError):
        all_promises()


def test_the_table_is_consistent_with_its_types() -> None:
    for source, event in TRANSITIONS:
        assert transitions_on(event)[source] is TRANSITIONS[source, event]
    assert {source for source, _ in TRANSITIONS} | FINAL == set(get_args(Status))
    assert {event for _, event in TRANSITIONS} == set(get_args(Event))
    assert sum(len(transitions_on(event)) for event in get_args(Event)) == len(TRANSITIONS)


# The same in SQL. Time: the step number n comes at NOW + n hours, when every lease is over and
# every deferred message is due.

HOUR = 3_600_000


class Store:
    """The real statements on one message; ``steps`` is how many were made so far."""

    def __init__(self, database: SqliteDatabase, start: World) -> None:
        self.database = database
        self.steps = 0
        self.history: list[tuple[str, int]] = []
        credential: Credential = given.address(database, balance=5)
        self.id = given.message_id(NOW)
        later = given.scheduled(NOW, self.id) if start == SCHEDULED else None
        given.reserved(database, credential, self.id, later)

    def copy(self) -> "Store":
        other = Store.__new__(Store)
        other.database = self.database.copy()
        other.id, other.steps, other.history = self.id, self.steps, [*self.history]
        return other

    def make(self, event: Event, attempt: int, actor: str, before: Mail, after: Mail) -> None:
        """Record ``event`` for ``actor``, and compare the database with the model."""
        self.steps += 1
        now = NOW + self.steps * HOUR
        if event == "claimed":
            self._claim(actor, attempt, now, before, after)
        elif actor == "sweeper":
            run(sweep(self.database, now=now, retention_days=1, retention_metadata_days=0))
        else:
            about = StatusUpdate(
                id=self.id,
                event=event,
                attempt=None if event == "cancelled" else attempt,
                now=now,
                next_attempt_at=now if event == "deferred" else None,
            )
            assert run(record(self.database, [about])) == {self.id: after.status}
        if event != "claimed" and before != after:
            kind = "deferred" if after.status == "queued" else after.status
            self.history.append((kind, before.attempt))
        self.compare(after)

    def _claim(self, actor: str, own: int, now: int, before: Mail, after: Mail) -> None:
        """``own`` is the attempt that the actor claimed before, without hearing of it."""
        due = [id for id, _ in run(due_messages(self.database, now=now))]
        assert due == ([self.id] if before.status in WAITING else [])
        got = run(claim(self.database, self.id, claimant=actor, now=now, lease_until=now + 1))
        assert (got.number if got else 0) == (own or (before != after and after.attempt))

    def compare(self, mail: Mail) -> None:
        (row,) = self.database.query(
            "SELECT status, attempt, lease_until IS NOT NULL AS leased,"
            " next_attempt_at IS NOT NULL AS waits, finished_at IS NOT NULL AS finished"
            " FROM messages"
        )
        expected: Row = {
            "status": mail.status,
            "attempt": mail.attempt,
            "leased": mail.status == "sending",
            "waits": mail.status in WAITING,
            "finished": mail.status in FINAL,
        }
        assert row == expected
        events = self.database.query("SELECT * FROM events ORDER BY sequence")
        assert [event["sequence"] for event in events] == [*range(len(self.history))]
        assert [(event["kind"], event["attempt"]) for event in events] == self.history
        assert self.database.value("SELECT balance FROM send_balances") == 4 + mail.refunded
        count = "SELECT recipients FROM daily_recipients WHERE day = ?"
        assert self.database.value(count, TODAY) == 1 - mail.refunded


@each_start
def test_sql_agrees_with_the_model_on_every_step(start: World) -> None:
    """From every row, each event of each attempt: what the row was told before does not matter."""
    left = [(start.mail, Store(SqliteDatabase(), start))]
    seen = {start.mail}
    while left:
        mail, store = left.pop()
        brought: list[tuple[str, Event, int]] = [
            ("sweeper", "timed_out", mail.attempt),
            (f"worker of attempt {mail.attempt + 1}", "claimed", 0),
            ("canceller", "cancelled", mail.attempt),
            *(("worker", n, a) for n in OF_AN_ATTEMPT for a in range(mail.attempt + 2)),
        ]
        for actor, event, attempt in brought:
            after = mail.told(event, attempt)
            copy = store.copy()
            copy.make(event, attempt, actor, mail, after)
            if after not in seen and after.attempt <= 4:
                seen.add(after)
                left.append((after, copy))
    assert {world.mail for world in reached(start) if world.mail.attempt <= 4} <= seen


@pytest.mark.parametrize("kind", [SqliteDatabase, ForgetfulDatabase], ids=["once", "twice"])
@each_start
def test_sql_agrees_with_the_model_on_random_interleavings(
    kind: type[SqliteDatabase], start: World
) -> None:
    """Whole interleavings, drawn at random, until each of the table's transitions was made."""
    random = Random(20261103)
    made: Counter[Any] = Counter()
    expected = {key for key in TRANSITIONS if start == SCHEDULED or key[0] != "scheduled"}
    interleavings = 0
    while interleavings < 60 or set(made) != expected:
        interleavings += 1
        assert interleavings < 1000
        store = Store(kind(), start)
        store.compare(start.mail)
        world = start
        while True:
            # Deaths are few, or most interleavings would be short.
            all_moves = walk().worlds[world]
            chosen = [m for m in all_moves if m.event or m.call or random.random() < 0.1]
            if not chosen:
                chosen = all_moves
            if not chosen:
                break
            move = random.choice(chosen)
            if move.event:
                attempt, after = move.attempt, move.world.mail
                store.make(move.event, attempt, move.actor, world.mail, after)
                if after != world.mail:
                    made[world.mail.status, move.event] += 1
            world = move.world
        assert world.mail.status in FINAL
