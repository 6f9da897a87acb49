"""The lifecycle of a message: every interleaving of its actors, on the table of transitions.

The model is a row (status, attempt, number of refunds) and its actors: the worker that reserved the
message, two workers of the queue, the sweeper, a canceller, and late responses of the provider. An
actor may take its next step after any delay, and may die before it. So a worker may lose its lease
before, during and after its call of the provider. The sweeper may run whenever the row is
``sending``. Every batch of a worker may run a second time after any delay, because the response of
the database may be lost.

Delivery events are no actor here: ``test_settled_outcomes.py`` tests what they change.

A ``World`` is the state after some steps. The possible next steps depend only on the world. So a
walk that visits every world once takes every step of every interleaving.
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
from store.database import Row
from store.due import due_messages
from store.record import StatusUpdate, record
from tests.unit import given
from tests.unit.given import NOW, TODAY
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase, run
from tests.unit.steps import claim, sweep

WAITING = frozenset({"scheduled", "queued"})
# Delivery events, and other transports (test_failover.py), are no actors of this model.
BY_OTHERS: set[tuple[Status, Event]] = {
    *(("sent", "disproved"), ("failed", "proved")),
    *(("sending", "rerouted"), ("queued", "abandoned")),
}
OF_AN_ATTEMPT: tuple[Event, ...] = ("accepted", "rejected", "deferred", "timed_out")


class Mail(NamedTuple):
    """The row in the model."""

    status: Status
    attempt: int
    refunded: int = 0

    def on(self, event: Event, attempt: int | None = None) -> "Mail":
        """The row after ``event``. Events of an attempt apply only to the current attempt."""
        step = TRANSITIONS.get((self.status, event))
        if step is None or (event in OF_AN_ATTEMPT and attempt != self.attempt):
            return self
        return Mail(step.target, self.attempt + (event == "claimed"), self.refunded + step.refunds)


class Worker(NamedTuple):
    """An actor: its phase, its attempt, and the response of the provider.

    The phases: ``idle``; ``claiming``, after the first run of its batch; ``holds`` an attempt, or
    ``holds at last`` the attempt at the end of the retry period; ``called`` the provider; ``timing
    out``, after the first record of the time-out; ``waits`` for a late response; ``ending``, after
    the first record of the response; ``done``, or dead.
    """

    phase: str = "idle"
    attempt: int = 0
    response: str = ""


DONE = Worker("done")

# The possible results of a call. The first three are responses, which may arrive in time, arrive
# late, or be lost with their worker. ``taken`` and ``not taken`` get no response.
RESPONSES: tuple[Event, ...] = ("accepted", "rejected", "deferred")
OUTCOMES = (*RESPONSES, "taken", "not taken")
TAKEN = frozenset({"accepted", "taken"})
KNOWN_NOT_TAKEN = frozenset({"rejected", "deferred"})


@dataclass(frozen=True, slots=True)
class World:
    """The row, the workers, and for each call of the provider its attempt and outcome."""

    mail: Mail
    workers: tuple[Worker, ...]
    calls: tuple[tuple[int, str], ...] = ()

    def after(self, index: int, worker: Worker, mail: Mail | None = None) -> "World":
        workers = (*self.workers[:index], worker, *self.workers[index + 1 :])
        return replace(self, mail=mail or self.mail, workers=workers)


class Move(NamedTuple):
    """A step of an actor, the event that it records (or None), and the world after it.

    ``attempt`` belongs to the event. ``call`` is the outcome if the step is a call, else empty.
    """

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
    """Every possible next step of every actor, except steps that change nothing."""
    mail = world.mail
    for index, worker in enumerate(world.workers):
        for move in _worker_moves(world, index, worker):
            assert move.world != world
            yield move
    if mail.status == "sending":  # the lease may have expired
        yield Move(
            "sweeper", "timed_out", mail.attempt, _with(world, mail.on("timed_out", mail.attempt))
        )
    if mail.on("cancelled") != mail:
        yield Move("canceller", "cancelled", mail.attempt, _with(world, mail.on("cancelled")))
    # A waiting message is attempted again until its retry period ends. The last attempt is not
    # deferred but rejected (test_backoff.py).
    if mail.status in WAITING and all(worker == DONE for worker in world.workers):
        claimed = mail.on("claimed")
        last = Worker("holds at last", claimed.attempt)
        yield Move("last", "claimed", mail.attempt, replace(world, mail=claimed, workers=(last,)))


def _with(world: World, mail: Mail) -> World:
    return replace(world, mail=mail)


def _worker_moves(world: World, index: int, worker: Worker) -> Iterator[Move]:
    mail, name = world.mail, f"worker {index}"
    phase, attempt, response = worker
    if worker == DONE:
        return
    if phase == "idle":
        claimed = mail.on("claimed")
        held = claimed.attempt if claimed != mail else 0
        yield Move(name, "claimed", 0, world.after(index, Worker("claiming", held), claimed))
        return
    yield Move(name, None, attempt, world.after(index, DONE))  # the worker dies
    if phase == "claiming":
        if attempt:
            yield Move(name, None, attempt, world.after(index, Worker("holds", attempt)))
        if attempt == mail.attempt and mail.status == "sending":  # its claim was written
            again = world.after(index, Worker("holds", attempt))
            yield Move(name, "claimed", attempt, again)
        else:
            claimed = mail.on("claimed")
            got = Worker("holds", claimed.attempt) if claimed != mail else DONE
            yield Move(name, "claimed", 0, world.after(index, got, claimed))
    if phase in ("holds", "holds at last"):
        for outcome in OUTCOMES:
            if (phase, outcome) == ("holds at last", "deferred"):
                continue
            calling = world.after(index, Worker("called", attempt, outcome))
            calls = (*world.calls, (attempt, outcome))
            yield Move(name, None, attempt, replace(calling, calls=calls), call=outcome)
        if attempt == 1:  # the response of reserve was lost, and its submission is undone
            changed = mail.on("rejected", attempt)
            ending = Worker("ending", attempt, "rejected")
            yield Move(name, "rejected", attempt, world.after(index, ending, changed))
    if phase in ("called", "timing out"):
        changed = mail.on("timed_out", attempt)
        then = Worker("timing out" if phase == "called" else "waits", attempt, response)
        yield Move(name, "timed_out", attempt, world.after(index, then, changed))
    if phase == "timing out":
        yield Move(name, None, attempt, world.after(index, Worker("waits", attempt, response)))
    if phase in ("called", "waits", "ending"):
        for event in RESPONSES:
            if event == response:
                changed = mail.on(event, attempt)
                then = DONE if phase == "ending" else Worker("ending", attempt, response)
                yield Move(name, event, attempt, world.after(index, then, changed))


class Walk(NamedTuple):
    """Every reachable world, and every move between two worlds."""

    worlds: dict[World, list[Move]]

    @property
    def edges(self) -> Iterator[tuple[World, Move]]:
        return ((world, move) for world, moves in self.worlds.items() for move in moves)


def full_walk(starts: tuple[World, ...] = STARTS) -> Walk:
    """Every world that can be reached from ``starts`` by the table of transitions."""
    worlds: dict[World, list[Move]] = {}
    left = list(starts)
    while left:
        world = left.pop()
        if world not in worlds:
            worlds[world] = list(moves(world))
            left += [move.world for move in worlds[world]]
            assert world.mail.attempt < 6, "the attempts never end"
    return Walk(worlds)


@cache
def walk() -> Walk:
    return full_walk()


@cache
def reached(start: World) -> set[World]:
    return set(full_walk((start,)).worlds)


def interleavings(start: World) -> int:
    """The number of interleavings from ``start``. An endless one would make this loop endless."""
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
    assert made == set(TRANSITIONS) - BY_OTHERS


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


def a_charge_is_refunded_once_and_only_if_not_sent(walk: Walk) -> None:
    for world in walk.worlds:
        assert world.mail.refunded == (world.mail.status in ("failed", "cancelled")), world


def a_message_taken_by_the_provider_is_not_refunded(walk: Walk) -> None:
    for world in walk.worlds:
        if any(outcome in TAKEN for _, outcome in world.calls):
            assert world.mail.status in ("sending", "sent", "unknown"), world
            assert world.mail.refunded == 0, world


def only_an_accepted_message_becomes_sent(walk: Walk) -> None:
    for world in walk.worlds:
        if world.mail.status == "sent":
            assert [outcome for _, outcome in world.calls][-1:] == ["accepted"], world


def only_corrections_leave_a_final_state(walk: Walk) -> None:
    corrections = {
        (status, event, TRANSITIONS[status, event].target)
        for status, event in TRANSITIONS.keys() - BY_OTHERS
        if status in FINAL
    }
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


def only_a_claim_increases_the_attempt_number(walk: Walk) -> None:
    for world, move in walk.edges:
        claims = world.mail.status in WAITING and move.world.mail.status == "sending"
        assert claims <= (move.event == "claimed"), (world, move)
        assert move.world.mail.attempt == world.mail.attempt + claims, (world, move)


def a_known_outcome_is_recorded(walk: Walk) -> None:
    """If a response is recorded for the current attempt, the status is not ``unknown``."""
    for world, move in walk.edges:
        if move.event in RESPONSES and move.attempt == world.mail.attempt:
            assert move.world.mail.status != "unknown", (world, move)


PROMISES = (
    the_provider_is_not_called_while_it_may_have_taken_the_message,
    a_message_is_taken_at_most_once,
    an_attempt_calls_the_provider_once,
    an_attempt_is_held_by_one_worker,
    a_charge_is_refunded_once_and_only_if_not_sent,
    a_message_taken_by_the_provider_is_not_refunded,
    only_an_accepted_message_becomes_sent,
    only_corrections_leave_a_final_state,
    every_path_ends_in_a_final_state,
    only_a_claim_increases_the_attempt_number,
    a_known_outcome_is_recorded,
)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_promise_holds_in_every_interleaving(promise: Callable[[Walk], None]) -> None:
    promise(walk())


@pytest.mark.parametrize(
    ("source", "event", "step"),
    [
        ("sending", "timed_out", Transition("queued")),  # sends the message again automatically
        ("sending", "timed_out", Transition("failed", refunds=1)),
        ("unknown", "claimed", Transition("sending")),
        ("unknown", "deferred", Transition("queued")),
        ("unknown", "deferred", Transition("failed")),  # charges for an unsent message
        ("unknown", "cancelled", Transition("cancelled", refunds=1)),
        ("unknown", "timed_out", Transition("failed", refunds=1)),
        ("sending", "claimed", Transition("sending")),  # two workers at once
        ("sending", "cancelled", Transition("cancelled", refunds=1)),
        ("sending", "deferred", Transition("queued", refunds=1)),
        ("sending", "accepted", Transition("sent", refunds=1)),
        ("sending", "rejected", Transition("unknown")),
        ("failed", "accepted", Transition("sent")),
        ("failed", "claimed", Transition("sending")),
        ("sent", "rejected", Transition("failed", refunds=1)),
        ("cancelled", "claimed", Transition("sending")),
    ],
    ids=str,
)
def test_a_changed_table_breaks_a_promise(
    monkeypatch: pytest.MonkeyPatch, source: Status, event: Event, step: Transition
) -> None:
    monkeypatch.setitem(TRANSITIONS, (source, event), step)

    def all_promises() -> None:
        wrong = full_walk()
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


# The model and the real SQL agree. Step n is at NOW + n hours: every earlier lease has expired, and
# every deferred message is due.

HOUR = 3_600_000


class Store:
    """The real statements on one message; ``steps`` is the number of steps so far."""

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
        """``own``: the attempt that the actor claimed before, if the response was lost, else 0."""
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
    """Check every event of every attempt, from every row that can be reached."""
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
            after = mail.on(event, attempt)
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
    """Random complete interleavings, until every transition of the table has occurred."""
    random = Random(20261103)
    made: Counter[Any] = Counter()
    expected = {
        key for key in TRANSITIONS.keys() - BY_OTHERS if start == SCHEDULED or key[0] != "scheduled"
    }
    interleavings = 0
    while interleavings < 60 or set(made) != expected:
        interleavings += 1
        assert interleavings < 1000
        store = Store(kind(), start)
        store.compare(start.mail)
        world = start
        while True:
            # Deaths are rare, because otherwise most interleavings would be short.
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
