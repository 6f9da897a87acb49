"""Key derivation with the runtime's Web Crypto."""

from pyodide.ffi import to_js

from runtime.coroutines import result_of
from runtime.limits import check_pbkdf2


async def pbkdf2_sha256(password: bytes, salt: bytes, iterations: int) -> bytes:
    """32 bytes of PBKDF2-SHA-256 (RFC 8018, section 5.2)."""
    check_pbkdf2(iterations)
    derived = await result_of("pbkdf2", to_js(password), to_js(salt), iterations)
    key: bytes = derived.to_bytes()
    return key
