"""The comparison of the ledger, the rows, the balances and the responses."""

from dataclasses import dataclass
from typing import Any

from tests.crash.clients import Submission
from tests.crash.site import BALANCE, Site
from tests.e2e.api import Sender
from tests.faults.gate.passage import Passage

Rows = dict[str, dict[str, Any]]

_CHARGED = "('sent', 'unknown')"

# Messages whose row, history and recipients contradict each other.
_CONTRADICTIONS = """
SELECT id, status FROM messages AS m
WHERE status <> (SELECT kind FROM events WHERE message_id = id ORDER BY sequence DESC LIMIT 1)
  OR (SELECT count(*) <> 1 + max(sequence) FROM events WHERE message_id = id)
  OR 0 <> (SELECT min(sequence) FROM events WHERE message_id = id)
  OR 1 <> (
    SELECT count(*) FROM events
    WHERE message_id = id AND kind IN ('sent', 'failed', 'unknown', 'cancelled')
  )
  OR recipients <> (SELECT count(*) FROM deliveries WHERE message_id = id)
  OR NOT EXISTS (SELECT 1 FROM bodies WHERE message_id = id)
  OR EXISTS (SELECT 1 FROM attachment_parts WHERE message_id = id)
"""


@dataclass(frozen=True)
class Figures:
    """The counts of an audit over all submissions of one sender."""

    submissions: int
    rows: int
    mails: int
    doubles: int
    lost: int
    unknown: int


def rows_by_subject(site: Site, sender: Sender) -> Rows:
    """The messages of ``sender`` by subject. Fails if two have the same subject."""
    rows = site.api.messages_of(sender)
    found = {row["subject"]: row for row in rows}
    assert len(found) == len(rows), "two messages of one submission"
    return found


def audit(site: Site, sender: Sender, submissions: list[Submission]) -> Figures:
    """Compare everything, and return the counts. Every message must have finished."""
    rows, mails = rows_by_subject(site, sender), site.mails(sender)
    doubles = [subject for subject, count in mails.items() if count > 1]
    lost = [subject for subject in mails if subject not in rows]
    assert not doubles, f"sent twice: {doubles}"
    assert not lost, f"mails without a row: {lost}"
    assert set(rows) <= {submission.subject for submission in submissions}
    for submission in submissions:
        _check_submission(submission, rows.get(submission.subject), mails[submission.subject])
    assert site.open_rows() == []
    assert site.server.sql(_CONTRADICTIONS) == []
    _check_balances(site, sender)
    return Figures(
        submissions=len(submissions),
        rows=len(rows),
        mails=mails.total(),
        doubles=len(doubles),
        lost=len(lost),
        unknown=sum(row["status"] == "unknown" for row in rows.values()),
    )


def check_unknown(submissions: list[Submission], rows: Rows, passages: list[Passage]) -> None:
    """Check that ``unknown`` messages have no completed record after their reserve or claim."""
    open_ids = set()
    for passed in passages:
        if passed.point in ("reserve", "claim"):
            open_ids.add(passed.message_id)
        elif (passed.point, passed.when) == ("record", "after"):
            open_ids.discard(passed.message_id)
    for row in (
        rows[submission.subject] for submission in submissions if submission.subject in rows
    ):
        assert row["status"] != "unknown" or row["id"] in open_ids, row


def _check_submission(submission: Submission, row: dict[str, Any] | None, mails: int) -> None:
    response = submission.response
    if row is None:
        assert response is None, f"response {response}, but no row: {submission}"
        return
    assert row["status"] in ("sent", "failed", "unknown"), row
    if row["status"] != "unknown":
        assert mails == (row["status"] == "sent"), row
    if response is None:
        return
    assert response.json()["id"] == row["id"]
    ends = {200: ("sent",), 202: ("sent", "unknown"), 502: ("failed", "unknown")}
    assert row["status"] in ends[response.status_code], (row, response.text)


def _check_balances(site: Site, sender: Sender) -> None:
    sql = "SELECT balance FROM send_balances WHERE address_id = ?"
    (balance,) = site.server.sql(sql, [sender.address_id])
    sql = (
        "SELECT coalesce(sum(charge), 0) AS charged FROM messages "
        f"WHERE address_id = ? AND status IN {_CHARGED}"
    )
    (charged,) = site.server.sql(sql, [sender.address_id])
    assert balance["balance"] == BALANCE - charged["charged"]
    (counted,) = site.server.sql("SELECT sum(recipients) AS n FROM daily_recipients")
    sql = f"SELECT sum(recipients) AS n FROM messages WHERE status IN {_CHARGED}"
    assert [counted] == site.server.sql(sql)
