"""What follows the command DATA: a mail, up to the line with a dot alone."""

import asyncio

from smtp_relay import replies

_END_OF_MAIL = b"\r\n.\r\n"


class TooLong(Exception):
    """The mail, or a line of it, is too long; the text is the SMTP reply to it."""


async def read_mail(reader: asyncio.StreamReader, *, max_bytes: int, max_line_bytes: int) -> bytes:
    """The mail, without the dots that were put in (RFC 5321, section 4.5.2).

    Only CR LF ends a line (section 2.3.8). A mail that is refused is read to its end, and no more
    of it is kept than could be allowed.

    :raises TooLong: it is larger than ``max_bytes``, or a line than ``max_line_bytes``.
    """
    # The first line may be the one with the dot: the end of the command's own line comes before it.
    reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
    # Dots that were put in don't count (RFC 1870), and are at most one for three bytes.
    most = max_bytes + max_bytes // 3 + len(_END_OF_MAIL)
    read = bytearray()
    size = 0
    ends = False
    while not ends:
        try:
            piece = await reader.readuntil(_END_OF_MAIL)
            ends = True
        except asyncio.LimitOverrunError as error:
            piece = await reader.read(error.consumed)
        size += len(piece)
        if size <= most:
            read += piece
        else:
            read.clear()
    # In place: it may be large, and so may be those of others.
    del read[-3:]
    del read[: 3 if read.startswith(b"\r\n.") else 2]
    mail = bytes(read)
    read.clear()
    mail = mail.replace(b"\r\n.", b"\r\n")
    if size > most or len(mail) > max_bytes:
        raise TooLong(replies.TOO_LARGE.format(limit=max_bytes))
    if _has_longer_line(mail, max_line_bytes):
        raise TooLong(replies.LINE_TOO_LONG.format(limit=max_line_bytes))
    return mail


def _has_longer_line(mail: bytes, limit: int) -> bool:
    """Whether a line has more than ``limit`` bytes before its CR LF."""
    start = 0
    while len(mail) - start > limit:
        end = mail.rfind(b"\r\n", start, start + limit + 2)
        if end < 0:
            return True
        start = end + 2
    return False
