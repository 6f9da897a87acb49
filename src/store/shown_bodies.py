"""The bodies of one message in a view, bounded by the bytes that they take in the response.

A message has at most 3.9 MB of text, but a control character takes six bytes as JSON, and seven as
JSON within JSON. The database bounds the bodies, because whatever it returns exists in the Worker
several times: as rows, as JSON, and as texts.
"""

from store.database import Row
from store.message_content import MAX_PART_BYTES

# Of both bodies, as JSON within JSON. The response has them as JSON too.
MAX_BYTES = 1024 * 1024
CUT_CHARACTERS = 100_000  # of each body of a message that exceeds MAX_BYTES

_BYTES_PER_BYTE = 7  # at most, as JSON within JSON

# D1 allows 2,000,000 bytes for a value, also within a statement, so a part is measured in four
# pieces. A piece may begin and end within a character, because json_quote() changes only ASCII.
_PIECE_BYTES = MAX_PART_BYTES // 4
_PIECES = "(VALUES (0), (1), (2), (3))"

# The JSON functions of SQLite end at a NUL. The concatenation makes a text of the inner JSON, which
# would otherwise not be quoted again.
_PIECE_SIZE = f"""
CASE
  WHEN instr(piece, x'00') > 0 THEN {_BYTES_PER_BYTE} * length(piece)
  ELSE length(CAST(json_quote(json_quote(CAST(piece AS TEXT)) || '') AS BLOB))
END
"""

# The bodies of message ?1, if address ?2 sent it or ?2 is NULL.
_BODIES = """
FROM bodies JOIN messages ON id = message_id
WHERE message_id = ?1 AND address_id = coalesce(?2, address_id)
"""

# Most messages are so small, or so large, that their bytes are enough to know.
_FITS = f"""
SELECT CASE
  WHEN {_BYTES_PER_BYTE} * bytes <= {MAX_BYTES} THEN true
  WHEN bytes > {MAX_BYTES} THEN false
  ELSE (
    SELECT sum({_PIECE_SIZE}) <= {MAX_BYTES}
    FROM (
      SELECT substr(data, 1 + column1 * {_PIECE_BYTES}, {_PIECE_BYTES}) AS piece
      FROM (SELECT CAST(content AS BLOB) AS data {_BODIES}), {_PIECES}
    )
  )
END AS fits
FROM (SELECT sum(length(CAST(content AS BLOB))) AS bytes {_BODIES})
"""

# substr() of a text ends at a NUL.
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
