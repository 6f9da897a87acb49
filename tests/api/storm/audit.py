"""The audit of a storm: provider, rows, balances, counters and responses must agree."""

import re
from collections import Counter, defaultdict
from typing import Any

from tests.api.storm.world import BALANCE, Submission, World

Row = dict[str, Any]

# Messages whose history, recipients or attachments contradict their status. Only an `unknown`
# message can get a second final event.
_CONTRADICTIONS = """
SELECT m.id, m.status, (SELECT group_concat(kind) FROM events WHERE message_id = m.id) AS history
FROM messages AS m
WHERE m.status <> (
    SELECT kind FROM events
    WHERE message_id = m.id AND recipient IS NULL ORDER BY sequence DESC LIMIT 1
  )
  OR (
    SELECT min(sequence) <> 0 OR max(sequence) + 1 <> count(*) FROM events WHERE message_id = m.id
  )
  OR (
    SELECT count(*) - (sum(kind = 'unknown') AND m.status <> 'unknown') <> 1
    FROM events WHERE message_id = m.id AND kind IN ('sent', 'failed', 'unknown', 'cancelled')
  )
  OR m.recipients <> (SELECT count(*) FROM deliveries WHERE message_id = m.id)
  OR EXISTS (SELECT 1 FROM attachment_parts WHERE message_id = m.id)
  OR m.sendbox IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bodies WHERE message_id = m.id)
"""

_BALANCES = f"""
SELECT
  b.address_id, balance,
  {BALANCE} - coalesce(
    (
      SELECT sum(charge) FROM messages AS m
      WHERE m.address_id = b.address_id AND status IN ('sent', 'unknown')
    ),
    0
  ) AS expected
FROM send_balances AS b WHERE balance <> expected
"""

_DAYS = """
SELECT d.*, (
  SELECT coalesce(sum(recipients), 0) FROM messages
  WHERE date(accepted_at / 1000, 'unixepoch') = day AND status IN ('sent', 'unknown')
    AND NOT is_sandbox
) AS expected
FROM daily_recipients AS d WHERE recipients <> expected
"""

# Undone submissions are not counted. No status was reported to a caller. Some cancelled messages
# have no reported status either, but are counted.
_USAGE = """
SELECT * FROM (
  SELECT
    date(accepted_at / 1000, 'unixepoch') AS day, address_id,
    sum(status = 'sent') AS sent, sum(status = 'unknown') AS unknown,
    sum(status = 'failed' AND reported_as IS NOT NULL) AS failed,
    sum(status = 'cancelled') AS cancelled,
    sum(status = 'cancelled' AND reported_as IS NULL) AS perhaps_undone
  FROM messages WHERE NOT is_sandbox GROUP BY day, address_id
) AS m
LEFT JOIN usage_days AS u USING (day, address_id)
WHERE coalesce(u.sent, 0) <> m.sent OR coalesce(u.unknown, 0) <> m.unknown
  OR coalesce(u.failed, 0) <> m.failed
  OR coalesce(u.cancelled, 0) NOT BETWEEN m.cancelled - perhaps_undone AND m.cancelled
"""


_EXPECTED = (200, 202, 400, 401, 403, 409, 429, 502, 503)


def audit(world: World, *, loses: bool) -> Counter[str]:
    """Compare everything, and return the number of messages per status.

    :param loses: whether responses of the database were lost or workers killed. Then an outcome
        that was reported may not be recorded: the message is ``unknown``.
    """
    rows = world.rows("SELECT * FROM messages")
    by_id = {row["id"]: row for row in rows}
    assert world.open_rows() == []
    assert world.rows(_CONTRADICTIONS) == []
    assert world.rows(_BALANCES) == []
    assert world.rows(_DAYS) == []
    assert world.rows(_USAGE) == []
    _check_mails(world, rows)
    if not loses:
        _check_times_and_outcomes(world, rows)
    for submission in world.submissions:
        _check_submission(submission, by_id, loses=loses)
    _check_changes(world, by_id)
    problems = [line for line in world.workers[0].log_lines() if line["event"] == "internal_error"]
    assert problems == []
    return Counter(row["status"] for row in rows)


def _check_mails(world: World, rows: list[Row]) -> None:
    """Each mail belongs to one attempt of one message, which is ``sent`` or ``unknown``."""
    provider = world.workers[0].provider
    taken = Counter(mail.message_id for mail in provider.taken)
    assert set(taken.values()) <= {1}
    sent = Counter(row["provider_message_id"] for row in rows if row["provider_message_id"])
    real = [row for row in rows if not row["is_sandbox"]]
    assert set(sent.values()) <= {1}
    for row in real:
        has_mail = row["provider_message_id"] is not None
        assert has_mail == (row["status"] == "sent"), row
        assert not has_mail or taken[row["provider_message_id"]] == 1, row
    by_subject: dict[str, list[Row]] = defaultdict(list)
    for row in real:
        by_subject[row["subject"]].append(row)
    mails = Counter(mail.form["subject"] for mail in provider.taken)
    assert set(mails) <= set(by_subject), "a mail without a row"
    for subject, messages in by_subject.items():
        statuses = Counter(row["status"] for row in messages)
        least = statuses["sent"]
        assert least <= mails[subject] <= least + statuses["unknown"], messages
        assert provider.calls[subject] <= sum(row["attempt"] for row in messages), messages
    _check_attachments(world)


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


def _check_submission(submission: Submission, by_id: dict[str, Row], *, loses: bool) -> None:
    """Check the responses against the rows. Repeated requests have the ids of the first one."""
    accepted = set()
    for response in submission.responses:
        assert response.status_code in _EXPECTED, response.text
        body = response.json()
        ids = [one["id"] for one in body["data"]] if "data" in body else [body.get("id")]
        if response.status_code in (200, 202, 502) and ids:
            accepted.add(tuple(ids))
            for message_id in ids:
                assert by_id[message_id]["subject"] in submission.subjects
                _check_status(response.status_code, body, by_id[message_id], loses=loses)
    if submission.is_keyed:
        assert len(accepted) <= 1, accepted


def _check_status(code: int, body: dict[str, Any], row: Row, *, loses: bool) -> None:
    status, unrecorded = row["status"], {"unknown"} if loses else set()
    if code == 200 and body.get("status") == "ok":
        assert status in {"sent", *unrecorded}, row
    elif code == 502 and body["message_status"] == "failed":
        assert status in {"failed", *unrecorded}, row
    elif code == 502:
        assert status in {"unknown", "sent", "failed"}, row


def _check_changes(world: World, by_id: dict[str, Row]) -> None:
    retried = Counter(row["retry_of"] for row in by_id.values() if row["retry_of"])
    assert set(retried.values()) <= {1}
    for change in world.changes:
        if not change.made.is_done or change.made.is_killed:
            continue
        response, row = change.made.response(), by_id[change.message_id]
        assert response.status_code < 500 or response.status_code in (502, 503), response.text
        if response.status_code >= 300:
            continue
        if change.kind == "cancel":
            assert row["status"] == "cancelled", row
        elif change.kind == "delete":
            assert row["sendbox"] is None, row
        elif change.kind == "retry":
            assert by_id[response.json()["id"]]["retry_of"] == row["id"]
