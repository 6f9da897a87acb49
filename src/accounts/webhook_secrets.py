"""The secrets of webhooks: derived from a secret of the deployment, so that none is stored."""

import base64
import hashlib
import hmac

_SALT = b"send-mail-api webhooks"
_PREFIX = "whsec_"

# How long the previous secret of a webhook signs too, in milliseconds.
PREVIOUS_SIGNS_MILLISECONDS = 86_400_000


def signing_key(secret: str, webhook_id: str, version: int) -> bytes:
    """The key that signs the deliveries of a webhook: HKDF-SHA-256 (RFC 5869) of ``secret``."""
    extracted = hmac.digest(_SALT, secret.encode(), hashlib.sha256)
    # One block of HKDF-Expand is as long as the key.
    return hmac.digest(extracted, f"{webhook_id} {version}".encode() + b"\x01", hashlib.sha256)


def shown_secret(key: bytes) -> str:
    """The key in the form in which receivers configure it."""
    return _PREFIX + base64.b64encode(key).decode()
