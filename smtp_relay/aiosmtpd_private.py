"""Every private member of aiosmtpd and asyncio that the relay needs, behind public names.

aiosmtpd 1.4.6 is pinned. Before an upgrade, compare the members below with the new source. Each of
them is used because there is no public hook for its purpose:

- ``_getaddr`` parses the path of MAIL and RCPT. aiosmtpd uses its parser for header fields, which
  accepts more than a path (RFC 5321, section 4.1.2) and takes quadratic time on hostile input.
- ``_timeout_cb`` closes an idle connection without a reply. The relay first sends a 421.
- ``_reset_timeout`` and ``_timeout_handle`` are the idle timer. The relay sets another timeout
  during DATA, and none while the API processes a message.
- ``_auth_require_tls`` is fixed when a connection is created. Whether a client may log in without
  TLS depends on the local address that it connects to.
- ``_reader`` is the stream of the connection, from which ``smtp_DATA`` reads a message.
- ``StreamReader._buffer`` holds the received bytes. ``unread`` inserts bytes before them.
  ``discard`` drops them, because a closed session stays in memory until the next garbage
  collection.
"""

import asyncio

from aiosmtpd.smtp import SMTP


class ExtensibleSMTP(SMTP):
    """aiosmtpd's protocol, with the hooks that it lacks."""

    def parse_path(self, argument: str) -> tuple[str | None, str | None]:
        """Return the address in the argument of MAIL or RCPT, and the parameters that follow it.

        The address is None if ``argument`` is malformed.
        """
        raise NotImplementedError

    def timed_out(self) -> None:
        """Handle a client that was idle for too long."""
        raise NotImplementedError

    @property
    def reader(self) -> asyncio.StreamReader:
        """The stream of bytes from the client."""
        return self._reader

    def require_tls_for_auth(self, is_required: bool) -> None:
        """Offer AUTH only after STARTTLS if ``is_required``, otherwise from the start."""
        self._auth_require_tls = is_required

    def start_timer(self, seconds: float | None = None) -> None:
        """Restart the idle timer with ``seconds``, or by default with the usual timeout."""
        self._reset_timeout(seconds)

    def stop_timer(self) -> None:
        """Stop the idle timer until the next ``start_timer``."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return self.parse_path(arg)

    def _timeout_cb(self) -> None:
        self.timed_out()


def unread(reader: asyncio.StreamReader, content: bytes) -> None:
    """Put ``content`` in front of what ``reader`` reads next."""
    buffer_of(reader)[:0] = content


def discard(reader: asyncio.StreamReader) -> None:
    """Drop the bytes that ``reader`` holds. Nothing will read them."""
    buffer_of(reader).clear()


def buffer_of(reader: asyncio.StreamReader) -> bytearray:
    """The bytes that ``reader`` has received, and that are not read yet."""
    buffer: bytearray = reader._buffer  # type: ignore[attr-defined]
    return buffer
