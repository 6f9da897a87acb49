"""Logins: who a client is, asked of the API, and how often it may be wrong."""

import base64
import binascii
import hashlib
import ipaddress
import json
import secrets
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from http import HTTPStatus

from smtp_relay import addresses
from smtp_relay.answers import Answer
from smtp_relay.api import Api, ApiSilent, ApiUnavailable

ANY_USER = "jwt"
_REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 10_000

MAX_FAILURES = 10
_FAILURE_SECONDS = 300.0

BAD = "535 5.7.8 {detail}"
UNAVAILABLE = "454 4.7.0 Who you are can't be checked now: {detail}"
_OTHER_ADDRESS = "The user name must be jwt, or the credential's own address"


@dataclass(frozen=True, slots=True)
class Login:
    """Who has logged in: a credential, and the address that it is of.

    ``is_renewable`` where the client knows a password, which another credential is given for.
    """

    credential: str
    address: str
    is_renewable: bool = False


class LoginRefused(Exception):
    """Nobody was logged in. The text is the SMTP reply; ``is_failure`` counts as a bad guess."""

    def __init__(self, reply: str, *, is_failure: bool) -> None:
        super().__init__(reply)
        self.reply = reply
        self.is_failure = is_failure


class Logins:
    """Checks names and passwords, and remembers good ones for a minute."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._salt = secrets.token_bytes(16)
        self._good: OrderedDict[bytes, tuple[float, Login]] = OrderedDict()

    async def check(self, user: str, password: str) -> Login:
        """Log in.

        :raises LoginRefused: the name or the password is wrong, or the API can't say.
        """
        memory_key = self._memory_key(user, password)
        login = self._remembered(memory_key)
        if login is None:
            login = await self._ask(user, password)
            self._remember(memory_key, login)
        return login

    def forget(self, login: Login) -> None:
        """Ask again the next time: the API no longer takes the credential of ``login``."""
        for memory_key in [key for key, (_, known) in self._good.items() if known == login]:
            del self._good[memory_key]

    async def _ask(self, user: str, password: str) -> Login:
        try:
            address = _claimed_address(password)
            if address is None and user.lower() != ANY_USER:
                return await self._ask_for_password(user, password)
            answer = await self._api.check_credential(password)
        except (ApiUnavailable, ApiSilent) as error:
            detail = "the API does not answer"
            raise LoginRefused(UNAVAILABLE.format(detail=detail), is_failure=False) from error
        if answer.status != HTTPStatus.OK or answer.body.get("success") is not True:
            raise _refusal(answer)
        if address is None:
            raise LoginRefused(BAD.format(detail="Invalid address credential"), is_failure=True)
        if user.lower() != ANY_USER and addresses.key(user) != addresses.key(address):
            raise LoginRefused(BAD.format(detail=_OTHER_ADDRESS), is_failure=True)
        return Login(password, address)

    async def _ask_for_password(self, user: str, password: str) -> Login:
        digest = hashlib.sha256(password.encode()).hexdigest()
        answer = await self._api.address_login(user, digest)
        credential, address = answer.body.get("jwt"), answer.body.get("address")
        if answer.status != HTTPStatus.OK or not isinstance(credential, str):
            raise _refusal(answer)
        address = address if isinstance(address, str) else user
        return Login(credential, address, is_renewable=True)

    def _memory_key(self, user: str, password: str) -> bytes:
        # What is kept tells nobody a password.
        text = f"{user.lower()}\0{password}".encode()
        return hashlib.blake2b(text, key=self._salt, digest_size=32).digest()

    def _remembered(self, memory_key: bytes) -> Login | None:
        until, login = self._good.get(memory_key, (0.0, None))
        return login if time.monotonic() < until else None

    def _remember(self, memory_key: bytes, login: Login) -> None:
        self._good.pop(memory_key, None)
        self._good[memory_key] = (time.monotonic() + _REMEMBERED_SECONDS, login)
        while len(self._good) > _MOST_REMEMBERED or self._oldest_is_over():
            self._good.popitem(last=False)

    def _oldest_is_over(self) -> bool:
        until, _ = next(iter(self._good.values()))
        return until <= time.monotonic()


class Failures:
    """Who has failed to log in how often in the last five minutes."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, client: str) -> None:
        """Count a failure of the client at this address."""
        times = self._times.setdefault(_network(client), deque(maxlen=MAX_FAILURES))
        times.append(time.monotonic())
        self._times.move_to_end(_network(client))
        while len(self._times) > _MOST_REMEMBERED:
            self._times.popitem(last=False)

    def is_over(self, client: str) -> bool:
        """Whether the client at this address has failed too often to try again now."""
        times = self._times.get(_network(client), deque())
        started = time.monotonic() - _FAILURE_SECONDS
        return len(times) == MAX_FAILURES and times[0] > started


def _network(client: str) -> str:
    """The addresses that one client has: of IPv6 a whole network (RFC 6177)."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and not address.ipv4_mapped:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return client


def _refusal(answer: Answer) -> LoginRefused:
    """What a client is told that the API has not let in."""
    is_definite = answer.status == HTTPStatus.UNAUTHORIZED or (
        answer.code is not None
        and HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
        and answer.status != HTTPStatus.TOO_MANY_REQUESTS
    )
    # The site's password is the relay's to give, not the client's.
    is_bad = is_definite and answer.code != "site_password_required"
    reply = (BAD if is_bad else UNAVAILABLE).format(detail=answer.detail)
    return LoginRefused(reply, is_failure=is_bad)


def _claimed_address(password: str) -> str | None:
    """The address that ``password`` names if it is a JWT; its signature is for the API to check."""
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
