"""The rate limit of a credential, and how an answer tells of it.

``RateLimit-Policy`` and ``RateLimit`` are those of draft-ietf-httpapi-ratelimit-headers-10; the
three ``ratelimit-...`` headers are those that clients of the Resend API read.
"""

from typing import NamedTuple

_POLICY = '"send"'


class RateLimit(NamedTuple):
    """At most ``quota`` messages in a window of so many ``seconds``, from its first message on."""

    quota: int
    seconds: int


class RateState(NamedTuple):
    """How many more messages the window takes, and the seconds until the next one begins."""

    remaining: int
    reset: int


def policy_headers(limit: RateLimit) -> dict[str, str]:
    """The headers of every answer of an endpoint that sends."""
    return {
        "RateLimit-Policy": f"{_POLICY};q={limit.quota};w={limit.seconds}",
        "ratelimit-limit": str(limit.quota),
    }


def state_headers(state: RateState) -> dict[str, str]:
    """The headers of an answer for which the database was asked."""
    return {
        "RateLimit": f"{_POLICY};r={state.remaining};t={state.reset}",
        "ratelimit-remaining": str(state.remaining),
        "ratelimit-reset": str(state.reset),
    }
