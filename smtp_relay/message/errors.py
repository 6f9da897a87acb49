"""Why a message can't be relayed. The text names the line, field or part with the error.

CannotRelay
├── Malformed
├── Unsupported
├── TooLarge
└── Loop
"""


class CannotRelay(Exception):
    """The base class. ``reply`` is the code and the enhanced code of the SMTP reply (RFC 3463)."""

    reply = "554 5.6.0"


class Malformed(CannotRelay):
    """The message breaks a rule, so that its meaning is unclear."""


class Unsupported(CannotRelay):
    """The message is valid, but contains something that the relay or the API does not support."""

    reply = "554 5.6.1"


class TooLarge(CannotRelay):
    """The request with the message would be larger than the API accepts."""

    reply = "552 5.3.4"


class Loop(CannotRelay):
    """The message has passed so many servers that it must be in a mail loop."""

    reply = "554 5.4.6"
