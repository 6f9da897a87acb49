"""The history of a message: one row per event. Rows are added and never changed."""

# ``source`` is the SQL after FROM. It yields rows of ``messages``, each message at most once.
# The other names are SQL expressions over these rows.
INSERT_EVENTS = """
INSERT INTO events (
  message_id, sequence, kind, attempt, provider_code, occurred_at, settled_by,
  transport, next_transport
)
SELECT
  id, (SELECT coalesce(1 + max(sequence), 0) FROM events WHERE message_id = id),
  {kind}, attempt, {provider_code}, {now}, {settled_by},
  {transport}, {next_transport}
FROM {source}
"""
