"""Messages of Amazon SNS over HTTPS: their signatures.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. The signature is
RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2). The standard library has no RSA, but to verify one needs
only a power and a comparison with the whole expected value.
"""

import base64
import binascii
import hashlib
import hmac
import re

import msgspec

from transport.delivery_events import UnreadableEvent

# Only these hosts have the certificates of SNS. Any other one could have the key of an attacker.
_CERTIFICATE_URL = re.compile(
    r"https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?"
    r"/SimpleNotificationService-[A-Za-z0-9]{1,100}\.pem"
)
_SUBSCRIBE_URL = re.compile(
    r"https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?/\?[!-~]{1,2000}"
)
_PEM = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,20000})-----END CERTIFICATE-----"
)

# The hash by the version of the signature, and its DigestInfo (RFC 8017, section 9.2, note 1).
_HASHES = {
    "1": ("sha1", bytes.fromhex("3021300906052b0e03021a05000414")),
    "2": ("sha256", bytes.fromhex("3031300d060960864801650304020105000420")),
}
_LEAST_KEY_BYTES, _MOST_KEY_BYTES = 256, 1024

_SEQUENCE, _INTEGER, _BIT_STRING, _VERSION = 0x30, 0x02, 0x03, 0xA0


class SnsMessage(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A message of SNS, whose signature is not verified yet."""

    type: str
    message_id: str
    topic_arn: str
    message: str
    timestamp: str
    signature: str
    signature_version: str = "1"
    certificate_url: str = msgspec.field(name="SigningCertURL")
    subscribe_url: str | None = msgspec.field(default=None, name="SubscribeURL")
    subject: str | None = None
    token: str | None = None


def read_message(body: bytes) -> SnsMessage:
    """The message in the body of a request.

    :raises UnreadableEvent: the body has another form.
    """
    try:
        return msgspec.json.decode(body, type=SnsMessage)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise UnreadableEvent(type(error).__name__) from error


def is_certificate_url(url: str) -> bool:
    """Whether ``url`` is that of a certificate of SNS."""
    return _CERTIFICATE_URL.fullmatch(url) is not None


def is_subscribe_url(url: str) -> bool:
    """Whether ``url`` can be requested to subscribe to a topic."""
    return _SUBSCRIBE_URL.fullmatch(url) is not None


def is_signed(message: SnsMessage, certificate: str) -> bool:
    """Whether the key of ``certificate`` (PEM) has signed ``message``."""
    if message.signature_version not in _HASHES:
        return False
    name, prefix = _HASHES[message.signature_version]
    try:
        signature = base64.b64decode(message.signature, validate=True)
        modulus, exponent = _public_key(certificate)
    except (binascii.Error, ValueError, IndexError):
        return False
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if not _LEAST_KEY_BYTES <= size <= _MOST_KEY_BYTES or len(signature) != size:
        return False
    if number >= modulus or not 3 <= exponent < 2**32:
        return False
    info = prefix + hashlib.new(name, _signed_text(message).encode()).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return hmac.compare_digest(pow(number, exponent, modulus).to_bytes(size, "big"), expected)


def _signed_text(message: SnsMessage) -> str:
    """The names and values that are signed, in their order."""
    if message.type == "Notification":
        pairs = [
            ("Message", message.message),
            ("MessageId", message.message_id),
            ("Subject", message.subject),
        ]
    else:
        pairs = [
            ("Message", message.message),
            ("MessageId", message.message_id),
            ("SubscribeURL", message.subscribe_url),
        ]
    pairs.append(("Timestamp", message.timestamp))
    if message.type != "Notification":
        pairs.append(("Token", message.token))
    pairs += [("TopicArn", message.topic_arn), ("Type", message.type)]
    return "".join(f"{name}\n{value}\n" for name, value in pairs if value is not None)


def _public_key(certificate: str) -> tuple[int, int]:
    """The modulus and the exponent of the RSA key of a certificate (RFC 5280, section 4.1).

    :raises ValueError, IndexError: it has another form.
    """
    pem = _PEM.search(certificate)
    if pem is None:
        raise ValueError("no certificate")
    ((_, whole),) = _parts(base64.b64decode("".join(pem[1].split()), validate=True))
    fields = [part for part in _parts(_parts(whole)[0][1]) if part[0] != _VERSION]
    # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    tag, key_info = fields[5]
    (_, _), (bits, key) = _parts(key_info)
    if (tag, bits, key[:1]) != (_SEQUENCE, _BIT_STRING, b"\0"):
        raise ValueError("no public key")
    ((_, numbers),) = _parts(key[1:])
    (first, modulus), (second, exponent) = _parts(numbers)
    if (first, second) != (_INTEGER, _INTEGER):
        raise ValueError("no RSA key")
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """The tags and contents of the values in ``content``, which is DER (X.690).

    :raises ValueError, IndexError: it is none.
    """
    parts, at = [], 0
    while at < len(content):
        tag, length = content[at], content[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            if not 0 < count <= 4:
                raise ValueError("length")
            length = int.from_bytes(content[at : at + count], "big")
            at += count
        if at + length > len(content):
            raise ValueError("length")
        parts.append((tag, content[at : at + length]))
        at += length
    return parts
