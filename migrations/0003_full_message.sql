-- What else a message may have: JSON texts, NULL where it has none of them. Of attachments there
-- are name, type, size and SHA-256; their content is kept apart, and not for long.
ALTER TABLE messages ADD COLUMN reply_to TEXT CHECK (reply_to IS NULL OR json_valid(reply_to));
ALTER TABLE messages ADD COLUMN headers TEXT CHECK (headers IS NULL OR json_valid(headers));
ALTER TABLE messages ADD COLUMN tags TEXT CHECK (tags IS NULL OR json_valid(tags));
ALTER TABLE messages ADD COLUMN attachments TEXT
  CHECK (attachments IS NULL OR json_valid(attachments));

-- When it was to be sent, where that was not at once.
ALTER TABLE messages ADD COLUMN scheduled_at INTEGER;

-- Its recipients are test recipients: it never leaves the worker and costs nothing.
ALTER TABLE messages ADD COLUMN is_test INTEGER NOT NULL DEFAULT 0 CHECK (is_test IN (0, 1));

-- What a batch was answered, kept with the first of its messages: JSON, one entry a message.
ALTER TABLE messages ADD COLUMN batch_answer TEXT
  CHECK (batch_answer IS NULL OR json_valid(batch_answer));

-- The content of attachments of messages that are still to be sent, as base64 in parts that fit
-- into a D1 value. (D1 gives a BLOB back as a list of numbers, four times as long.)
CREATE TABLE attachment_parts (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  part INTEGER NOT NULL CHECK (part >= 0),
  content TEXT NOT NULL,
  PRIMARY KEY (message_id, position, part)
) STRICT, WITHOUT ROWID;

-- How many messages a credential has sent in its present window (SEND_RATE_LIMIT).
CREATE TABLE rate_windows (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  started_at INTEGER NOT NULL,
  used INTEGER NOT NULL CHECK (used > 0)
) STRICT;

-- News of a delivery, by recipient.
CREATE TABLE new_deliveries (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('to', 'cc', 'bcc')),
  address TEXT NOT NULL,
  name TEXT,
  status TEXT CHECK (status IN ('sent', 'failed', 'delivered', 'bounced', 'complained')),
  provider_code TEXT,
  PRIMARY KEY (message_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO new_deliveries SELECT * FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;

-- That a message was accepted is what its row says, so there is no event of it. An event of a
-- delivery names its recipient.
CREATE TABLE new_events (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  kind TEXT NOT NULL CHECK (
    kind IN (
      'deferred', 'sent', 'failed', 'unknown', 'cancelled', 'rescheduled',
      'delivered', 'bounced', 'complained'
    )
  ),
  attempt INTEGER NOT NULL CHECK (attempt >= 0),
  provider_code TEXT,
  occurred_at INTEGER NOT NULL,
  recipient TEXT,
  PRIMARY KEY (message_id, sequence)
) STRICT, WITHOUT ROWID;
INSERT INTO new_events (message_id, sequence, kind, attempt, provider_code, occurred_at)
SELECT message_id, sequence, kind, attempt, provider_code, occurred_at
FROM events WHERE kind <> 'accepted';
DROP TABLE events;
ALTER TABLE new_events RENAME TO events;
