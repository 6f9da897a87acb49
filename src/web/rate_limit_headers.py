"""The response headers about the rate limit of a credential.

``RateLimit-Policy`` and ``RateLimit`` follow draft-ietf-httpapi-ratelimit-headers-10; clients of
the Resend API read the three ``ratelimit-...`` headers.
"""

from accounts.sending_limits import RateLimit, RateState

_POLICY = '"send"'


def policy_headers(limit: RateLimit) -> dict[str, str]:
    """The headers in every response of a sending endpoint."""
    return {
        "RateLimit-Policy": f"{_POLICY};q={limit.quota};w={limit.seconds}",
        "ratelimit-limit": str(limit.quota),
    }


def state_headers(state: RateState) -> dict[str, str]:
    """The additional headers in a response when the database has reported ``state``."""
    return {
        "RateLimit": f"{_POLICY};r={state.remaining};t={state.reset}",
        "ratelimit-remaining": str(state.remaining),
        "ratelimit-reset": str(state.reset),
    }
