-- Failed logins of the last minutes, each with the key of its client (accounts/clients.py). All
-- addresses share 65,536 counters of at most a hundred rows, so failed logins can't fill the table,
-- even with addresses that do not exist. Wrong passwords in requests with a credential have one more
-- counter per address: the negative id of the address. The failures before this migration end.
DROP TABLE login_failures;
CREATE TABLE login_failures (
  id INTEGER PRIMARY KEY,
  counter INTEGER NOT NULL CHECK (counter <= 65535),
  failed_at INTEGER NOT NULL,
  client TEXT NOT NULL
) STRICT;

CREATE INDEX login_failures_by_counter ON login_failures (counter, failed_at, client);
