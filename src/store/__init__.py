"""All SQL: batches of statements, each batch one transaction and one round trip.

- **Every batch may run twice**, because D1's answer can be lost. Ids are made before it, and a
  statement that a repetition must not carry out again says so in its WHERE.
- **One JSON parameter a statement.** The statements of a batch share it and read it with ``->>``;
  sets are read with ``json_each``, so that no statement grows with their size. Texts and
  attachments are bound as they are: SQLite's JSON functions cut a text at its first NUL.
- **Rows written are counted.** D1's free plan limits them, and every index entry is one. Tables
  whose key is not a number are stored by that key (WITHOUT ROWID), open messages have partial
  indexes, and a recipient has the status of its message until a delivery event arrives. A sent
  message to one recipient writes 10 rows, one more with an idempotency key, one more with a rate
  limit, and one more for each further megabyte of text.
- **Ids sort by time** (UUID version 7), so what is old is at the start of the primary key.
- **A page starts at a cursor**, and costs the same wherever that is. ``limit`` and ``offset`` cost
  what they skip, and counting counts; older clients of the sendbox ask for both.
- **A change and its row of the audit log are one batch**, the row in front under the same
  conditions, so that it also tells whether this request made the change.
"""
