"""Mail addresses: checks that need no database, and a form for comparisons.

The API repeats the checks. But the API can only reject the whole message, while the relay can
reject a single recipient.
"""

import re

import idna

_MAX_LOCAL_OCTETS = 64  # RFC 5321, section 4.5.3.1.1
_MAX_ADDRESS_OCTETS = 254  # RFC 5321, section 4.5.3.1.3: 256 with brackets; in A-labels

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}+(?<!-)")


class BadAddress(ValueError):
    """The address is invalid or not supported. The text is the SMTP reply."""


def checked(address: str) -> str:
    """Return ``address`` unchanged, if it is valid.

    :raises BadAddress: the API would reject every message to this address.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local:
        raise BadAddress("553 5.1.3 The mail address is incomplete")
    if not local.isascii():
        raise BadAddress("553 5.6.7 The part before the @ must be ASCII")
    domain = _a_labels(domain)
    labels = domain.split(".")
    if (
        _DOT_STRING.fullmatch(local) is None
        or len(labels) < 2
        or labels[-1].isdigit()
        or any(_LABEL.fullmatch(label) is None for label in labels)
    ):
        raise BadAddress("553 5.1.3 The mail address is invalid or not supported")
    if len(local) > _MAX_LOCAL_OCTETS or len(local) + 1 + len(domain) > _MAX_ADDRESS_OCTETS:
        raise BadAddress("553 5.1.3 The address is too long")
    return address


def key(address: str) -> str:
    """``address`` in a form for comparisons: in lower case, with the domain as A-labels."""
    local, at, domain = address.rpartition("@")
    return f"{local.lower()}{at}{_a_labels(domain)}"


def _a_labels(domain: str) -> str:
    domain = domain.lower()
    if domain.isascii() or len(domain) > _MAX_ADDRESS_OCTETS:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain
