"""Why a mail can't be passed on. Every text names the field or part that is at fault."""


class Unsendable(Exception):
    """Base of these; ``reply`` begins the SMTP reply: its code and enhanced code (RFC 3463)."""

    reply = "554 5.6.0"


class Malformed(Unsendable):
    """The mail breaks a rule that makes its meaning unclear."""


class Uncarriable(Unsendable):
    """The mail is right, but holds what is not carried."""

    reply = "554 5.6.1"


class Loop(Unsendable):
    """The mail has passed so many servers that it must be going round in a circle."""

    reply = "554 5.4.6"
