"""Reads the message after DATA, up to the line that consists of a dot."""

import asyncio
from collections.abc import AsyncIterator, Callable

from smtp_relay import replies
from smtp_relay.aiosmtpd_private import unread
from smtp_relay.memory import Reservation

_END_OF_MESSAGE = b"\r\n.\r\n"


class MessageRejected(Exception):
    """The message is too long, or other messages use the memory for it.

    The text is the SMTP reply.
    """


async def read_mail(
    reader: asyncio.StreamReader,
    *,
    max_bytes: int,
    reservation: Reservation,
    on_progress: Callable[[], None] = lambda: None,
) -> bytes:
    """Read the message, and remove the dots that the client added (RFC 5321, section 4.5.2).

    Only CR LF ends a line (section 2.3.8). A line has no limit of its own: many programs write long
    ones, in HTML or base64, for example. If a message is over a third larger than ``max_bytes``,
    or if there is no memory for it, it is read to its end, but not kept in memory.

    :param reservation: grows with the message. It is released if the message is not kept.
    :param on_progress: is called whenever the client has sent at least 64 KiB more.
    :raises MessageRejected: the message is longer than ``max_bytes``, or there is no memory for it.
    """
    # Added dots are not part of the size (RFC 1870). A client adds at most one per three bytes.
    limit = max_bytes + max_bytes // 3 + len(_END_OF_MESSAGE)
    read = await _read_to_end(reader, limit, reservation, on_progress)
    if read is None:
        raise MessageRejected(replies.TOO_LARGE.format(limit=max_bytes))
    mail = read.replace(b"\r\n.", b"\r\n")
    if len(mail) > max_bytes:
        raise MessageRejected(replies.TOO_LARGE.format(limit=max_bytes))
    return mail


async def _read_to_end(
    reader: asyncio.StreamReader,
    limit: int,
    reservation: Reservation,
    on_progress: Callable[[], None],
) -> bytes | None:
    """The message as the client sends it, with added dots. None if it exceeds ``limit`` bytes.

    :raises MessageRejected: there is no memory for the message.
    """
    # An empty message is only the line with the dot. With CR LF in front of it, even this message
    # ends with _END_OF_MESSAGE.
    unread(reader, b"\r\n")
    pieces: list[bytes] = []
    size = 0
    has_memory = True
    try:
        async for piece in _pieces(reader):
            on_progress()
            size += len(piece)
            has_memory = has_memory and (size > limit or reservation.grow(size))
            if size <= limit and has_memory:
                pieces.append(piece)
            else:
                pieces.clear()
                reservation.release()
        if size > limit:
            return None
        if not has_memory:
            raise MessageRejected(replies.NO_MEMORY)
        # Cut the first and the last piece before the pieces are joined. Cutting the joined message
        # would copy it, and many sessions can hold large messages at once.
        pieces[-1] = pieces[-1][:-3]
        pieces[0] = pieces[0][3 if pieces[0].startswith(b"\r\n.") else 2 :]
        return b"".join(pieces)
    finally:
        # An exception would keep the pieces in memory until the next garbage collection.
        pieces.clear()


async def _pieces(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The bytes that the client sends, up to and including the end of the message."""
    while True:
        try:
            piece = await reader.readuntil(_END_OF_MESSAGE)
        except asyncio.LimitOverrunError as error:
            yield await reader.read(error.consumed)
        else:
            yield piece
            return
