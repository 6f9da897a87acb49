"""SMTP replies, each one line with an enhanced status code (RFC 3463).

After a 4xx the client may retry: the message is sent at most once. After a 5xx the client must not
retry: the retry would fail again, or could send the message twice.
"""

import re

_MAX_CHARACTERS = 500  # RFC 5321, section 4.5.3.1.5: 512 octets with CR and LF

_LINE = re.compile(r"(?P<code>[245]\d\d) (?!\d\.\d{1,3}+\.\d{1,3}+ )(?P<text>.*+)", re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]++")

# Most of aiosmtpd's own replies have no enhanced code. The relay adds these.
_ENHANCED = {
    "221": "2.0.0",
    "250": "2.0.0",
    "252": "2.0.0",
    "421": "4.3.0",
    "454": "4.7.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "504": "5.5.4",
    "552": "5.3.4",
    "553": "5.1.3",
    "555": "5.5.4",
}

TOO_LARGE = "552 5.3.4 The message is too large (max {limit} bytes)"
NO_MEMORY = "452 4.3.1 Too many messages at once: send this one again in a minute"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients (max {limit}): send the others separately"
TOO_MANY_FAILURES = "421 4.7.0 Too many failed logins: try again in a few minutes"
STOPPING = "421 4.3.2 The relay is stopping: try again later"
IDLE = "421 4.4.2 Idle for too long"
RELAY_FULL = "421 4.3.2 Too many connections: try again later"
CLIENT_FULL = "421 4.7.0 Too many connections from your address: close some, or try again later"
NO_RECIPIENTS = "554 5.5.1 No recipient was accepted"
LOGIN_OVER = "451 4.7.0 The login has expired: log in again and send the message again"
LOGIN_ENDED = "421 4.7.0 The login has expired: connect and log in again"
AUTH_TOO_LONG = "500 5.5.6 The response is too long"
AUTH_ENDLESS = "421 4.5.6 The response is too long"
AUTH_WRONG = "535 5.7.8 {detail}"
AUTH_UNAVAILABLE = "454 4.7.0 The login can't be checked now: {detail}"
INTERNAL_ERROR = "451 4.3.0 Internal error: the message was not sent, try again later"
API_UNAVAILABLE = "451 4.3.0 The API can't be reached: try again later"
API_BUSY = "451 4.3.2 Too many messages at once: send this one again in a minute"
API_SILENT = (
    "451 4.4.2 The API has not confirmed that the message was sent: "
    "send it again, it is sent at most once"
)
OUTCOME_UNKNOWN = (
    "554 5.3.0 It is not known whether the message was sent: the API has not confirmed it. "
    "Sending it again might send it twice"
)


def line(reply: str) -> str:
    """``reply`` as one line of printable ASCII, truncated to the maximum length."""
    clean = _UNPRINTABLE.sub(" ", reply).encode("ascii", "backslashreplace").decode()
    return clean if len(clean) <= _MAX_CHARACTERS else clean[: _MAX_CHARACTERS - 3] + "..."


def complete(reply: str) -> str:
    """``reply`` with an enhanced code: its own, or else the one that ``_ENHANCED`` has."""
    match = _LINE.fullmatch(reply)
    enhanced = _ENHANCED.get(match["code"]) if match else None
    return f"{match['code']} {enhanced} {match['text']}" if match and enhanced else reply
