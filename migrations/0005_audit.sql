-- Who did what, on what, when and from where: what administrators changed, and what became of
-- credentials. Rows are added, never changed. The id is a UUID of version 7, which sorts by time.
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
  SELECT RAISE(ABORT, 'the audit trail is never changed');
END;

CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN
  SELECT RAISE(ABORT, 'the audit trail is never changed');
END;

-- An INSERT OR REPLACE would remove the row that is there, without asking the trigger above.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id)
BEGIN
  SELECT RAISE(IGNORE);
END;

-- A message lies in the sendbox of its address that had this number when it was accepted. Clearing
-- begins another one: one row written, however much is cleared. A message that lies in no sendbox
-- (NULL) was deleted; its row stays until it is a day old, for its idempotency key.
ALTER TABLE addresses ADD COLUMN sendbox INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN sendbox INTEGER DEFAULT 0;
DROP INDEX messages_by_address;
CREATE INDEX messages_by_address ON messages (address_id, sendbox, id);

CREATE INDEX messages_deleted ON messages (id) WHERE sendbox IS NULL;

-- What of an address waits, to be cancelled with it. Costs a row only where a message waits.
CREATE INDEX messages_waiting ON messages (address_id) WHERE next_attempt_at IS NOT NULL;

-- The sendboxes of an address up to this number are to be emptied by the sweep. The address may
-- be gone.
CREATE TABLE leftovers (
  address_id INTEGER PRIMARY KEY,
  sendbox INTEGER NOT NULL
) STRICT;

-- The entry as it was given, and its place in the list.
ALTER TABLE list_entries ADD COLUMN given TEXT;
ALTER TABLE list_entries ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
