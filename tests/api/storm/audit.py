"""The audit of a storm: the provider, the rows and the responses must agree."""

import re
from collections import Counter

from store.database import Row
from tests.api.storm.world import BALANCE, DAILY_LIMIT, World
from tests.faults.consistency import check_change, check_mails, check_responses, check_rows


def audit(world: World, *, loses: bool) -> Counter[str]:
    """Compare everything, and return the number of messages per status.

    :param loses: whether responses of the database were lost or workers killed.
    """
    rows = world.messages()
    by_id = {row["id"]: row for row in rows}
    check_rows(world.query, balance=BALANCE)
    _check_mails(world, rows)
    _check_attachments(world)
    if not loses:
        _check_times_and_outcomes(world, rows)
    for submission in world.submissions:
        check_responses(submission.responses, submission.subjects, by_id, loses=loses)
    for change in world.changes:
        if change.response:
            check_change(change.kind, change.response, by_id[change.message_id], by_id)
    for response in world.other_responses:
        assert response.status_code in (200, 401, 404, 503), response.text
    (day,) = world.rows("SELECT max(recipients) AS most FROM daily_recipients")
    assert day["most"] <= DAILY_LIMIT
    retried = [row["retry_of"] for row in rows if row["retry_of"]]
    assert len(retried) == len(set(retried))
    for worker in world.workers:
        assert [line for line in worker.log_lines() if line["event"] == "internal_error"] == []
    return Counter(row["status"] for row in rows)


def _check_mails(world: World, rows: list[Row]) -> None:
    """Check each mail by its id, and the number of calls of the provider."""
    provider = world.workers[0].provider
    check_mails(rows, Counter(mail.form["subject"] for mail in provider.taken))
    taken = {mail.message_id for mail in provider.taken}
    assert len(taken) == len(provider.taken)
    sent = [row["provider_message_id"] for row in rows if row["provider_message_id"]]
    assert len(sent) == len(set(sent))
    attempts: Counter[str] = Counter()
    for row in rows:
        has_mail = row["provider_message_id"] is not None
        assert has_mail == (row["status"] == "sent"), row
        assert not has_mail or row["is_sandbox"] or row["provider_message_id"] in taken, row
        attempts[row["subject"]] += row["attempt"]
    assert provider.calls <= attempts


def _check_attachments(world: World) -> None:
    attached = {
        submission.subjects[0]: submission.attachment
        for submission in world.submissions
        if submission.attachment is not None
    }
    for mail in world.workers[0].provider.taken:
        expected = attached.get(mail.form["subject"])
        assert mail.contents == ([] if expected is None else [expected])


def _check_times_and_outcomes(world: World, rows: list[Row]) -> None:
    """Without faults, messages are sent on time, and only the provider makes one ``unknown``."""
    unknown = world.rows("SELECT message_id FROM events WHERE kind = 'unknown'")
    were_unknown = {row["message_id"] for row in unknown}
    for row in rows:
        if row["status"] == "sent" and row["scheduled_at"]:
            assert row["finished_at"] >= row["scheduled_at"], row
        if row["id"] in were_unknown and not row["is_sandbox"]:
            assert re.search("no code|wait [39]|INTERNAL", row["subject"]), row
