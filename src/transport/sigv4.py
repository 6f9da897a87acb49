"""Signature Version 4 of AWS, for a POST request with a JSON body.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED = ("content-type", "host", "x-amz-date")


def signed_headers(
    url: str,
    body: bytes,
    *,
    region: str,
    service: str,
    access_key_id: str,
    secret_access_key: str,
    now: int,
) -> dict[str, str]:
    """The headers of a signed POST request, without Host.

    :param url: without a query, and with a path whose characters need no encoding.
    :param now: the time in Unix milliseconds. AWS accepts a difference of five minutes.
    """
    parts = urlsplit(url)
    date = datetime.fromtimestamp(now // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/json", "host": parts.netloc, "x-amz-date": date}
    names = ";".join(_SIGNED)
    canonical = "\n".join(
        (
            "POST",
            parts.path or "/",
            "",
            *(f"{name}:{headers[name]}" for name in _SIGNED),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join((_ALGORITHM, date, scope, digest))
    key = f"AWS4{secret_access_key}".encode()
    for step in scope.split("/"):
        key = _hmac(key, step)
    signature = _hmac(key, to_sign).hex()
    credential = f"{access_key_id}/{scope}"
    return {
        "content-type": headers["content-type"],
        "x-amz-date": date,
        "authorization": (
            f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        ),
    }


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)
