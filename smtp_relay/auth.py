"""Authentication: checks with the API whether a user name and a password are valid."""

import asyncio
import base64
import binascii
import hashlib
import json
import math
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus

from smtp_relay import addresses, replies
from smtp_relay.api import Api, ApiSilent, ApiUnavailable
from smtp_relay.api_response import ApiResponse

_ANY_USER = "jwt"
_CACHE_SECONDS = 60.0
_KNOWN_SECONDS = 86_400.0
_MAX_CACHED = 10_000

_WRONG_USER = "The user name must be jwt or the address of the credential"


@dataclass(frozen=True, slots=True)
class Login:
    """A logged-in client: its credential, and the address that the credential belongs to.

    ``is_renewable`` is true if the client logged in with a password. The client can then log in
    again to get a new credential.
    """

    credential: str
    address: str
    is_renewable: bool = False


class LoginRejected(Exception):
    """The login failed. ``reply`` is the SMTP reply. ``is_failure``: count it as a wrong guess."""

    def __init__(self, reply: str, *, is_failure: bool) -> None:
        super().__init__(reply)
        self.reply = reply
        self.is_failure = is_failure


def wrong(detail: str) -> LoginRejected:
    """The error for a wrong user name or password."""
    return LoginRejected(replies.AUTH_WRONG.format(detail=detail), is_failure=True)


def unavailable(detail: str) -> LoginRejected:
    """The error for a login that the API can't check now."""
    return LoginRejected(replies.AUTH_UNAVAILABLE.format(detail=detail), is_failure=False)


class Authenticator:
    """Checks user names and passwords, and caches valid logins for a minute.

    It remembers for a day that a login was valid (see ``is_known``). Within this day, the login
    succeeds even if the API can't check it. The API checks the credential with each message anyway.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._salt = secrets.token_bytes(16)
        # Each login with the time of its last check. The oldest comes first.
        self._cache: OrderedDict[bytes, tuple[float, Login]] = OrderedDict()
        # The checks of known logins that are under way.
        self._checks: dict[bytes, asyncio.Task[Login]] = {}

    async def check(self, user: str, password: str) -> Login:
        """Check ``user`` and ``password``, and return the login.

        :raises LoginRejected: the user name or the password is wrong, or the API can't check them.
        """
        cache_key = self._cache_key(user, password)
        login = self._cached(cache_key, _CACHE_SECONDS)
        if login:
            return login
        if not self.is_known(user, password):
            return await self._check(cache_key, user, password)
        # Many connections of one program can use this login at the same time.
        check = self._checks.get(cache_key)
        if check is None:
            check = asyncio.create_task(self._check(cache_key, user, password))
            self._checks[cache_key] = check
            check.add_done_callback(lambda _: self._checks.pop(cache_key))
        return await asyncio.shield(check)

    def is_known(self, user: str, password: str) -> bool:
        """Whether this login was valid within the last day. If so, it is not a guess."""
        return self._cached(self._cache_key(user, password), _KNOWN_SECONDS) is not None

    def forget(self, login: Login) -> None:
        """Remove the cached logins of an address: the API has rejected the credential of ``login``.

        The others may have the credential of an earlier or a later login, which has ended too.
        """
        address = addresses.key(login.address)
        for cache_key, (_, cached) in list(self._cache.items()):
            if addresses.key(cached.address) == address:
                del self._cache[cache_key]

    async def _check(self, cache_key: bytes, user: str, password: str) -> Login:
        try:
            login = await self._ask(user, password)
        except LoginRejected as rejection:
            if rejection.is_failure:
                self._cache.pop(cache_key, None)
            # Read the cache only now: meanwhile `forget` may have removed the login.
            known = self._cached(cache_key, _KNOWN_SECONDS)
            if known is None:
                raise
            return known
        self._store(cache_key, login)
        return login

    async def _ask(self, user: str, password: str) -> Login:
        try:
            address = _claimed_address(password)
            if address is None and user.lower() != _ANY_USER:
                return await self._exchange_password(user, password)
            response = await self._api.check_credential(password)
        except (ApiUnavailable, ApiSilent) as error:
            raise unavailable("the API does not respond") from error
        if response.status != HTTPStatus.OK or response.body.get("success") is not True:
            raise _login_error(response)
        if address is None:
            raise wrong("Invalid address credential")
        if user.lower() != _ANY_USER and addresses.key(user) != addresses.key(address):
            raise wrong(_WRONG_USER)
        return Login(password, address)

    async def _exchange_password(self, user: str, password: str) -> Login:
        digest = hashlib.sha256(password.encode()).hexdigest()
        response = await self._api.address_login(user, digest)
        credential, address = response.body.get("jwt"), response.body.get("address")
        if response.status != HTTPStatus.OK or not isinstance(credential, str):
            raise _login_error(response)
        address = address if isinstance(address, str) else user
        return Login(credential, address, is_renewable=True)

    def _cache_key(self, user: str, password: str) -> bytes:
        # A keyed digest, so that the cache does not reveal passwords.
        text = f"{user.lower()}\0{password}".encode()
        return hashlib.blake2b(text, key=self._salt, digest_size=32).digest()

    def _cached(self, cache_key: bytes, seconds: float) -> Login | None:
        checked, login = self._cache.get(cache_key, (-math.inf, None))
        return login if time.monotonic() - checked < seconds else None

    def _store(self, cache_key: bytes, login: Login) -> None:
        self._cache.pop(cache_key, None)
        self._cache[cache_key] = (time.monotonic(), login)
        while len(self._cache) > _MAX_CACHED or self._oldest_has_expired():
            self._cache.popitem(last=False)

    def _oldest_has_expired(self) -> bool:
        checked, _ = next(iter(self._cache.values()))
        return time.monotonic() - checked >= _KNOWN_SECONDS


def account_name(user: str, password: str) -> str:
    """The account that a login is for, in a form for comparisons.

    The account is ``user``. If ``user`` is ``jwt`` and ``password`` is a credential, the account
    is the address in the credential.
    """
    address = _claimed_address(password) if user.lower() == _ANY_USER else None
    return addresses.key(address or user)


def _login_error(response: ApiResponse) -> LoginRejected:
    is_definite = response.status == HTTPStatus.UNAUTHORIZED or (
        response.code is not None
        and HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        and response.status not in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
    )
    # With this code, the mistake is in the relay's SITE_PASSWORD, and not the client's.
    if is_definite and response.code != "site_password_required":
        return wrong(response.detail)
    return unavailable(response.detail)


def _claimed_address(password: str) -> str | None:
    """The address in ``password`` if it is a JWT, otherwise None. Its signature is not verified."""
    pieces = password.split(".")
    if len(pieces) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4))
        claims = json.loads(payload)
    except (binascii.Error, ValueError, RecursionError):
        return None
    address = claims.get("address") if isinstance(claims, dict) else None
    return address if isinstance(address, str) else None
