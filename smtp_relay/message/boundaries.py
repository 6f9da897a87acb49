"""The boundary of a multipart: the declared one, or the one that its lines have.

Some programs write a boundary with a comment or in angle brackets without quotes, another one than
that of the lines, or none.
"""

import re

from smtp_relay.message.entity import MAX_BOUNDARY_BYTES, Entity, delimiters
from smtp_relay.message.errors import Malformed

# A delimiter before a part with a header.
_DELIMITER = re.compile(rb"\r\n--([!-~][ -~]*+)\r\nContent-[A-Z-]++[ \t]*+:", re.IGNORECASE)
_WORD = re.compile(rb"[0-9A-Za-z]")


def boundary_of(entity: Entity, declared: str) -> bytes:
    """The boundary of the multipart ``entity``.

    :raises Malformed: ``declared`` is not ASCII, and the boundary can't be guessed. Or the relay is
        strict, and ``declared`` does not occur.
    """
    boundary = declared.encode("ascii", "ignore")
    is_valid = declared.isascii() and 0 < len(boundary) <= MAX_BOUNDARY_BYTES
    if is_valid and any(delimiters(entity, boundary)):
        return boundary
    for match in _DELIMITER.finditer(entity.message, entity.start - len("\r\n"), entity.end):
        guessed = match[1].rstrip(b" ")
        if len(guessed) <= MAX_BOUNDARY_BYTES and _WORD.search(guessed):
            problem = Malformed(f"{entity.place}the boundary of the multipart does not occur")
            sentence = entity.about("boundary of the multipart guessed from its lines")
            entity.adaptations.add("guessed", sentence, problem)
            return guessed
    if not declared.isascii():
        raise Malformed(f"{entity.place}the boundary of the multipart is not ASCII")
    return boundary
