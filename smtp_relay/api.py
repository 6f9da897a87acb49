"""The API's client, for all that the relay asks."""

import asyncio
import json
import time
from typing import Any

import httpx

from smtp_relay.answers import Answer
from smtp_relay.connections import Connections, NoConnection
from smtp_relay.metrics import Histogram
from smtp_relay.settings import Settings

_LOGIN_SECONDS = 20.0
# Less than the time after which servers commonly close an idle connection: a mail that is posted
# just then would have an unknown outcome.
_KEEP_ALIVE_SECONDS = 4.0

_PATHS = ("/health_check", "/open_api/credential_login", "/api/address_login", "/api/send_mail")
_OWN_HEADERS = {"Accept": "application/json", "x-lang": "en", "User-Agent": "send-mail-smtp"}
_JSON = {"Content-Type": "application/json"}

_NOT_SENT = (
    NoConnection,
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)


class ApiUnavailable(Exception):
    """The API can't be reached: it has not got the request."""


class ApiSilent(Exception):
    """No answer has come: the API may have got the request, and carried it out."""


class Api:
    """The endpoints that the relay uses, at ``settings.api_url``."""

    def __init__(self, settings: Settings, seconds: Histogram) -> None:
        """Describe the client; ``seconds`` is where the time of each call is counted."""
        self._urls = {path: httpx.URL(settings.api_url + path) for path in _PATHS}
        self._headers = _OWN_HEADERS.copy()
        if settings.site_password:
            self._headers["x-custom-auth"] = settings.site_password
        self._seconds = seconds
        self._answer_seconds = settings.api_seconds
        patience = settings.api_connection_seconds
        certificates = httpx.create_ssl_context()  # takes long to load: once for all

        def make() -> httpx.AsyncClient:
            return httpx.AsyncClient(
                verify=certificates,
                timeout=httpx.Timeout(None, connect=patience),  # the rest has one for all of it
                limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEEP_ALIVE_SECONDS),
            )

        self._connections = Connections(
            settings.api_connections, make, patience=patience, keep_alive=_KEEP_ALIVE_SECONDS
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def close_idle_connections(self) -> None:
        """Close those that nothing has used for a while, for as long as this runs."""
        await self._connections.close_idle()

    async def health(self) -> Answer:
        """Whether the API and its database answer.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        return await self._request("GET", "/health_check", b"", {}, seconds=_LOGIN_SECONDS)

    async def check_credential(self, credential: str) -> Answer:
        """Whether ``credential`` is good: 200, or 401.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        return await self._log_in("/open_api/credential_login", credential=credential)

    async def address_login(self, address: str, password_sha256: str) -> Answer:
        """The credential of ``address``, as ``jwt`` of the answer's body: 200, 401, or 403.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        return await self._log_in("/api/address_login", email=address, password=password_sha256)

    async def send_mail(self, credential: str, body: bytes, key: str | None) -> Answer:
        """Send the mail that ``body`` describes.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        headers = {**_JSON, "Authorization": f"Bearer {credential}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self._request(
            "POST", "/api/send_mail", body, headers, seconds=self._answer_seconds
        )

    async def _log_in(self, path: str, **fields: str) -> Answer:
        body = json.dumps(fields).encode()
        return await self._request("POST", path, body, _JSON, seconds=_LOGIN_SECONDS)

    async def _request(
        self, method: str, path: str, body: bytes, headers: dict[str, str], *, seconds: float
    ) -> Answer:
        """Call the API, and wait at most ``seconds`` for the whole answer.

        :raises ApiUnavailable: it has not got the request.
        :raises ApiSilent: it may have got it.
        """
        all_headers = {**self._headers, **headers}
        # Made here and not by the client, which would put the URL together each time.
        request = httpx.Request(
            method,
            self._urls[path],
            headers=[(name.encode(), value.encode()) for name, value in all_headers.items()],
            content=body,
        )
        began = time.perf_counter()
        try:
            async with self._connections.client() as client, asyncio.timeout(seconds):
                response = await client.send(request)
        except _NOT_SENT as error:
            raise ApiUnavailable(type(error).__name__) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise ApiSilent(type(error).__name__) from error
        finally:
            self._seconds.observe(time.perf_counter() - began)
        return Answer(response.status_code, _json(response), response.headers.get("Retry-After"))


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
