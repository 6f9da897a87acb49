"""Mail addresses: checks that need no database, and a form for comparisons.

The API repeats the checks. But the API can only reject the whole message, while the relay can
reject a single recipient.
"""

import contextlib
import re
import unicodedata

import idna

_MAX_LOCAL_OCTETS = 64  # RFC 5321, section 4.5.3.1.1
_MAX_DOMAIN_OCTETS = 253  # RFC 1035, section 2.3.4, without length octet and root label
_MAX_ADDRESS_OCTETS = 254  # RFC 5321, section 4.5.3.1.3: 256 with brackets; in A-labels
_MAX_GIVEN_CHARACTERS = 1000  # of a domain, before it is normalized

_INVALID = "553 5.1.3 The mail address is invalid or not supported"

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+")
# RFC 5321, section 4.1.2: the quotes are not part of the local part.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}+(?<!-)")


class BadAddress(ValueError):
    """The address is invalid or not supported. The text is the SMTP reply."""


def checked(address: str) -> str:
    """Return ``address``, if it is valid, as the API writes it.

    It has no needless quotes, and its domain is in lower-case A-labels. So all forms of an address
    give the same idempotency key. The letter case of the local part stays (RFC 5321, section 2.4).

    :raises BadAddress: the API would reject every message to this address.
    """
    address = without_needless_quotes(address)
    local, at, domain = address.rpartition("@")
    if not at or not local:
        raise BadAddress("553 5.1.3 The mail address is incomplete")
    if not local.isascii():
        raise BadAddress("553 5.6.7 The part before the @ must be ASCII")
    domain = _valid_domain(domain)
    if _DOT_STRING.fullmatch(local) is None:
        raise BadAddress(_INVALID)
    if len(local) > _MAX_LOCAL_OCTETS or len(local) + 1 + len(domain) > _MAX_ADDRESS_OCTETS:
        raise BadAddress("553 5.1.3 The address is too long")
    return f"{local}@{domain}"


def key(address: str) -> str:
    """``address`` in a form for comparisons: in lower case, with the domain as A-labels."""
    local, at, domain = without_needless_quotes(address).rpartition("@")
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):
            domain = _a_labels(domain)
    return f"{local.lower()}{at}{domain.lower()}"


def forms(address: str) -> set[str]:
    """``address`` in lower case, with its domain in A-labels and in Unicode."""
    same = key(address)
    local, at, domain = same.rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = idna.decode(domain)
    return {same, f"{local}{at}{domain}"}


def without_needless_quotes(address: str) -> str:
    """``address`` without the quotes around its local part, unless it needs them.

    ``"bob"@example.com`` and ``bob@example.com`` are the same mailbox (RFC 5321, section 4.1.2).
    """
    local, at, domain = address.rpartition("@")
    quoted = _QUOTED.fullmatch(local)
    if quoted is None:
        return address
    plain = _QUOTED_PAIR.sub(r"\1", quoted[1])
    return f"{plain}{at}{domain}" if _DOT_STRING.fullmatch(plain) else address


def _valid_domain(domain: str) -> str:
    """``domain`` as lower-case A-labels.

    :raises BadAddress: ``domain`` is not a domain name with at least two labels.
    """
    name = domain.lower()
    try:
        if not domain.isascii():
            name = _a_labels(domain)
        elif name.startswith("xn--") or ".xn--" in name:
            _a_labels(name)  # raises if an A-label is invalid
    except UnicodeError as error:
        raise BadAddress(_INVALID) from error
    labels = name.split(".")
    if (
        len(name) > _MAX_DOMAIN_OCTETS
        or len(labels) < 2
        or labels[-1].isdigit()  # an IPv4 address
        or any(_LABEL.fullmatch(label) is None for label in labels)
    ):
        raise BadAddress(_INVALID)
    return name


def _a_labels(domain: str) -> str:
    """``domain`` as A-labels, with letter case and compatibility forms mapped as the API does.

    :raises UnicodeError: ``domain`` is too long or invalid.
    """
    if len(domain) > _MAX_GIVEN_CHARACTERS:
        raise UnicodeError("too long")
    mapped = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", domain).lower())
    # The time of Punycode grows with the square of the length.
    if len(mapped) > _MAX_DOMAIN_OCTETS:
        raise UnicodeError("too long")
    return idna.encode(mapped).decode("ascii")
