-- Times are in Unix milliseconds. Tables whose key is not a number are stored by that key (WITHOUT
-- ROWID): a separate index of the key would cost one more row per write, and the free plan limits
-- the rows written.

-- AUTOINCREMENT never reuses an id, so an old credential can't match a new address. `sendbox` is
-- the generation of the address's sendbox. Clearing the sendbox increments the generation instead
-- of writing the rows of its messages.
CREATE TABLE addresses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (name = lower(name) AND instr(name, '@') > 1),
  credential_version INTEGER NOT NULL DEFAULT 0 CHECK (credential_version >= 0),
  password_hash TEXT,
  -- 1 if the password was set with a credential. Replacing the credential then removes the
  -- password, unless the request has the password.
  password_by_owner INTEGER NOT NULL DEFAULT 0 CHECK (password_by_owner IN (0, 1)),
  source_meta TEXT,
  sendbox INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- An address without a row has not been granted DEFAULT_SEND_BALANCE yet. `requested_at` is the
-- time of a request for a balance that no administrator has granted yet. It is NULL if there is no
-- such request.
CREATE TABLE send_balances (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  balance INTEGER NOT NULL CHECK (balance >= 0),
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  requested_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

-- The requests for a balance that no administrator has granted yet. A send writes no entry of this
-- index.
CREATE INDEX send_balances_requested ON send_balances (requested_at, address_id)
  WHERE requested_at > 0;

-- The id is a UUID of version 7, so ids sort by time. address_id has no foreign key, because
-- messages remain for a while after their address is deleted.
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  address_id INTEGER NOT NULL,
  -- The value of addresses.sendbox when the message was accepted. Clearing the sendbox increments
  -- the value of a message that is being sent. NULL if the message was deleted. The row of a
  -- deleted message stays until a day after the message finished, because the row has the
  -- idempotency key.
  sendbox INTEGER DEFAULT 0,
  sender TEXT NOT NULL,
  sender_name TEXT,
  subject TEXT NOT NULL,
  -- The fields that no statement filters by, as JSON (mail/message.py). NULL if all are empty.
  details TEXT CHECK (details IS NULL OR json_valid(details)),
  size INTEGER NOT NULL CHECK (size > 0),
  recipients INTEGER NOT NULL CHECK (recipients BETWEEN 1 AND 50),
  charge INTEGER NOT NULL CHECK (charge BETWEEN 0 AND recipients),
  -- 1 for a message to sandbox recipients. This message never leaves the Worker and costs nothing.
  is_sandbox INTEGER NOT NULL DEFAULT 0 CHECK (is_sandbox IN (0, 1)),
  status TEXT NOT NULL CHECK (
    status IN ('scheduled', 'queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled')
  ),
  -- The number of the current attempt. Each claim increments the number, so the result of an
  -- earlier attempt has no effect.
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  lease_until INTEGER,
  -- The id of the claim, so that a Worker recognises its own claim if D1's response was lost.
  claimed_by TEXT,
  next_attempt_at INTEGER,
  -- The time that the caller requested. NULL if the message was to be sent at once.
  scheduled_at INTEGER,
  provider_message_id TEXT,
  -- Why the last attempt was not accepted: the provider's code, and this service's own reason
  -- (transport/outcome.py).
  provider_code TEXT,
  reason TEXT,
  accepted_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- The id of the request that submitted the message, as in the log.
  request_id TEXT,
  -- The idempotency key of this request, for a day, and the SHA-256 of what the request sends.
  idempotency_key TEXT,
  request_digest TEXT,
  -- The status in the first response to the caller. NULL if no status was reported yet.
  reported_as TEXT CHECK (reported_as IN ('sent', 'queued', 'failed', 'unknown')),
  -- The result of a batch request, in the row of the first message that was accepted: JSON with one
  -- entry per message.
  batch_results TEXT CHECK (batch_results IS NULL OR json_valid(batch_results)),
  -- The id of the message that this message sends again.
  retry_of TEXT,
  CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
  CHECK ((status IN ('scheduled', 'queued')) = (next_attempt_at IS NOT NULL)),
  CHECK ((status IN ('sent', 'failed', 'unknown', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_by_address ON messages (address_id, sendbox, id);
CREATE INDEX messages_leased ON messages (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX messages_due ON messages (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX messages_deleted ON messages (id) WHERE sendbox IS NULL;

-- Messages to sandbox recipients. The sweep removes their texts after a day. Other messages have no
-- entry in this index.
CREATE INDEX messages_sandbox ON messages (id) WHERE is_sandbox;

-- The waiting messages of each address, those of cleared sendboxes first. This index is used to
-- attempt due messages in fair shares per address, and to cancel the messages of cleared sendboxes
-- and deleted addresses.
CREATE INDEX messages_waiting ON messages (address_id, sendbox, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;

-- Each idempotency key of an address has at most one message, and at most one message sends a given
-- message again. A message has no entry in an index whose column is NULL.
CREATE UNIQUE INDEX messages_by_idempotency_key ON messages (address_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX messages_by_retry_of ON messages (retry_of) WHERE retry_of IS NOT NULL;

-- One row per recipient, because delivery events are per recipient. Until the first delivery event
-- the status is NULL: the recipient has the status of the message. So no row is written here when a
-- message finishes.
CREATE TABLE deliveries (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('to', 'cc', 'bcc')),
  address TEXT NOT NULL,
  name TEXT,
  status TEXT CHECK (status IN ('sent', 'failed', 'delivered', 'bounced', 'complained')),
  provider_code TEXT,
  PRIMARY KEY (message_id, position)
) STRICT, WITHOUT ROWID;

-- The history of a message. Rows are added, never changed. The acceptance is not an event: the row
-- of the message has its time. `recipient` is set for delivery events only.
CREATE TABLE events (
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

-- Text and HTML, in parts that fit into a D1 value. They are not columns of `messages`, so
-- statements that read or count rows of `messages` do not read the texts.
CREATE TABLE bodies (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('text', 'html')),
  part INTEGER NOT NULL CHECK (part >= 0),
  content TEXT NOT NULL,
  PRIMARY KEY (message_id, kind, part)
) STRICT, WITHOUT ROWID;

-- The attachments of messages that are not finished, as base64 in parts that fit into a D1 value. Those
-- of messages to sandbox recipients are not stored, because they never leave the Worker.
-- They are not BLOBs, because D1 returns a BLOB as a list of numbers, which is four times as long.
CREATE TABLE attachment_parts (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  part INTEGER NOT NULL CHECK (part >= 0),
  content TEXT NOT NULL,
  PRIMARY KEY (message_id, position, part)
) STRICT, WITHOUT ROWID;

-- The number of recipients of accepted messages per UTC day (YYYY-MM-DD) of all addresses together.
-- Sandbox messages and failed or cancelled messages do not count.
CREATE TABLE daily_recipients (
  day TEXT PRIMARY KEY CHECK (length(day) = 10),
  recipients INTEGER NOT NULL CHECK (recipients >= 0)
) STRICT, WITHOUT ROWID;

-- The number of messages that a credential has sent in its current window (SEND_RATE_LIMIT).
CREATE TABLE rate_windows (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  started_at INTEGER NOT NULL,
  used INTEGER NOT NULL CHECK (used > 0)
) STRICT;

-- The administrators' lists. `value` is in lower case: a name (name_block), an address or a domain
-- (send_block), a recipient (verified), or an address of this service (unlimited). `given` is the
-- entry as the administrator wrote it, `position` its place in the list.
CREATE TABLE list_entries (
  list TEXT NOT NULL CHECK (list IN ('name_block', 'send_block', 'verified', 'unlimited')),
  value TEXT NOT NULL CHECK (value = lower(value) AND value <> ''),
  given TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (list, value)
) STRICT, WITHOUT ROWID;

-- Recipients that get no mail.
CREATE TABLE suppressions (
  address TEXT PRIMARY KEY CHECK (address = lower(address)),
  reason TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The settings that administrators change at run time, as JSON.
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

-- The position of each sweep: the id of the last message that the sweep has handled.
CREATE TABLE sweeps (
  name TEXT PRIMARY KEY,
  position TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Cleared sendboxes. The cron removes the messages of the address that have this generation or an
-- older one. The address itself may be deleted.
CREATE TABLE sendbox_purges (
  address_id INTEGER PRIMARY KEY,
  sendbox INTEGER NOT NULL
) STRICT;

-- The numbers of finished messages per address and UTC day (YYYY-MM-DD) of acceptance. Messages
-- that are not finished have no counter, because a query finds them with the indexes of `messages`.
-- So accepting a message writes nothing here.
CREATE TABLE usage_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  address_id INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  PRIMARY KEY (day, address_id)
) STRICT, WITHOUT ROWID;

-- Addresses that are or were paused because too many of their last messages failed or bounced.
-- `since` is the time of the pause or, if `paused` is 0, the time when it was lifted. Only messages
-- after that time count towards the next pause.
CREATE TABLE send_pauses (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
  since INTEGER NOT NULL
) STRICT;

CREATE INDEX send_pauses_in_force ON send_pauses (since) WHERE paused;

-- Failed logins of the last minutes. All addresses share 65,536 counters of limited size, so failed
-- logins can't fill the table, even with addresses that do not exist. Wrong passwords in requests
-- with a credential have one more counter per address: the negative id of the address.
CREATE TABLE login_failures (
  id INTEGER PRIMARY KEY,
  counter INTEGER NOT NULL CHECK (counter <= 65535),
  failed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX login_failures_by_counter ON login_failures (counter, failed_at);

-- How often an address or a client has done something that costs no balance on a UTC day
-- (YYYY-MM-DD). The daily limits use these counts. `subject` is the id of the address or,
-- for `addresses_created`, the key of the client (accounts/clients.py). `proven_rotations` are the
-- rotations whose request had the present password. `withdrawals_forgiven` is a number of failed and
-- cancelled messages that no longer count, because an administrator has restored the limit.
CREATE TABLE daily_counts (
  day TEXT NOT NULL CHECK (length(day) = 10),
  subject TEXT NOT NULL,
  act TEXT NOT NULL CHECK (
    act IN (
      'addresses_created', 'rotations', 'proven_rotations', 'password_changes', 'logins',
      'sandbox_recipients', 'sandbox_bytes', 'reschedules', 'late_cancellations',
      'withdrawals_forgiven'
    )
  ),
  count INTEGER NOT NULL CHECK (count > 0),
  PRIMARY KEY (day, subject, act)
) STRICT, WITHOUT ROWID;

-- The audit log: who did what to which object, when, and from which IP address. Rows are added,
-- never changed. The id is a UUID of version 7, so ids sort by time.
CREATE TABLE audit (
  id TEXT PRIMARY KEY,
  occurred_at INTEGER NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  action TEXT NOT NULL CHECK (action <> ''),
  object TEXT NOT NULL CHECK (object <> ''),
  source TEXT,
  details TEXT CHECK (details IS NULL OR json_valid(details))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;

CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;

-- INSERT OR REPLACE would remove an existing row without firing audit_is_not_removed.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id)
BEGIN
  SELECT RAISE(IGNORE);
END;

-- The search index of the sendbox. The cron writes one row per message; a send writes none. `head`
-- has the words of the subject and the recipients, `text` the words of the body. Each word is
-- stored as `<address_id>_<word>`, so a search reads only the words of one address. `message_id` is
-- also indexed as one word, so the triggers below find the row of a message. rowid increases with
-- message_id and therefore with time. FTS5 also stores the words of each row, so a row can be
-- removed from the index when its message no longer exists.
CREATE VIRTUAL TABLE search USING fts5 (
  message_id, head, text, tokenize = "ascii tokenchars '_-'", detail = none, columnsize = 0
);

-- By default, FTS5 only marks removed words, and keeps them until it merges parts of the index.
-- With this option, FTS5 removes the words at once. The option requires SQLite 3.42.
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);

-- Removing a body or a message also removes its words from the index, in the same transaction. A
-- deleted message loses its words at once, although its row in `messages` stays for a day.
CREATE TRIGGER search_forgets_text AFTER DELETE ON bodies
BEGIN
  UPDATE search SET text = NULL
  WHERE search MATCH '"' || old.message_id || '"' AND text IS NOT NULL;
END;

CREATE TRIGGER search_forgets_deleted AFTER UPDATE OF sendbox ON messages WHEN new.sendbox IS NULL
BEGIN
  DELETE FROM search WHERE search MATCH '"' || new.id || '"';
END;

CREATE TRIGGER search_forgets_message AFTER DELETE ON messages
BEGIN
  DELETE FROM search WHERE search MATCH '"' || old.id || '"';
END;
