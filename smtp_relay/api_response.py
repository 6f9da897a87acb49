"""A response of the API."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """One response of the API.

    ``body`` is empty if the response is not a JSON object. ``retry_after`` is the value of the
    Retry-After header.
    """

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    retry_after: str | None = None

    @property
    def code(self) -> str | None:
        """The error code (docs/errors.md). None for a success, or if a proxy responded."""
        code = self.body.get("code")
        return code if isinstance(code, str) else None

    @property
    def detail(self) -> str:
        """The sentence that describes the error."""
        return str(self.body.get("detail") or f"The API responded with status {self.status}")

    @property
    def message_id(self) -> str | None:
        """The API's id of the accepted message, None if it accepted none."""
        accepted = self.status in (HTTPStatus.OK, HTTPStatus.ACCEPTED) and self.body.get("id")
        return str(accepted) if accepted else None

    @property
    def is_uncertain(self) -> bool:
        """Whether the message may have been sent although the response does not say so.

        Such a response comes from a proxy in front of the API, or from a bug in the API. Cloudflare
        can return its own 5xx, even a 503, after the provider has accepted the message.
        """
        if self.status < HTTPStatus.BAD_REQUEST:
            return self.message_id is None
        if self.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return False
        return self.code in (None, "internal_error")
