-- What becomes of a mail after the provider accepted it. Each delivery event is one row: it makes
-- sure that the event counts once, it is part of the history of the message, and it gives its
-- recipient a status. The status of a recipient is the kind of its event with the highest rank
-- (mail/delivery.py). `position` is that of the recipient in `deliveries`. `occurred_at` is the time
-- of the provider's event, `received_at` the time when this service received it. The other columns
-- are the texts of the event, NULL where it has none. `response` is the last line of the receiving
-- server, cut to a limit.
CREATE TABLE delivery_events (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  event_id TEXT NOT NULL CHECK (event_id <> ''),
  position INTEGER NOT NULL CHECK (position >= 0),
  kind TEXT NOT NULL CHECK (
    kind IN ('delayed', 'delivered', 'rejected', 'failed', 'bounced', 'complained')
  ),
  occurred_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  -- 1 for a permanent failure ("hard"), 0 for another one, NULL if the event does not say it.
  is_permanent INTEGER CHECK (is_permanent IN (0, 1)),
  smtp_code TEXT,
  enhanced_code TEXT,
  response TEXT,
  reason TEXT,
  provider TEXT,
  PRIMARY KEY (message_id, event_id)
) STRICT, WITHOUT ROWID;

-- The sum of the recipients, for lists: the status with the highest rank among them, and the number
-- of recipients that have it. NULL until the first delivery event.
ALTER TABLE messages ADD COLUMN delivery_status TEXT CHECK (
  delivery_status IN ('delayed', 'delivered', 'rejected', 'failed', 'bounced', 'complained')
);
ALTER TABLE messages ADD COLUMN delivery_count INTEGER CHECK (delivery_count > 0);

-- The row of a deleted message now stays until a week after the message finished, without content.
-- So late bounces and complaints still count.
UPDATE messages SET subject = '', sender_name = NULL, details = NULL WHERE sendbox IS NULL;

-- Delivery events find their message by the id that the provider gave it.
CREATE INDEX messages_by_provider_id ON messages (provider_message_id)
  WHERE provider_message_id IS NOT NULL;

-- Messages with an unknown outcome, which delivery events can settle. A send with a known outcome
-- writes no entry of this index.
CREATE INDEX messages_unknown ON messages (address_id, finished_at) WHERE status = 'unknown';

-- Messages whose delivery has a problem, for the lists that are filtered by delivery status. A
-- delivered message has no entry in these indexes.
CREATE INDEX messages_undelivered ON messages (address_id, sendbox, delivery_status, id)
  WHERE delivery_status <> 'delivered';
CREATE INDEX messages_undelivered_of_all ON messages (delivery_status, id)
  WHERE delivery_status <> 'delivered';

-- The status of a recipient is in `delivery_events` now.
ALTER TABLE deliveries DROP COLUMN status;
ALTER TABLE deliveries DROP COLUMN provider_code;

-- The id of the delivery event that settled an unknown outcome.
ALTER TABLE events ADD COLUMN settled_by TEXT;

-- Usage is also counted per sending domain, because administrators send from any domain. A send
-- still writes one row. `domain` is empty in rows of addresses that were deleted before this
-- migration. `recipients` is the number of recipients of sent messages, since this migration. The
-- last columns are the numbers of recipients with an event of this kind, per day on which their
-- message was accepted. A recipient with several events of one kind counts once.
CREATE TABLE usage_by_domain (
  day TEXT NOT NULL CHECK (length(day) = 10),
  address_id INTEGER NOT NULL,
  domain TEXT NOT NULL DEFAULT '',
  sent INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  recipients INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  bounced INTEGER NOT NULL DEFAULT 0,
  complained INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day, address_id, domain)
) STRICT, WITHOUT ROWID;
INSERT INTO usage_by_domain (day, address_id, domain, sent, failed, unknown, cancelled)
SELECT
  day, address_id, coalesce(substr(name, instr(name, '@') + 1), ''),
  sent, failed, unknown, cancelled
FROM usage_days LEFT JOIN addresses ON id = address_id;
DROP TABLE usage_days;
ALTER TABLE usage_by_domain RENAME TO usage_days;

-- The same numbers per sending domain and UTC day (YYYY-MM-DD) of acceptance, for all kinds.
CREATE TABLE delivery_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  domain TEXT NOT NULL,
  delayed INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  bounced INTEGER NOT NULL DEFAULT 0,
  complained INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day, domain)
) STRICT, WITHOUT ROWID;

-- Recipients that get no mail: from the sending domain `scope`, or from any if it is empty. `origin`
-- is where the suppression comes from: the id of the message, the name of the administrator, or
-- "import". Rows with `expires_at` in the past don't count. This table replaces the one without
-- scope and end.
ALTER TABLE suppressions RENAME TO endless_suppressions;
CREATE TABLE suppressions (
  address TEXT NOT NULL CHECK (address = lower(address)),
  scope TEXT NOT NULL CHECK (scope = lower(scope)),
  reason TEXT NOT NULL CHECK (
    reason IN ('manual', 'hard_bounce', 'soft_bounce', 'complaint', 'provider')
  ),
  origin TEXT,
  since INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (address, scope)
) STRICT, WITHOUT ROWID;

-- What the provider reported ends in 24 hours. The next attempt shows whether the provider still
-- suppresses the recipient. What an administrator entered stays, with the text as its origin.
INSERT INTO suppressions (address, scope, reason, origin, since, expires_at)
SELECT
  address, '', iif(reason = 'provider', 'provider', 'manual'),
  iif(reason IN ('provider', 'manual'), NULL, reason), since,
  iif(reason = 'provider', unixepoch() * 1000 + 86400000, NULL)
FROM endless_suppressions;
DROP TABLE endless_suppressions;

CREATE INDEX suppressions_by_end ON suppressions (expires_at) WHERE expires_at IS NOT NULL;
