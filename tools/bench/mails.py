"""The mails that the benchmark sends: a request body of the API with a text of a given size."""

import json

SENDER = "bench@example.com"
SENDER_NAME = "Bench"
RECIPIENT = "someone@example.net"
RECIPIENT_NAME = "Someone"
SUBJECT = "How long does this take?"

KIB = 1024
TINY = 60
SMALL = 10 * KIB
LARGE = 256 * KIB
SIZES = (SMALL, LARGE)
ALL_SIZES = (TINY, *SIZES)

# The text is not all ASCII, like most mail. Python and JavaScript store such text differently.
_LINE = "The quick brown fox jumps over the lazy dog, \u201cjust like that\u201d.\n"


def content(size: int) -> str:
    """A text of `size` bytes in UTF-8."""
    line = len(_LINE.encode())
    return _LINE * (size // line) + "." * (size % line)


def request_body(size: int) -> bytes:
    """The body of a request to `/api/send_mail` that sends a text of `size` bytes."""
    body = {
        "from_name": SENDER_NAME,
        "to_mail": RECIPIENT,
        "to_name": RECIPIENT_NAME,
        "subject": SUBJECT,
        "content": content(size),
        "is_html": False,
    }
    return json.dumps(body, ensure_ascii=False).encode()
