"""Address passwords: how they are made and how they are stored.

Clients send the SHA-256 hex digest of what a person typed. That digest is itself a password,
so it is stored only through a slow salted hash: PBKDF2-SHA-256 (RFC 8018, section 5.2), over
an HMAC with the deployment's pepper where one is set. The parameters stand in the stored
value, so that they can change later:
``$pbkdf2-sha256$i=100000,pepper=1$<salt>$<hash>``, both in unpadded base64.
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable

ITERATIONS = 100_000  # the most that Workers lets crypto.subtle do
_SALT_BYTES = 16
_PASSWORD_BYTES = 12

# (password, salt, iterations) -> 32 bytes of PBKDF2-SHA-256; Pyodide's hashlib has none.
Derive = Callable[[bytes, bytes, int], Awaitable[bytes]]


def generate_password() -> str:
    """A new password of 96 random bits, in URL-safe characters."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def client_digest(password: str) -> str:
    """The SHA-256 hex digest that a client sends in place of ``password``."""
    return hashlib.sha256(password.encode()).hexdigest()


async def stored_form(digest: str, *, pepper: str | None, derive: Derive) -> str:
    """What the database keeps for the client's ``digest``."""
    salt = secrets.token_bytes(_SALT_BYTES)
    secret = digest.encode()
    if pepper:
        secret = hmac.digest(pepper.encode(), secret, "sha256")
    derived = await derive(secret, salt, ITERATIONS)
    parameters = f"i={ITERATIONS},pepper={int(bool(pepper))}"
    return f"$pbkdf2-sha256${parameters}${_base64(salt)}${_base64(derived)}"


def _base64(data: bytes) -> str:
    return b64encode(data).rstrip(b"=").decode()
