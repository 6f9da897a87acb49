"""The actor of an operation in the audit log."""

from typing import NamedTuple


class Actor(NamedTuple):
    """An actor: their name, and the IP address of their client (``source``).

    ``name`` is ``admin#1`` (the position of the password in ``ADMIN_PASSWORDS``), ``admin`` if
    no password is required, a mail address, or ``anybody`` for an anonymous client.
    """

    name: str
    source: str | None
    is_administrator: bool = False
