"""The actor of an operation in the audit log."""

from typing import NamedTuple


class Actor(NamedTuple):
    """The name and the client address of an actor.

    ``name`` is ``admin#1`` (the position of the password in ``ADMIN_PASSWORDS``), ``admin`` if
    no password is required, a mail address, or ``anybody`` for an anonymous client.
    """

    name: str
    source: str | None
    is_administrator: bool = False
