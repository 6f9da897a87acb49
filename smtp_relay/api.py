"""The client for the API's endpoints that the relay uses."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from smtp_relay.api_response import ApiResponse
from smtp_relay.client_pool import ClientPool, NoConnection
from smtp_relay.metrics import Histogram
from smtp_relay.settings import Settings

_LOGIN_SECONDS = 20.0
# Logins have connections of their own, so that slow messages can't prevent them.
_MESSAGES_PER_LOGIN = 10
# Shorter than the idle timeout of common servers. Otherwise a message could be posted while the
# server closes the connection, and its outcome would be unknown.
_KEEP_ALIVE_SECONDS = 4.0

_PATHS = ("/health_check", "/open_api/credential_login", "/api/address_login", "/api/send_mail")
_OWN_HEADERS = {
    "Accept": "application/json",
    "x-error-format": "json",  # the replies need the codes, and ERROR_FORMAT may be text
    "x-lang": "en",
    "User-Agent": "send-mail-smtp",
}
_PIECE_BYTES = 64 * 1024
_JSON = {"Content-Type": "application/json"}

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)


class ApiUnavailable(Exception):
    """The relay got no connection to the API, so the API has not received the request."""


class ApiBusy(ApiUnavailable):
    """The connections to the API were in use, so the API has not received the request."""


class ApiSilent(Exception):
    """The API has not responded. It may have received and processed the request."""


class Api:
    """The API at ``settings.api_url``."""

    def __init__(self, settings: Settings, seconds: Histogram) -> None:
        """Create the client, without connecting. ``seconds`` records request durations."""
        self._urls = {path: httpx.URL(settings.api_url + path) for path in _PATHS}
        self._headers = _OWN_HEADERS.copy()
        if settings.site_password:
            self._headers["x-custom-auth"] = settings.site_password
        self._seconds = seconds
        self._send_seconds = settings.api_seconds
        wait_seconds = settings.api_connection_seconds
        ssl_context = httpx.create_ssl_context()  # shared, because loading certificates is slow

        def make() -> httpx.AsyncClient:
            return httpx.AsyncClient(
                verify=ssl_context,
                # `_request` limits the time of the whole request.
                timeout=httpx.Timeout(None, connect=wait_seconds),
                limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEEP_ALIVE_SECONDS),
            )

        def pool(limit: int) -> ClientPool:
            return ClientPool(
                limit, make, wait_seconds=wait_seconds, idle_seconds=_KEEP_ALIVE_SECONDS
            )

        self._for_messages = pool(settings.api_connections)
        self._for_logins = pool(-(-settings.api_connections // _MESSAGES_PER_LOGIN))

    async def aclose(self) -> None:
        """Close all connections."""
        await asyncio.gather(self._for_messages.close(), self._for_logins.close())

    async def close_idle_connections(self) -> None:
        """Keep closing idle connections, until the task is cancelled."""
        await asyncio.gather(self._for_messages.close_idle(), self._for_logins.close_idle())

    async def health(self) -> ApiResponse:
        """Request a health check: status 200 if the API and its database respond.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        client = self._for_logins.client(user="")
        return await self._request(client, "GET", "/health_check", b"", {}, seconds=_LOGIN_SECONDS)

    async def check_credential(self, credential: str) -> ApiResponse:
        """Check ``credential``: status 200 if it is valid, 401 if not.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        return await self._log_in(
            "/open_api/credential_login", {"credential": credential}, user=credential
        )

    async def address_login(self, address: str, password_sha256: str) -> ApiResponse:
        """Exchange a password, given as a hex digest, for the credential of ``address``.

        Status 200 has the credential as ``jwt`` in the body. A wrong password is a 401. A 403 means
        that the API has no password login.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        return await self._log_in(
            "/api/address_login", {"email": address, "password": password_sha256}, user=address
        )

    async def send_mail(
        self, credential: str, body: bytes, key: str | None, *, user: str
    ) -> ApiResponse:
        """Send the message that ``body`` describes, with ``key`` as its idempotency key.

        ``user`` is the address of the credential. Users share the connections.

        :raises ApiUnavailable, ApiSilent: as ``_request`` does.
        """
        headers = {**_JSON, "Authorization": f"Bearer {credential}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        client = self._for_messages.client(user)
        return await self._request(
            client, "POST", "/api/send_mail", body, headers, seconds=self._send_seconds
        )

    async def _log_in(self, path: str, fields: dict[str, str], *, user: str) -> ApiResponse:
        body = json.dumps(fields).encode()
        client = self._for_logins.client(user)
        return await self._request(client, "POST", path, body, _JSON, seconds=_LOGIN_SECONDS)

    async def _request(
        self,
        waiting_client: AbstractAsyncContextManager[httpx.AsyncClient],
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        *,
        seconds: float,
    ) -> ApiResponse:
        """Wait for a client. Then send a request, and wait at most ``seconds`` for the response.

        :raises ApiUnavailable: the API has not received the request.
        :raises ApiSilent: the API may have received the request.
        """
        all_headers = {**self._headers, **headers}
        content: bytes | AsyncIterator[bytes] = body
        if len(body) > _PIECE_BYTES:
            # Send the body in pieces. Each layer of httpx would copy a whole body, and keep the
            # copy until the server has read it.
            all_headers["Content-Length"] = str(len(body))
            content = _pieces(body)
        # Built here, because `client.request` would parse and merge the URL each time.
        request = httpx.Request(
            method,
            self._urls[path],
            headers=[(name.encode(), value.encode()) for name, value in all_headers.items()],
            content=content,
        )
        began = time.perf_counter()
        try:
            async with waiting_client as client, asyncio.timeout(seconds):
                response = await client.send(request)
        except NoConnection as error:
            raise ApiBusy(type(error).__name__) from error
        except _NOT_SENT as error:
            raise ApiUnavailable(type(error).__name__) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise ApiSilent(type(error).__name__) from error
        finally:
            self._seconds.observe(time.perf_counter() - began)
        return ApiResponse(
            response.status_code, _json(response), response.headers.get("Retry-After")
        )


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
