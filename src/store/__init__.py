"""All SQL, in batches of statements. Each batch is one transaction and one round trip.

- **A credential must be valid.** A coroutine function with a parameter ``credential`` raises
  ``Unauthorized`` with ``invalid_credential`` if the address was deleted or its credential was
  replaced. A parameter ``owner`` only names an address.
- **Times are Unix milliseconds**, in columns and in parameters like ``now``.
- **A** ``repeatable`` **batch may run several times**, because D1's response can be lost. Ids are
  made before the batch. The WHERE of a statement that must not take effect twice is false after the
  first run. If no run gets a response, the function raises ``DatabaseUnavailable``.
- **Statements for several rows share one JSON parameter** and read it with ``->>`` and
  ``json_each``, so their SQL does not depend on the number of rows. Texts and attachments are bound
  outside of the JSON, because SQLite's JSON functions cut a text at its first NUL.
- **Few rows are written**, because D1's free plan limits the rows written, and every index entry
  counts as a row. Tables whose key is not a number are stored by that key (WITHOUT ROWID). Indexes
  of unfinished messages are partial. A recipient has the status of its message until a delivery
  event arrives. A sent message to one recipient writes 10 rows. An idempotency key, a rate limit,
  and each further megabyte of text add one row each.
- **Ids sort by time** (UUID version 7), so the oldest rows are at the start of the primary key.
- **A page by cursor** costs the same at every position. A page by ``offset`` also reads the rows
  that it skips, and a count reads all rows.
- **A change and its audit row are written in one batch.** The audit row is inserted first, under
  the conditions of the change, so its insertion shows whether this request made the change.
"""
