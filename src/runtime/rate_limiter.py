"""The binding ``RATE_LIMITER``, which counts the requests of each client."""

from typing import Any

from runtime.bridge import bridge
from runtime.log import log

_ANSWER_MILLISECONDS = 1000


class RateLimiter:
    """Limits as ``wrangler.toml`` says."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def admits(self, key: str) -> bool:
        """Count one more request under ``key``; False where it is one too many.

        A limiter that fails admits everybody: it must not shut the service.
        """
        try:
            return bool(await bridge().admits(self._binding, key, _ANSWER_MILLISECONDS))
        except Exception as error:  # also what Pyodide itself throws
            log("rate_limiter_error", kind=type(error).__name__)
            return True
