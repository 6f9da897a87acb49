-- Failed logins of the last minutes. Addresses share 65,536 counters, so that guesses at addresses
-- that nobody has count like others and still can't fill the table.
CREATE TABLE login_failures (
  id INTEGER PRIMARY KEY,
  counter INTEGER NOT NULL CHECK (counter BETWEEN 0 AND 65535),
  failed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX login_failures_by_counter ON login_failures (counter, failed_at);

-- How many addresses a client has made on a UTC day (MAX_ADDRESSES_PER_CLIENT_PER_DAY).
CREATE TABLE client_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  client TEXT NOT NULL,
  addresses INTEGER NOT NULL CHECK (addresses > 0),
  PRIMARY KEY (day, client)
) STRICT, WITHOUT ROWID;
