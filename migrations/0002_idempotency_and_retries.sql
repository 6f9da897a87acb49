-- The request that made a message: its id in the log, the caller's idempotency key (until a day
-- has passed), the SHA-256 of what it asked for, and the answer that it was given first.
ALTER TABLE messages ADD COLUMN request_id TEXT;
ALTER TABLE messages ADD COLUMN idempotency_key TEXT;
ALTER TABLE messages ADD COLUMN request_digest TEXT;
ALTER TABLE messages ADD COLUMN answer_status INTEGER;
ALTER TABLE messages ADD COLUMN answer_code TEXT;

-- Who holds the lease, so that a claim whose answer was lost is recognised as one's own.
ALTER TABLE messages ADD COLUMN claimed_by TEXT;

-- The message that this one was ordered to repeat.
ALTER TABLE messages ADD COLUMN retry_of TEXT;

-- One message a key, and one repetition a message; neither costs a row where there is none.
CREATE UNIQUE INDEX messages_by_idempotency_key ON messages (address_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX messages_by_retry_of ON messages (retry_of) WHERE retry_of IS NOT NULL;

-- How far a sweep over all messages has come: ids sort by time.
CREATE TABLE sweeps (
  name TEXT PRIMARY KEY,
  position TEXT NOT NULL
) STRICT, WITHOUT ROWID;
