"""The size of a text as JSON within JSON, like ``raw`` in a response, measured by the database."""

MAX_GROWTH = 7  # the most bytes that a byte of a text takes as JSON within JSON


def json_size(text: str) -> str:
    """SQL of the bytes that ``text`` takes as JSON within JSON. ``text`` is an SQL expression.

    The JSON functions of SQLite stop at a NUL, so a text with a NUL counts as ``MAX_GROWTH`` times
    its bytes. The concatenation turns the inner JSON into text, because json_quote() does not quote
    JSON again.
    """
    return f"""
    CASE
      WHEN instr(CAST({text} AS BLOB), x'00') > 0 THEN {MAX_GROWTH} * length(CAST({text} AS BLOB))
      ELSE length(CAST(json_quote(json_quote(CAST({text} AS TEXT)) || '') AS BLOB))
    END
    """
