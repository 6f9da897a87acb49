"""The cron handler: messages that a dead worker was sending become ``unknown``."""

from tests.e2e.api import Api


def test_a_message_of_a_dead_worker_becomes_unknown_after_its_lease(api: Api) -> None:
    sender = api.new_sender(balance=5)
    left, held = (api.send(sender).json()["id"] for _ in range(2))
    now = api.server.now()
    for message_id, lease_until in ((left, now - 1), (held, now + 60_000)):
        api.server.sql(
            "UPDATE messages SET status = 'sending', lease_until = ?, finished_at = NULL "
            "WHERE id = ?",
            [lease_until, message_id],
        )
    api.server.run_cron()
    assert [row["status"] for row in api.messages_of(sender)] == ["unknown", "sending"]
    sql = "SELECT kind, attempt FROM events WHERE message_id = ? ORDER BY sequence"
    assert api.server.sql(sql, [left])[-1] == {"kind": "unknown", "attempt": 1}
    assert [to["status"] for to in api.message(sender, left)["recipients"]] == ["unknown"]
    assert api.balance(sender) == 3  # an unknown message stays charged

    events = api.server.sql("SELECT count(*) AS n FROM events")
    api.server.run_cron()
    assert api.server.sql("SELECT count(*) AS n FROM events") == events
