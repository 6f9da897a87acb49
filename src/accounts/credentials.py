"""The address JWT: the credential of one mail address (RFC 7519, HS256).

Claims: ``address``, ``address_id``, ``iat``, ``credential_version`` and, if credentials expire,
``exp``. Tokens of the service that this one replaces are accepted too. They have only the first two
claims, and their id may be a string of digits. They count as version 0, the first version of every
address.
"""

import math
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from secrets import randbelow
from typing import Any, NamedTuple

import jwt
from jwt.types import Options

from errors import Unauthorized

_ALGORITHM = "HS256"
MAX_TOKEN_CHARACTERS = 4096
_MAX_ID = 2**53 - 1  # the largest integer that JavaScript and D1 represent exactly
_DAY_SECONDS = 86_400
_MAX_VERSION_STEP = 2**30
# `iat` does not affect validity (RFC 7519), and its check fails if this clock is slow. The times
# are checked at each use of a token, its signature only once.
_UNCHECKED: Options = {"verify_iat": False, "verify_exp": False, "verify_nbf": False}


@dataclass(frozen=True, slots=True)
class Credential:
    """The claims of a verified token. Only the database knows whether the address still exists."""

    address: str
    address_id: int
    version: int

    @property
    def key(self) -> tuple[int, str, int]:
        """The id, name and version that the row of the address must have."""
        return self.address_id, self.address, self.version


def rotated(credential: Credential) -> Credential:
    """The next credential of the same address.

    Its version is higher by a random number. So, if D1 runs a rotation twice, the second run
    recognises the version that the first run wrote.
    """
    step = 1 + randbelow(_MAX_VERSION_STEP)
    return replace(credential, version=credential.version + step)


def issue(credential: Credential, *, secret: str, now: int, lifetime_days: int = 0) -> str:
    """The token for ``credential``, signed with ``secret``.

    :param now: Unix seconds.
    :param lifetime_days: days until the token expires; 0 means never.
    """
    claims = {
        "address": credential.address,
        "address_id": credential.address_id,
        "credential_version": credential.version,
        "iat": now,
    }
    if lifetime_days:
        claims["exp"] = now + lifetime_days * _DAY_SECONDS
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


def verify(token: object, *, secrets: tuple[str, ...]) -> Credential:
    """Return the claims of ``token``, which must be signed with one of ``secrets``.

    :raises Unauthorized: ``invalid_credential``, for every kind of error.
    """
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARACTERS:
        raise Unauthorized("invalid_credential")
    signed = _signed(token, secrets)
    if not signed.valid_from <= time.time() < signed.valid_until:
        raise Unauthorized("invalid_credential")
    return signed.credential


class _Signed(NamedTuple):
    """The claims of a token with a valid signature. The times are Unix seconds."""

    credential: Credential
    valid_from: float
    valid_until: float


# A pure function of its parameters. Only valid signatures are kept, so no client can fill it.
@lru_cache(maxsize=1024)
def _signed(token: str, secrets: tuple[str, ...]) -> _Signed:
    for secret in secrets:
        try:
            claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=_UNCHECKED)
            return _Signed(
                _credential(claims),
                valid_from=int(claims.get("nbf", 0)),
                valid_until=int(claims["exp"]) if "exp" in claims else math.inf,
            )
        except jwt.InvalidSignatureError:
            continue
        except (
            jwt.PyJWTError,
            ValueError,
            TypeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise Unauthorized("invalid_credential") from error
    raise Unauthorized("invalid_credential")


def _credential(claims: dict[str, Any]) -> Credential:
    address = claims.get("address")
    address_id = _integer(claims.get("address_id"))
    version = _integer(claims.get("credential_version", 0))
    if not isinstance(address, str) or not address.isascii() or not address_id or version is None:
        raise Unauthorized("invalid_credential")
    return Credential(address, address_id, version)


def _integer(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_ID:
        return None
    return value
