"""Address passwords: generation, storage and verification.

Clients send the SHA-256 hex digest of the password that the user typed. Anyone who has this digest
can log in, so the database stores only a slow salted hash of it: PBKDF2-SHA-256 (RFC 8018, section
5.2). If the deployment has a pepper, the input of PBKDF2 is an HMAC of the digest with the pepper
as the key. The stored value contains the parameters, so that they can change later:
``$pbkdf2-sha256$i=100000,pepper=1$<salt>$<hash>``. Salt and hash are in unpadded base64.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta

ITERATIONS = 100_000  # the maximum of crypto.subtle in Workers
_SALT_BYTES = 16
_PASSWORD_BYTES = 12

_DIGEST_CHARACTERS = 64
_DIGEST = re.compile(f"[0-9a-f]{{{_DIGEST_CHARACTERS}}}")
_STORED = re.compile(
    r"\$pbkdf2-sha256\$i=([0-9]+),pepper=([01])\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})"
)

# Compared if no password is stored, so that the check takes equally long. The members are those
# that _STORED finds.
_NO_PASSWORD = (str(ITERATIONS), "1", "A" * 22, "A" * 43)

# (password, salt, iterations) -> 32 bytes of PBKDF2-SHA-256. Pyodide's hashlib lacks it.
Derive = Callable[[bytes, bytes, int], Awaitable[bytes]]


# The digest of a password, as a field of a request.
Digest = Annotated[
    str | None,
    Meta(description="The SHA-256 digest of the password in hexadecimal. Required."),
]


def generate_password() -> str:
    """A new password of 96 random bits, in URL-safe characters."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def client_digest(password: str) -> str:
    """The SHA-256 hex digest that a client sends in place of ``password``."""
    return hashlib.sha256(password.encode()).hexdigest()


def digest_of(given: str) -> str:
    """``given``, a client's digest, in lower case.

    A text that is too long to be a digest is cut off. It remains too long, so it is no digest.
    """
    return given[: _DIGEST_CHARACTERS + 1].lower()


def is_client_digest(text: str) -> bool:
    """Whether ``text`` has the form of a client's digest."""
    return _DIGEST.fullmatch(text) is not None


async def stored_form(digest: str, *, pepper: str | None, derive: Derive) -> str:
    """The text to store for the client's ``digest``, with a new random salt."""
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = await derive(_peppered(digest, pepper), salt, ITERATIONS)
    parameters = f"i={ITERATIONS},pepper={int(bool(pepper))}"
    return f"$pbkdf2-sha256${parameters}${_base64(salt)}${_base64(derived)}"


async def matches(digest: str, stored: str | None, *, pepper: str | None, derive: Derive) -> bool:
    """Whether the client's ``digest`` matches the ``stored`` form.

    The check takes the same time for a right password, a wrong one, and if none is stored. A
    password that was stored before the deployment had a pepper is compared without the pepper.
    """
    parsed = _STORED.fullmatch(stored or "")
    iterations, peppered, salt, expected = parsed.groups() if parsed else _NO_PASSWORD
    secret = _peppered(digest, pepper if peppered == "1" else None)
    derived = await derive(secret, b64decode(salt + "=="), int(iterations))
    return hmac.compare_digest(_base64(derived), expected) and parsed is not None


def _peppered(digest: str, pepper: str | None) -> bytes:
    secret = digest.encode()
    return hmac.digest(pepper.encode(), secret, "sha256") if pepper else secret


def _base64(data: bytes) -> str:
    return b64encode(data).rstrip(b"=").decode()
