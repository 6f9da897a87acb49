"""Checks that rows, balances, counters, mails and responses agree after any faults.

Every message must have finished, and none may be so old that the sweep has removed it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import requests

Row = dict[str, Any]
Rows = Mapping[str, Row]  # by id

# Runs one SQL statement with its parameters.
Query = Callable[[str, list[Any]], list[Row]]

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
"""

_WITHOUT_TEXT = """
SELECT id FROM messages
WHERE sendbox IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bodies WHERE message_id = id)
"""

_BALANCES = """
SELECT
  b.address_id, balance,
  ?1 - coalesce(
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
LEFT JOIN (
  SELECT
    day, address_id, sum(sent) AS sent, sum(unknown) AS unknown, sum(failed) AS failed,
    sum(cancelled) AS cancelled
  FROM usage_days GROUP BY day, address_id
) AS u USING (day, address_id)
WHERE coalesce(u.sent, 0) <> m.sent OR coalesce(u.unknown, 0) <> m.unknown
  OR coalesce(u.failed, 0) <> m.failed
  OR coalesce(u.cancelled, 0) NOT BETWEEN m.cancelled - perhaps_undone AND m.cancelled
"""

# Deleted messages lose their subject, by which a test finds the message of a mail.
_KEEP_SUBJECTS = (
    "CREATE TABLE IF NOT EXISTS kept_subjects (id TEXT PRIMARY KEY, subject TEXT NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS keep_subjects AFTER INSERT ON messages "
    "BEGIN INSERT INTO kept_subjects VALUES (new.id, new.subject); END",
)

_EXPECTED = (200, 202, 400, 401, 403, 409, 429, 502, 503)


def keep_subjects(query: Query) -> None:
    """Let the database keep the subjects of all messages from now on."""
    for sql in _KEEP_SUBJECTS:
        query(sql, [])


def kept_subjects(query: Query) -> dict[str, str]:
    """The subjects that the database has kept, by the ids of their messages."""
    rows = query("SELECT id, subject FROM kept_subjects", [])
    return {row["id"]: row["subject"] for row in rows}


def check_rows(query: Query, *, balance: int, has_texts: bool = True) -> None:
    """Check messages, histories, balances and counters.

    :param balance: the initial balance of every address.
    :param has_texts: whether the texts of messages that are not deleted must exist.
    """
    assert query("SELECT * FROM messages WHERE finished_at IS NULL", []) == []
    assert query(_CONTRADICTIONS, []) == []
    assert not has_texts or query(_WITHOUT_TEXT, []) == []
    assert query(_BALANCES, [balance]) == []
    assert query(_DAYS, []) == []
    assert query(_USAGE, []) == []


def check_mails(rows: Iterable[Row], mails: Counter[str]) -> None:
    """Check that each mail belongs to one message that is ``sent`` or ``unknown``.

    :param mails: the number of mails that the provider has taken, by subject.
    """
    by_subject: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not row["is_sandbox"]:
            by_subject[row["subject"]].append(row)
    assert set(mails) <= set(by_subject), "a mail without a row"
    for subject, messages in by_subject.items():
        statuses = Counter(row["status"] for row in messages)
        least = statuses["sent"]
        assert least <= mails[subject] <= least + statuses["unknown"], messages


def check_responses(
    responses: Iterable[requests.Response], subjects: list[str], rows: Rows, *, loses: bool
) -> None:
    """Check the responses to a request and its repetitions. At most one id is accepted.

    :param subjects: the subjects of the mails that the request submits.
    :param loses: whether responses of the database were lost or workers killed. Then an outcome
        that was reported may not be recorded: the message is ``unknown``.
    """
    accepted = set()
    for response in responses:
        assert response.status_code in _EXPECTED, response.text
        body = response.json()
        ids = [one["id"] for one in body["data"]] if "data" in body else [body.get("id")]
        if response.status_code in (200, 202, 502) and ids:
            accepted.add(tuple(ids))
            for message_id in ids:
                assert rows[message_id]["subject"] in subjects
                _check_status(response.status_code, body, rows[message_id], loses=loses)
    assert len(accepted) <= 1, accepted


def check_change(kind: str, response: requests.Response, row: Row, rows: Rows) -> None:
    """Check the response to a request to cancel, delete or reschedule a message, or to retry it.

    :param row: the message that the request names.
    """
    assert response.status_code < 500 or response.status_code in (502, 503), response.text
    if response.status_code < 300:
        match kind:
            case "cancel":
                assert row["status"] == "cancelled", row
            case "delete":
                assert row["sendbox"] is None, row
            case "retry":
                assert rows[response.json()["id"]]["retry_of"] == row["id"]


def _check_status(code: int, body: dict[str, Any], row: Row, *, loses: bool) -> None:
    status, unrecorded = row["status"], {"unknown"} if loses else set()
    if code == 200 and body.get("status") == "ok":
        assert status in {"sent", *unrecorded}, row
    elif code == 502 and body["message_status"] == "failed":
        assert status in {"failed", *unrecorded}, row
    elif code == 502:
        assert status in {"unknown", "sent", "failed"}, row
