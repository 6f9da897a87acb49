-- Transports: the ways by which mail leaves a deployment (docs/transports.md). `transport` is the name
-- of the one of the present or last attempt, written before the attempt. NULL for messages to sandbox
-- recipients, and for messages from before this migration, which have left through the binding.
ALTER TABLE messages ADD COLUMN transport TEXT;

-- The provider of an attempt may be asked again with the same idempotency key until this time. Written
-- before an attempt by a transport with such keys, NULL once the outcome is known. So a `queued` message
-- with this time was perhaps sent already.
ALTER TABLE messages ADD COLUMN ask_until INTEGER;

-- The transport of the attempt, and the one that was tried next because this one rejected the message.
ALTER TABLE events ADD COLUMN transport TEXT;
ALTER TABLE events ADD COLUMN next_transport TEXT;

-- Transports that have failed for all mail, such as with a wrong key. `failures` is how often in a row;
-- 0 once it works again. Until `skipped_until`, other transports are used.
CREATE TABLE transport_states (
  name TEXT PRIMARY KEY,
  failures INTEGER NOT NULL CHECK (failures >= 0),
  skipped_until INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  failed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
