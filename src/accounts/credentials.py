"""The address JWT: the credential that stands for one mail address (RFC 7519, HS256).

Claims: ``address``, ``address_id``, ``iat``, ``credential_version`` and, where credentials expire,
``exp``. Tokens of the service that this one replaces have only the first two, the id sometimes as
a string of digits; they count as version 0, with which every address starts.
"""

from dataclasses import dataclass, replace
from secrets import randbelow
from typing import Any

import jwt

from refusals import Unauthorized

_ALGORITHM = "HS256"
_MAX_TOKEN_CHARACTERS = 4096
_MAX_ID = 2**53 - 1  # what a JavaScript number, and so D1, holds exactly
_DAY_SECONDS = 86_400
_MOST_VERSIONS_PASSED = 2**30


@dataclass(frozen=True, slots=True)
class Credential:
    """What a verified token says. Whether the address is still there, only the database knows."""

    address: str
    address_id: int
    version: int


def rotated(credential: Credential) -> Credential:
    """The next credential of the same address.

    Its version is higher by a random step: whoever finds it in the database knows it for its own.
    """
    step = 1 + randbelow(_MOST_VERSIONS_PASSED)
    return replace(credential, version=credential.version + step)


def issue(credential: Credential, *, secret: str, now: int, lifetime_days: int = 0) -> str:
    """The token for ``credential``, signed with ``secret``.

    :param now: Unix seconds.
    :param lifetime_days: after so many days it expires; 0 for never.
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
    """Read ``token``, which any of ``secrets`` may have signed.

    :raises Unauthorized: ``invalid_credential``, whatever is wrong with it.
    """
    if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN_CHARACTERS:
        raise Unauthorized("invalid_credential")
    for secret in secrets:
        try:
            # RFC 7519 gives iat no say in validity; a clock that is a second behind must not.
            claims = jwt.decode(
                token, secret, algorithms=[_ALGORITHM], options={"verify_iat": False}
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
        return _credential(claims)
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
