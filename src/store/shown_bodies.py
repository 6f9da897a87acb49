"""The bodies of one message in a view, bounded by the bytes that they take in the response.

A message has at most 3.9 MB of text, but a control character takes six bytes as JSON, and seven as
JSON within JSON. The SQL limits the bodies, because the Worker holds several copies of each row
that the database returns: as a row, as JSON, and as text.
"""

from store.database import Row
from store.json_size import MAX_GROWTH, json_size
from store.message_content import MAX_PART_BYTES

# The maximum size of both bodies together, as JSON within JSON (`raw` in the response). The
# response also has the bodies as JSON.
MAX_BYTES = 1024 * 1024
CUT_CHARACTERS = 100_000  # of each body of a message that exceeds MAX_BYTES

# D1 allows 2,000,000 bytes for a value, also within a statement, so a part is measured in four
# pieces. A piece may begin and end within a character, because json_quote() changes only ASCII.
_PIECE_BYTES = MAX_PART_BYTES // 4
_PIECES = "(VALUES (0), (1), (2), (3))"

# The bodies of message ?1, if address ?2 sent it or ?2 is NULL.
_BODIES = """
FROM bodies JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = coalesce(?2, address_id)
"""

# Whether the bodies have at most MAX_BYTES. They are measured as JSON within JSON only if their
# number of bytes does not decide this.
_FITS = f"""
SELECT CASE
  WHEN {MAX_GROWTH} * bytes <= {MAX_BYTES} THEN true
  WHEN bytes > {MAX_BYTES} THEN false
  ELSE (
    SELECT sum({json_size("piece")}) <= {MAX_BYTES}
    FROM (
      SELECT substr(data, 1 + column1 * {_PIECE_BYTES}, {_PIECE_BYTES}) AS piece
      FROM (SELECT CAST(content AS BLOB) AS data {_BODIES}), {_PIECES}
    )
  )
END AS fits
FROM (SELECT sum(length(CAST(content AS BLOB))) AS bytes {_BODIES})
"""

# If the bodies do not fit, only the beginning of each is returned. substr() stops at a NUL, so
# a beginning may be shorter than CUT_CHARACTERS.
SHOWN_BODIES = f"""
WITH measured AS MATERIALIZED ({_FITS})
SELECT
  kind, (SELECT NOT fits FROM measured) AS truncated,
  CASE
    WHEN (SELECT fits FROM measured) THEN content ELSE substr(content, 1, {CUT_CHARACTERS})
  END AS content
{_BODIES} AND (part = 0 OR (SELECT fits FROM measured))
ORDER BY kind, part
"""


def is_truncated(bodies: list[Row]) -> bool:
    """Whether the rows of ``SHOWN_BODIES`` are only the beginnings of the bodies."""
    return any(row["truncated"] for row in bodies)
