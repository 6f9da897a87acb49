-- Times are Unix milliseconds, UTC. Tables whose key is not a number are stored by that key
-- (WITHOUT ROWID): every index entry is a row written, and rows written are the free plan's quota.

-- AUTOINCREMENT: an id is never reused, so that an old credential can't match a new address.
-- `sendbox` is the number of its present sendbox: clearing starts another one, which writes one
-- row, however much is cleared.
CREATE TABLE addresses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (name = lower(name) AND instr(name, '@') > 1),
  credential_version INTEGER NOT NULL DEFAULT 0 CHECK (credential_version >= 0),
  password_hash TEXT,
  source_meta TEXT,
  sendbox INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- No row: DEFAULT_SEND_BALANCE has not been granted yet.
CREATE TABLE send_balances (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  balance INTEGER NOT NULL CHECK (balance >= 0),
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;

-- Requests for a balance, which an administrator may grant. A send writes no entry here.
CREATE INDEX send_balances_requested ON send_balances (created_at, address_id)
  WHERE balance = 0 AND NOT enabled;

-- The id is a UUID of version 7, which sorts by time. address_id has no foreign key: a message
-- and its history outlive their address.
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  address_id INTEGER NOT NULL,
  -- The sendbox of its address at its acceptance; NULL when it was deleted. Such a row stays for a
  -- day, for its idempotency key.
  sendbox INTEGER DEFAULT 0,
  sender TEXT NOT NULL,
  sender_name TEXT,
  subject TEXT NOT NULL,
  -- The fields that no statement filters by, as JSON (mail/message.py); NULL when it has none.
  details TEXT CHECK (details IS NULL OR json_valid(details)),
  size INTEGER NOT NULL CHECK (size > 0),
  recipients INTEGER NOT NULL CHECK (recipients BETWEEN 1 AND 50),
  charge INTEGER NOT NULL CHECK (charge BETWEEN 0 AND recipients),
  -- Its recipients are those of the sandbox: it never leaves the Worker and costs nothing.
  is_sandbox INTEGER NOT NULL DEFAULT 0 CHECK (is_sandbox IN (0, 1)),
  status TEXT NOT NULL CHECK (
    status IN ('scheduled', 'queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled')
  ),
  -- Grows at each claim: a result of an earlier attempt applies to nothing.
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  lease_until INTEGER,
  -- Identifies the claim, so that a worker whose answer was lost recognises its own.
  claimed_by TEXT,
  next_attempt_at INTEGER,
  -- When to send it, unless that was at once.
  scheduled_at INTEGER,
  provider_message_id TEXT,
  -- The provider's own word for why it failed, and ours (transport/outcome.py).
  provider_code TEXT,
  reason TEXT,
  accepted_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- The request that made it: its id in the log, the caller's idempotency key (until a day has
  -- passed), the SHA-256 of what it asked for, and what its caller was told first.
  request_id TEXT,
  idempotency_key TEXT,
  request_digest TEXT,
  reported_as TEXT CHECK (reported_as IN ('sent', 'queued', 'failed', 'unknown')),
  -- The response to a batch, kept with its first message: JSON, one entry a message.
  batch_answer TEXT CHECK (batch_answer IS NULL OR json_valid(batch_answer)),
  -- The message that this one repeats.
  retry_of TEXT,
  CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
  CHECK ((status IN ('scheduled', 'queued')) = (next_attempt_at IS NOT NULL)),
  CHECK ((status IN ('sent', 'failed', 'unknown', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_by_address ON messages (address_id, sendbox, id);
CREATE INDEX messages_leased ON messages (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX messages_due ON messages (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX messages_deleted ON messages (id) WHERE sendbox IS NULL;

-- The waiting messages of an address, to cancel them with it.
CREATE INDEX messages_waiting ON messages (address_id) WHERE next_attempt_at IS NOT NULL;

-- One message a key, and one repetition a message; neither costs a row where there is none.
CREATE UNIQUE INDEX messages_by_idempotency_key ON messages (address_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX messages_by_retry_of ON messages (retry_of) WHERE retry_of IS NOT NULL;

-- One row a recipient, because delivery events come by recipient. Until then the status is NULL,
-- and the recipient has the status of the message: so the end of a message writes no row here.
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

-- The history of a message: rows are added, never changed. Its acceptance is its own row. An
-- event of a delivery names its recipient.
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

-- Text and HTML apart from their message, in parts that fit into a D1 value, so that counting
-- and listing messages never reads them.
CREATE TABLE bodies (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('text', 'html')),
  part INTEGER NOT NULL CHECK (part >= 0),
  content TEXT NOT NULL,
  PRIMARY KEY (message_id, kind, part)
) STRICT, WITHOUT ROWID;

-- The content of attachments of messages that are still to be sent, as base64 in parts that fit
-- into a D1 value. (D1 returns a BLOB as a list of numbers, four times as long.)
CREATE TABLE attachment_parts (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  part INTEGER NOT NULL CHECK (part >= 0),
  content TEXT NOT NULL,
  PRIMARY KEY (message_id, position, part)
) STRICT, WITHOUT ROWID;

-- Recipients of accepted messages by UTC day (YYYY-MM-DD), over all addresses.
CREATE TABLE daily_recipients (
  day TEXT PRIMARY KEY CHECK (length(day) = 10),
  recipients INTEGER NOT NULL CHECK (recipients >= 0)
) STRICT, WITHOUT ROWID;

-- How many messages a credential has sent in its present window (SEND_RATE_LIMIT).
CREATE TABLE rate_windows (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  started_at INTEGER NOT NULL,
  used INTEGER NOT NULL CHECK (used > 0)
) STRICT;

-- Administrators' lists. Values are in lower case: a name (name_block), an address or a domain
-- (send_block), a recipient (verified), an own address (unlimited). `given` is the entry as it was
-- written, `position` its place in the list.
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

-- What administrators set at run time, as JSON.
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;

-- How far a sweep over all messages has come: ids sort by time.
CREATE TABLE sweeps (
  name TEXT PRIMARY KEY,
  position TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The sendboxes of an address up to this number are to be emptied by the cron. The address may be
-- gone.
CREATE TABLE sendbox_purges (
  address_id INTEGER PRIMARY KEY,
  sendbox INTEGER NOT NULL
) STRICT;

-- Finished messages by the UTC day (YYYY-MM-DD) of their acceptance and by address. `others` are
-- those that are unknown or cancelled. Open messages are counted by their indexes, so that
-- acceptance writes nothing here.
CREATE TABLE usage_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  address_id INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  others INTEGER NOT NULL,
  PRIMARY KEY (day, address_id)
) STRICT, WITHOUT ROWID;

-- Addresses too many of whose last messages failed or bounced. A lifted pause stays, so that only
-- messages after it count again.
CREATE TABLE send_pauses (
  address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
  paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
  since INTEGER NOT NULL
) STRICT;

CREATE INDEX send_pauses_in_force ON send_pauses (since) WHERE paused;

-- Failed logins of the last minutes. Addresses share 65,536 counters, so that guesses at unknown
-- addresses count like others and still can't fill the table.
CREATE TABLE login_failures (
  id INTEGER PRIMARY KEY,
  counter INTEGER NOT NULL CHECK (counter BETWEEN 0 AND 65535),
  failed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX login_failures_by_counter ON login_failures (counter, failed_at);

-- How many addresses a client has created on a UTC day (MAX_ADDRESSES_PER_CLIENT_PER_DAY).
CREATE TABLE client_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  client TEXT NOT NULL,
  addresses INTEGER NOT NULL CHECK (addresses > 0),
  PRIMARY KEY (day, client)
) STRICT, WITHOUT ROWID;

-- The audit log: who did what, to what, when and from where. Rows are added, never changed. The id
-- is a UUID of version 7, which sorts by time.
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

-- INSERT OR REPLACE would remove an existing row without firing the trigger above.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id)
BEGIN
  SELECT RAISE(IGNORE);
END;

-- The search index of the sendbox: one row a message, written by the cron and not by the send.
-- `head` has the words of the subject and the recipients, `text` those of the body, each as
-- `<address_id>_<word>`: a search reads the words of one address and no others. `message_id` is
-- one word too. rowid grows with message_id and so with time. FTS5 keeps the words as they were
-- given, so that a row can be removed from the index without its message.
CREATE VIRTUAL TABLE search USING fts5 (
  message_id, head, text, tokenize = "ascii tokenchars '_-'", detail = none, columnsize = 0
);

-- The index loses what a removed body or message had, in the same transaction.
CREATE TRIGGER search_forgets_text AFTER DELETE ON bodies
BEGIN
  UPDATE search SET text = NULL
  WHERE search MATCH '"' || old.message_id || '"' AND text IS NOT NULL;
END;

CREATE TRIGGER search_forgets_message AFTER DELETE ON messages
BEGIN
  DELETE FROM search WHERE search MATCH '"' || old.id || '"';
END;
