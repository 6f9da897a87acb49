"""All SQL, in batches of statements. Each batch is one transaction and one round trip.

- **A credential must be valid.** A function with a parameter ``credential`` raises ``Unauthorized``
  with ``invalid_credential`` if the address was deleted or has another credential. A parameter
  ``owner`` only names an address.
- **Times are Unix milliseconds**, in columns and in parameters like ``now``.
- **Every batch may run twice**, because D1's response can be lost. Ids are made before the batch.
  The WHERE of a statement that must not take effect twice is false after the first run. If no run
  gets a response, the function raises ``DatabaseUnavailable``.
- **The statements of a batch share one JSON parameter** and read it with ``->>``. They read sets
  with ``json_each``, so no statement grows with the size of a set. Texts and attachments are bound
  as they are, because SQLite's JSON functions cut a text at its first NUL.
- **Few rows are written**, because D1's free plan limits them, and every index entry counts as a
  row. Tables whose key is not a number are stored by that key (WITHOUT ROWID), indexes of open
  messages are partial, and a recipient has the status of its message until a delivery event
  arrives. A sent message to one recipient writes 10 rows. An idempotency key, a rate limit, and
  each further megabyte of text add one row each.
- **Ids sort by time** (UUID version 7), so the oldest rows are at the start of the primary key.
- **A page starts at a cursor**, so every page costs the same. ``offset`` reads the rows that it
  skips, and a count reads all rows. The lists that older clients read have both.
- **A change and its audit row are written in one batch.** The audit row is inserted first, under
  the same conditions, so its insertion shows whether this request made the change.
"""
