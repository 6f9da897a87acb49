"""Address passwords: how they are made and how they are stored.

Clients send the SHA-256 hex digest of what a person typed. That digest is itself a password,
so it is stored only through a slow salted hash: PBKDF2-SHA-256 (RFC 8018, section 5.2), over
an HMAC with the deployment's pepper where one is set. The parameters stand in the stored
value, so that they can change later:
``$pbkdf2-sha256$i=100000,pepper=1$<salt>$<hash>``, both in unpadded base64.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable

ITERATIONS = 100_000  # the most that Workers lets crypto.subtle do
_SALT_BYTES = 16
_PASSWORD_BYTES = 12

_DIGEST = re.compile("[0-9a-f]{64}")
_STORED = re.compile(
    r"\$pbkdf2-sha256\$i=([0-9]+),pepper=([01])\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})"
)

# What a password is compared with where none is stored, so that this takes as long.
_OF_NOBODY = (str(ITERATIONS), "1", "A" * 22, "A" * 43)

# (password, salt, iterations) -> 32 bytes of PBKDF2-SHA-256; Pyodide's hashlib has none.
Derive = Callable[[bytes, bytes, int], Awaitable[bytes]]


def generate_password() -> str:
    """A new password of 96 random bits, in URL-safe characters."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def client_digest(password: str) -> str:
    """The SHA-256 hex digest that a client sends in place of ``password``."""
    return hashlib.sha256(password.encode()).hexdigest()


def is_client_digest(text: str) -> bool:
    """Whether ``text`` is what clients send in place of a password."""
    return _DIGEST.fullmatch(text) is not None


async def stored_form(digest: str, *, pepper: str | None, derive: Derive) -> str:
    """What the database keeps for the client's ``digest``."""
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = await derive(_peppered(digest, pepper), salt, ITERATIONS)
    parameters = f"i={ITERATIONS},pepper={int(bool(pepper))}"
    return f"$pbkdf2-sha256${parameters}${_base64(salt)}${_base64(derived)}"


async def matches(digest: str, stored: str | None, *, pepper: str | None, derive: Derive) -> bool:
    """Whether the client's ``digest`` is of the password that is ``stored``.

    It takes as long where nothing is stored, and wherever the two differ. A password that was
    stored before the deployment had a pepper is compared without it.
    """
    parsed = _STORED.fullmatch(stored or "")
    iterations, peppered, salt, expected = parsed.groups() if parsed else _OF_NOBODY
    secret = _peppered(digest, pepper if peppered == "1" else None)
    derived = await derive(secret, b64decode(salt + "=="), int(iterations))
    return hmac.compare_digest(_base64(derived), expected) and parsed is not None


def _peppered(digest: str, pepper: str | None) -> bytes:
    secret = digest.encode()
    return hmac.digest(pepper.encode(), secret, "sha256") if pepper else secret


def _base64(data: bytes) -> str:
    return b64encode(data).rstrip(b"=").decode()
