"""Reads the message after DATA, up to the line that consists of a dot."""

import asyncio

from smtp_relay import replies
from smtp_relay.aiosmtpd_private import unread

_END_OF_MESSAGE = b"\r\n.\r\n"


class TooLong(Exception):
    """The message, or a line of it, is too long. The text is the SMTP reply."""


async def read_mail(reader: asyncio.StreamReader, *, max_bytes: int, max_line_bytes: int) -> bytes:
    """Read the message, and remove the dots that the client added (RFC 5321, section 4.5.2).

    Only CR LF ends a line (section 2.3.8). A message that is too large is read to its end, but not
    kept in memory.

    :raises TooLong: the message is longer than ``max_bytes``, or a line than ``max_line_bytes``.
    """
    # An empty message is only the line with the dot. With CR LF in front of it, even this message
    # ends with _END_OF_MESSAGE.
    unread(reader, b"\r\n")
    # Added dots are not part of the size (RFC 1870). A client adds at most one per three bytes.
    limit = max_bytes + max_bytes // 3 + len(_END_OF_MESSAGE)
    read = bytearray()
    size = 0
    ends = False
    while not ends:
        try:
            piece = await reader.readuntil(_END_OF_MESSAGE)
            ends = True
        except asyncio.LimitOverrunError as error:
            piece = await reader.read(error.consumed)
        size += len(piece)
        if size <= limit:
            read += piece
        else:
            read.clear()
    # Cut without a copy, because many sessions can hold large messages at once.
    del read[-3:]
    del read[: 3 if read.startswith(b"\r\n.") else 2]
    mail = bytes(read)
    read.clear()
    mail = mail.replace(b"\r\n.", b"\r\n")
    if size > limit or len(mail) > max_bytes:
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
