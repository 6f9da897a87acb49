"""Requests to the HTTP APIs of providers."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Response(Protocol):
    """The response of a provider, and the beginning of its body.

    ``error_type`` is the header X-Amzn-ErrorType of AWS.
    """

    @property
    def status(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def error_type(self) -> str | None: ...


# (url, headers, body) -> the response. Raises TimeoutError if there was no response in time, and
# any other exception if the request failed. In both cases the request may have arrived.
Post = Callable[[str, dict[str, str], bytes], Awaitable[Response]]
