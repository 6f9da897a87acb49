-- Endpoints that get the events of messages. `address_id` is the address whose messages these are. 0
-- means administrators, who get the events of all messages. `events` is a JSON array of event types.
-- `disabled_by` is NULL while the webhook is enabled: `gone` and `failing` are decisions of this
-- service, and a `removed` webhook stays until the cron has removed its deliveries. The secret is
-- derived from the id and the version (accounts/webhook_secrets.py), so no secret is stored. The
-- previous version also signs for a day after `rotated_at`. `failing_since` is the time of the first
-- failure after the last success.
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  address_id INTEGER NOT NULL,
  endpoint TEXT NOT NULL CHECK (length(endpoint) BETWEEN 1 AND 2048),
  events TEXT NOT NULL CHECK (json_valid(events)),
  disabled_by TEXT CHECK (disabled_by IN ('owner', 'gone', 'failing', 'removed')),
  secret_version INTEGER NOT NULL DEFAULT 1 CHECK (secret_version > 0),
  previous_version INTEGER,
  rotated_at INTEGER,
  failing_since INTEGER,
  created_at INTEGER NOT NULL,
  CHECK ((previous_version IS NULL) = (rotated_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_by_address ON webhooks (address_id, id);
CREATE INDEX webhooks_disabled ON webhooks (id) WHERE disabled_by IS NOT NULL;

-- One row per webhook and event, written in the transaction of the change. A send writes the row and
-- one entry of an index. Ids are UUIDs of version 7, so ids sort by time. `facts` is what the change
-- was, as JSON. Before the first attempt it is replaced by `body`, which never changes. An
-- `attempting` delivery is held by the claim `claimed_by` until `next_attempt_at`; then it is due
-- again. `attempt` is the number of all attempts, `tries` that of attempts since the last replay.
CREATE TABLE webhook_deliveries (
  webhook_id TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (
    status IN ('pending', 'attempting', 'success', 'failed')
  ),
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND attempt),
  next_attempt_at INTEGER,
  claimed_by TEXT,
  facts TEXT CHECK (facts IS NULL OR json_valid(facts)),
  body TEXT CHECK (body IS NULL OR facts IS NULL),
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (webhook_id, id),
  CHECK ((status IN ('pending', 'attempting')) = (next_attempt_at IS NOT NULL)),
  CHECK ((status IN ('success', 'failed')) = (finished_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The deliveries that wait, and those that are being attempted, per webhook.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, status, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;

-- The finished deliveries in the order in which their bodies and rows are removed.
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (status, finished_at)
  WHERE finished_at IS NOT NULL;

-- The attempts of each delivery. `code` is the status of the response, NULL if none arrived; then
-- `error` says why. `response` is the beginning of the response's body.
CREATE TABLE webhook_attempts (
  webhook_id TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  started_at INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL CHECK (milliseconds >= 0),
  code INTEGER,
  error TEXT,
  response TEXT,
  PRIMARY KEY (webhook_id, delivery_id, number),
  FOREIGN KEY (webhook_id, delivery_id)
    REFERENCES webhook_deliveries (webhook_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The act `webhook_calls` is new: the calls of an address that create, change, test or replay. SQLite
-- can't change the list of a CHECK, so the table is replaced.
ALTER TABLE daily_counts RENAME TO older_daily_counts;
CREATE TABLE daily_counts (
  day TEXT NOT NULL CHECK (length(day) = 10),
  subject TEXT NOT NULL,
  act TEXT NOT NULL CHECK (
    act IN (
      'addresses_created', 'rotations', 'proven_rotations', 'password_changes', 'logins',
      'sandbox_recipients', 'sandbox_bytes', 'reschedules', 'late_cancellations',
      'withdrawals_forgiven', 'webhook_calls'
    )
  ),
  count INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (day, subject, act)
) STRICT, WITHOUT ROWID;
INSERT INTO daily_counts SELECT * FROM older_daily_counts;
DROP TABLE older_daily_counts;

-- The deliveries of changes, in the transaction of each change: whatever changes a message, its
-- event is not forgotten, and where no webhook listens, a change costs no statement and no row. The
-- subqueries make sure that nothing is read before a webhook that listens is found. `recipients` is
-- only in the facts of an event of one recipient: all recipients of a message never change, so its
-- body gets them later.
CREATE TRIGGER webhooks_hear_of_waiting AFTER INSERT ON messages
WHEN new.status IN ('queued', 'scheduled') BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    id,
    printf(
      '%08x-%04x-7%s-8%s-%s', new.accepted_at >> 16, new.accepted_at & 65535,
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6)))
    ),
    'email.' || new.status, new.accepted_at,
    json_object(
      'occurred_at', new.accepted_at, 'email_id', new.id, 'accepted_at', new.accepted_at,
      'sender', new.sender, 'sender_name', new.sender_name, 'subject', new.subject,
      'scheduled_at', new.scheduled_at,
      'details', json(new.details)
    ),
    new.accepted_at
  FROM webhooks
  WHERE address_id IN (new.address_id, 0) AND disabled_by IS NULL
    AND EXISTS (SELECT 1 FROM json_each(events) WHERE value = 'email.' || new.status);
END;

-- A message whose outcome was corrected and is `sent` again is reported once. The time is that of the
-- last row of its history, which is written before. If somebody changes a message by hand, there may
-- be none: webhooks must not prevent a change.
CREATE TRIGGER webhooks_hear_of_changes AFTER UPDATE OF status ON messages
WHEN new.status NOT IN ('sending', old.status) AND NOT (
  old.status = 'failed' AND new.status = 'sent'
  AND (SELECT count(*) FROM events WHERE message_id = new.id AND kind = 'sent') > 1
) BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    webhook_id,
    printf(
      '%08x-%04x-7%s-8%s-%s', now >> 16, now & 65535, substr(lower(hex(randomblob(2))), 2),
      substr(lower(hex(randomblob(2))), 2), lower(hex(randomblob(6)))
    ),
    type, now,
    json_object(
      'occurred_at', now, 'email_id', new.id, 'accepted_at', new.accepted_at,
      'sender', new.sender, 'sender_name', new.sender_name, 'subject', new.subject,
      'message_id', new.provider_message_id, 'scheduled_at', new.scheduled_at,
      'details', json(new.details),
      'reason', new.reason, 'provider_code', new.provider_code
    ),
    now
  FROM (
    SELECT
      hook.id AS webhook_id, heard.value AS type,
      coalesce(
        (SELECT occurred_at FROM events WHERE message_id = new.id ORDER BY sequence DESC LIMIT 1),
        new.accepted_at
      ) AS now
    FROM webhooks AS hook CROSS JOIN json_each(hook.events) AS heard
    WHERE hook.address_id IN (new.address_id, 0) AND hook.disabled_by IS NULL
      AND heard.value = iif(
        new.status = 'failed' AND new.reason = 'recipient_suppressed',
        'email.suppressed', 'email.' || new.status
      )
  );
END;

CREATE TRIGGER webhooks_hear_of_delivery_events AFTER INSERT ON delivery_events BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    hook.id,
    printf(
      '%08x-%04x-7%s-8%s-%s', new.received_at >> 16, new.received_at & 65535,
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6)))
    ),
    heard.value, new.received_at,
    json_object(
      'occurred_at', new.occurred_at, 'email_id', m.id, 'accepted_at', m.accepted_at,
      'sender', m.sender, 'sender_name', m.sender_name, 'subject', m.subject,
      'recipients', json_array((
        SELECT address FROM deliveries WHERE message_id = m.id AND position = new.position
      )),
      'message_id', m.provider_message_id,
      'details', json(m.details),
      'delivery', json_object(
        'is_permanent', new.is_permanent, 'smtp_code', new.smtp_code,
        'enhanced_code', new.enhanced_code, 'response', new.response, 'reason', new.reason
      )
    ),
    new.received_at
  FROM messages AS m
  CROSS JOIN webhooks AS hook
    ON hook.address_id IN (m.address_id, 0) AND hook.disabled_by IS NULL
  CROSS JOIN json_each(hook.events) AS heard ON heard.value = iif(
    new.kind IN ('rejected', 'failed'),
    iif(new.kind = 'rejected' AND new.reason = 'suppressed', 'email.suppressed', 'email.failed'),
    iif(new.kind = 'delayed', 'email.delivery_delayed', 'email.' || new.kind)
  )
  WHERE m.id = new.message_id;
END;

-- Suppressions that follow from a message, which is their origin. Administrators who add one are
-- reported by their own statement.
CREATE TRIGGER webhooks_hear_of_suppressions AFTER INSERT ON suppressions BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    hook.id,
    printf(
      '%08x-%04x-7%s-8%s-%s', new.since >> 16, new.since & 65535,
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6)))
    ),
    'suppression.added', new.since,
    json_object(
      'occurred_at', new.since, 'address', new.address, 'scope', new.scope, 'reason', new.reason,
      'origin', new.origin, 'since', new.since, 'expires_at', new.expires_at
    ),
    new.since
  FROM messages AS m
  CROSS JOIN webhooks AS hook
    ON hook.address_id IN (m.address_id, 0) AND hook.disabled_by IS NULL
  WHERE m.id = new.origin
    AND EXISTS (SELECT 1 FROM json_each(hook.events) WHERE value = 'suppression.added');
END;

CREATE TRIGGER webhooks_hear_of_longer_suppressions AFTER UPDATE ON suppressions BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    hook.id,
    printf(
      '%08x-%04x-7%s-8%s-%s', new.since >> 16, new.since & 65535,
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6)))
    ),
    'suppression.added', new.since,
    json_object(
      'occurred_at', new.since, 'address', new.address, 'scope', new.scope, 'reason', new.reason,
      'origin', new.origin, 'since', new.since, 'expires_at', new.expires_at
    ),
    new.since
  FROM messages AS m
  CROSS JOIN webhooks AS hook
    ON hook.address_id IN (m.address_id, 0) AND hook.disabled_by IS NULL
  WHERE m.id = new.origin
    AND EXISTS (SELECT 1 FROM json_each(hook.events) WHERE value = 'suppression.added');
END;

CREATE TRIGGER webhooks_hear_of_pauses AFTER INSERT ON send_pauses WHEN new.paused BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    hook.id,
    printf(
      '%08x-%04x-7%s-8%s-%s', new.since >> 16, new.since & 65535,
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6)))
    ),
    'address.paused', new.since,
    json_object('occurred_at', new.since, 'address', a.name),
    new.since
  FROM addresses AS a
  CROSS JOIN webhooks AS hook ON hook.address_id IN (a.id, 0) AND hook.disabled_by IS NULL
  WHERE a.id = new.address_id
    AND EXISTS (SELECT 1 FROM json_each(hook.events) WHERE value = 'address.paused');
END;

CREATE TRIGGER webhooks_hear_of_further_pauses AFTER UPDATE OF paused ON send_pauses
WHEN new.paused AND NOT old.paused BEGIN
  INSERT INTO webhook_deliveries (webhook_id, id, type, next_attempt_at, facts, created_at)
  SELECT
    hook.id,
    printf(
      '%08x-%04x-7%s-8%s-%s', new.since >> 16, new.since & 65535,
      substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(2))), 2),
      lower(hex(randomblob(6)))
    ),
    'address.paused', new.since,
    json_object('occurred_at', new.since, 'address', a.name),
    new.since
  FROM addresses AS a
  CROSS JOIN webhooks AS hook ON hook.address_id IN (a.id, 0) AND hook.disabled_by IS NULL
  WHERE a.id = new.address_id
    AND EXISTS (SELECT 1 FROM json_each(hook.events) WHERE value = 'address.paused');
END;
