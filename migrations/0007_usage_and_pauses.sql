-- Messages that came to an end, by the UTC day (YYYY-MM-DD) of their acceptance and by address.
-- `others` are those that are unknown or cancelled. What is open is counted from the indexes of
-- open messages, so that acceptance writes nothing here.
CREATE TABLE usage_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  address_id INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  others INTEGER NOT NULL,
  PRIMARY KEY (day, address_id)
) STRICT, WITHOUT ROWID;

-- What came to its end before: an end that changes later is taken off again.
INSERT INTO usage_days (day, address_id, sent, failed, others)
SELECT
  strftime('%Y-%m-%d', accepted_at / 1000, 'unixepoch') AS day, address_id,
  sum(status = 'sent'), sum(status = 'failed'), sum(status IN ('unknown', 'cancelled'))
FROM messages WHERE finished_at IS NOT NULL AND NOT is_test
GROUP BY day, address_id;

-- Addresses of whose last messages too many failed or bounced. A pause that was lifted stays, so
-- that only messages after it count again.
CREATE TABLE send_pauses (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
  since INTEGER NOT NULL
) STRICT;

CREATE INDEX send_pauses_in_force ON send_pauses (since) WHERE paused;
