"""The ``RATE_LIMITER`` binding: it counts requests by key."""

from log import log
from runtime.coroutines import result_of
from subrequests import Subrequests

_TIMEOUT_MILLISECONDS = 1000


class BindingRateLimiter:
    """A ``RateLimiter`` (``services.py``). ``wrangler.toml`` sets its limits."""

    def __init__(self, subrequests: Subrequests) -> None:
        self._subrequests = subrequests

    async def admits(self, key: str) -> bool:
        self._subrequests.count()
        try:
            return bool(await result_of("admits", key, _TIMEOUT_MILLISECONDS))
        except Exception as error:  # also one that Pyodide raises itself
            # Fail open: a broken limiter must not take the service down.
            log("rate_limiter_error", kind=type(error).__name__)
            return True
