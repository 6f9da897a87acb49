"""What happens in a storm: each act is one random request, job, fault or pause."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from store.database import Row
from tests.api.calls import send_call
from tests.api.storm.world import Submission, World
from tests.e2e.api import ADMIN_PASSWORD, Sender, mail

Act = Callable[[World], None]
Acts = Sequence[tuple[int, Act]]

_numbers = count(1)

# Instructions to the provider, in the subject.
_INSTRUCTIONS = (
    *[""] * 8,
    "[E_RATE_LIMIT_EXCEEDED 1]",
    "[E_RATE_LIMIT_EXCEEDED 3]",
    "[E_DAILY_LIMIT_EXCEEDED]",
    "[E_DELIVERY_FAILED]",
    "[E_DELIVERY_FAILED 1]",
    "[E_RECIPIENT_SUPPRESSED]",
    "[no code]",
    "[take] [no code]",
    "[take] [E_INTERNAL_SERVER_ERROR 1]",
    "[wait 2000]",
    "[wait 31000]",
    "[take] [wait 34000]",
    "[wait 33000] [E_DELIVERY_FAILED]",
    "[wait 32000] [E_RATE_LIMIT_EXCEEDED]",
    "[wait 90000]",
)
# Of a worker, in milliseconds. With the length of a storm, they are below the day for which
# idempotency keys and the rows of deleted messages are kept.
_CLOCK_ERRORS = (-3_600_000, -1000, 0, 1000, 3_600_000)
_ADMIN = {"x-admin-auth": ADMIN_PASSWORD}
_SANDBOX = ("delivered", "bounced", "complained", "suppressed", "ratelimited", "slow")


def rage(world: World, weighted: Acts, steps: int = 500) -> None:
    """Do ``steps`` of these acts at random."""
    weights, acts = zip(*weighted, strict=True)
    for act in world.chance.choices(acts, weights, k=steps):
        act(world)


def _send(world: World) -> None:
    sender, subject = world.chance.choice(world.senders), _subject(world)
    key = f"key of {subject}" if world.chance.random() < 0.5 else None
    fields: dict[str, Any] = {"subject": subject, "to_mail": None, "to_name": None}
    content = None
    if world.chance.random() < 0.4:
        fields["scheduled_at"] = _time(world)
        if world.chance.random() < 0.4:
            content = subject.encode() * world.chance.choice((1, 200))
            encoded = base64.b64encode(content).decode()
            fields["attachments"] = [{"filename": "a.bin", "content": encoded}]
    fields["to"] = _recipients(world)
    call = send_call(sender, key, **fields)
    submission = Submission(sender, [subject], call, key is not None, content)
    world.submissions.append(submission)
    world.submit(submission)


def _send_batch(world: World) -> None:
    sender = world.chance.choice(world.senders)
    subjects = [_subject(world) for _ in range(world.chance.randint(2, 12))]
    emails = [
        {"from": sender.address, "to": _recipients(world), "subject": subject, "text": "A text"}
        for subject in subjects
    ]
    is_keyed = world.chance.random() < 0.5
    headers = {**sender.headers}
    if is_keyed:
        headers["Idempotency-Key"] = f"key of {subjects[0]}"
    if world.chance.random() < 0.7:
        headers["x-batch-validation"] = "permissive"
    call = ("POST", "/emails/batch", {"json": emails, "headers": headers})
    submission = Submission(sender, subjects, call, is_keyed)
    world.submissions.append(submission)
    world.submit(submission)


def _repeat(world: World) -> None:
    keyed = [submission for submission in world.submissions if submission.is_keyed]
    if keyed:
        world.submit(world.chance.choice(keyed[-20:]))


def _cancel(world: World) -> None:
    _change(world, "cancel", "POST", "/emails/{id}/cancel", among=" AND next_attempt_at > 0")


def _reschedule(world: World) -> None:
    body = {"scheduled_at": _time(world)}
    _change(world, "reschedule", "PATCH", "/emails/{id}", among=" AND scheduled_at > 0", json=body)


def _retry(world: World) -> None:
    ended = " AND status IN ('unknown', 'failed')"
    _change(world, "retry", "POST", "/api/sendbox/{id}/retry", among=ended)


def _delete(world: World) -> None:
    _change(world, "delete", "DELETE", "/api/sendbox/{id}")


def _clear(world: World) -> None:
    sender = world.chance.choice(world.senders)
    path = f"/admin/clear_sent_items/{sender.address_id}"
    by_owner = ("DELETE", "/api/clear_sent_items", {"headers": sender.headers})
    world.request(world.chance.choice((by_owner, ("DELETE", path, {"headers": _ADMIN}))))


def _delete_address(world: World) -> None:
    sender = world.senders.pop(0)
    path = f"/admin/delete_address/{sender.address_id}"
    by_owner = ("DELETE", "/api/delete_address", {"headers": sender.headers})
    world.request(world.chance.choice((by_owner, ("DELETE", path, {"headers": _ADMIN}))))
    world.add_sender()


def _rotate(world: World) -> None:
    """Rotate a credential. If the response is lost, continue with another address."""
    sender = world.senders.pop(0)
    response = world.worker.request("POST", "/api/rotate_credential", headers=sender.headers)
    if response.status_code == 200:
        world.senders.append(replace(sender, jwt=response.json()["jwt"]))
    else:
        world.add_sender()


def _send_as_administrator(world: World) -> None:
    sender, subject = world.chance.choice(world.senders), _subject(world)
    fields = {"subject": subject, "to": _recipients(world), "to_mail": None, "to_name": None}
    body = mail(from_mail=sender.address, **fields)
    call = ("POST", "/admin/send_mail", {"json": body, "headers": _ADMIN})
    submission = Submission(sender, [subject], call, is_keyed=False)
    world.submissions.append(submission)
    world.submit(submission)


def _run_cron(world: World) -> None:
    for _ in range(world.chance.choice((1, 1, 2))):
        world.worker.start_cron()


def _kill(world: World) -> None:
    world.worker.kill()


def _lift_pauses(world: World) -> None:
    world.rows("UPDATE send_pauses SET paused = 0")


def _wait(world: World) -> None:
    mean = world.chance.choice((0.01, 0.5, 20))
    world.workers[0].advance(world.chance.expovariate(1 / mean))


def _move_clocks(world: World) -> None:
    for worker in world.workers:
        worker.clock_error = world.chance.choice(_CLOCK_ERRORS)


# Each act with its weight.
ACTS: Acts = (
    (30, _send),
    (6, _send_batch),
    (10, _repeat),
    (8, _cancel),
    (6, _reschedule),
    (6, _retry),
    (5, _delete),
    (1, _clear),
    (1, _delete_address),
    (1, _rotate),
    (3, _send_as_administrator),
    (14, _run_cron),
    (3, _kill),
    (1, _lift_pauses),
    (35, _wait),
)
FAULTLESS = tuple(entry for entry in ACTS if entry[1] != _kill)
WITH_WRONG_CLOCKS = (*ACTS, (4, _move_clocks))


def _change(
    world: World, kind: str, method: str, path: str, *, among: str = "", **options: Any
) -> None:
    sender = world.chance.choice(world.senders)
    rows = _messages_of(world, sender, among)
    if rows:
        message_id = world.chance.choice(rows[-10:])["id"]
        options["headers"] = sender.headers
        world.change(kind, message_id, (method, path.format(id=message_id), options))


def _messages_of(world: World, sender: Sender, among: str) -> list[Row]:
    return world.rows(
        f"SELECT id FROM messages WHERE address_id = ? {among} ORDER BY id", sender.address_id
    )


def _subject(world: World) -> str:
    return f"{world.chance.choice(_INSTRUCTIONS)} number {next(_numbers)}"


def _recipients(world: World) -> list[str]:
    chance = world.chance
    if chance.random() < 0.1:
        return [f"{chance.choice(_SANDBOX)}@test.invalid"]
    numbers = chance.sample(range(200), chance.choice((1, 1, 2, 3)))
    others = ["free@example.net"] * (chance.random() < 0.2)
    others += ["no@example.net"] * (chance.random() < 0.02)
    return [f"recipient{number}@example.net" for number in numbers] + others


def _time(world: World) -> str:
    now = datetime.fromtimestamp(world.workers[0].now() / 1000, UTC)
    return (now + timedelta(seconds=world.chance.uniform(-20, 900))).isoformat()
