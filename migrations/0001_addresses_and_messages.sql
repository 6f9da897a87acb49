-- Times are Unix milliseconds, UTC. Tables whose key is not a number are stored by that key
-- (WITHOUT ROWID): every index entry is a row written, and rows written are the free plan's quota.

-- AUTOINCREMENT: an id is never reused, so an old credential can't meet a new address.
CREATE TABLE addresses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (name = lower(name) AND instr(name, '@') > 1),
  credential_version INTEGER NOT NULL DEFAULT 0 CHECK (credential_version >= 0),
  password_hash TEXT,
  source_meta TEXT,
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

-- The id is a UUID of version 7, which sorts by time. address_id has no foreign key: a message
-- and what it says of the past outlive their address.
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  address_id INTEGER NOT NULL,
  sender TEXT NOT NULL,
  sender_name TEXT,
  subject TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0),
  recipients INTEGER NOT NULL CHECK (recipients BETWEEN 1 AND 50),
  charge INTEGER NOT NULL CHECK (charge BETWEEN 0 AND recipients),
  status TEXT NOT NULL CHECK (
    status IN ('scheduled', 'queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled')
  ),
  -- Grows at each claim: who holds an older number holds nothing.
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  lease_until INTEGER,
  next_attempt_at INTEGER,
  provider_message_id TEXT,
  provider_code TEXT,
  accepted_at INTEGER NOT NULL,
  finished_at INTEGER,
  CHECK ((status = 'sending') = (lease_until IS NOT NULL)),
  CHECK ((status IN ('scheduled', 'queued')) = (next_attempt_at IS NOT NULL)),
  CHECK ((status IN ('sent', 'failed', 'unknown', 'cancelled')) = (finished_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_by_address ON messages (address_id, id);
CREATE INDEX messages_leased ON messages (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX messages_due ON messages (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

-- One row a recipient: later news of a delivery come by recipient. Until then the status is NULL,
-- and the recipient's mail stands as its message does: so an end writes no row a recipient.
CREATE TABLE deliveries (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),
  kind TEXT NOT NULL CHECK (kind IN ('to', 'cc', 'bcc')),
  address TEXT NOT NULL,
  name TEXT,
  status TEXT CHECK (status IN ('sent', 'failed')),
  provider_code TEXT,
  PRIMARY KEY (message_id, position)
) STRICT, WITHOUT ROWID;

-- The history of a message: rows are added, never changed.
CREATE TABLE events (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  kind TEXT NOT NULL CHECK (
    kind IN ('accepted', 'deferred', 'sent', 'failed', 'unknown', 'cancelled')
  ),
  attempt INTEGER NOT NULL CHECK (attempt >= 0),
  provider_code TEXT,
  occurred_at INTEGER NOT NULL,
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

-- Recipients of accepted messages by UTC day (YYYY-MM-DD), over all addresses.
CREATE TABLE daily_recipients (
  day TEXT PRIMARY KEY CHECK (length(day) = 10),
  recipients INTEGER NOT NULL CHECK (recipients >= 0)
) STRICT, WITHOUT ROWID;

-- Administrators' lists. Values are in lower case: a name (name_block), an address or a domain
-- (send_block), a recipient (verified), an own address (unlimited).
CREATE TABLE list_entries (
  list TEXT NOT NULL CHECK (list IN ('name_block', 'send_block', 'verified', 'unlimited')),
  value TEXT NOT NULL CHECK (value = lower(value) AND value <> ''),
  PRIMARY KEY (list, value)
) STRICT, WITHOUT ROWID;

-- Recipients that the provider no longer delivers to.
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
