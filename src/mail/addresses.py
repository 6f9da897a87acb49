"""Mail addresses: the grammar of RFC 5321, section 4.1.2.

The accepted form is ``Dot-string "@" Domain``. SMTP also allows quoted local parts and address
literals. They are rejected here, because the provider does not accept them. Also, programs that
split text at commas or at signs misread a quoted local part that contains one.
"""

import re
from dataclasses import dataclass

MAX_LOCAL_OCTETS = 64  # RFC 5321, section 4.5.3.1.1
MAX_DOMAIN_OCTETS = 253  # RFC 1035, section 2.3.4, without length octet and root label
MAX_ADDRESS_OCTETS = 254  # RFC 5321, section 4.5.3.1.3, without the angle brackets

# The maximum length of a given address. It is greater than MAX_ADDRESS_OCTETS, because spaces may
# surround the address, and a domain with decomposed characters can be longer than its A-labels.
# Longer texts are rejected without being parsed.
MAX_GIVEN_CHARACTERS = 1000

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class InvalidAddress(ValueError):
    """The text is not a single mail address.

    ``code`` is the key of an error sentence in ``locales``. ``values`` fills its placeholders.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address: ``local`` as given, ``domain`` as lower-case A-labels (RFC 5890)."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The form for comparison: all in lower case."""
        return f"{self.local.lower()}@{self.domain}"


def parse_address(text: str) -> Address:
    """Parse one address, ignoring spaces around it.

    :raises InvalidAddress: with code ``address_syntax``, ``address_local_part_not_ascii``,
        ``address_too_long`` or ``address_domain``.
    """
    if len(text) > MAX_GIVEN_CHARACTERS:
        raise InvalidAddress("address_too_long")
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or not local or not domain:
        raise InvalidAddress("address_syntax")
    if not local.isascii() and "@" not in local:
        raise InvalidAddress("address_local_part_not_ascii")
    if _DOT_STRING.fullmatch(local) is None:
        raise InvalidAddress("address_syntax")
    address = Address(local, ascii_domain(domain))
    if len(local) > MAX_LOCAL_OCTETS or len(str(address)) > MAX_ADDRESS_OCTETS:
        raise InvalidAddress("address_too_long")
    return address


def comparable(text: str) -> str:
    """``text`` in the form that mail addresses have in the database.

    Text that is not a mail address is cut off and returned in lower case. It matches no address.
    """
    try:
        return parse_address(text).key
    except InvalidAddress:
        return text[:MAX_GIVEN_CHARACTERS].strip()[: MAX_ADDRESS_OCTETS + 1].lower()


def parse_domain(text: str) -> str:
    """The ``ascii_domain`` of ``text``, after removing the white space around ``text``.

    :raises InvalidAddress: with code ``address_domain``.
    """
    if len(text) > MAX_GIVEN_CHARACTERS:
        raise InvalidAddress("address_domain")
    return ascii_domain(text.strip())


def ascii_domain(domain: str) -> str:
    """The lower-case A-label form of ``domain`` (RFC 5890), with at least two labels.

    :raises InvalidAddress: with code ``address_domain``.
    """
    if len(domain) > MAX_GIVEN_CHARACTERS:
        raise InvalidAddress("address_domain")
    name = domain.lower() if domain.isascii() else _to_a_labels(domain)
    labels = name.split(".")
    if (
        len(name) > MAX_DOMAIN_OCTETS
        or len(labels) < 2
        or labels[-1].isdigit()  # an IPv4 address, not a host name (RFC 3696, section 2)
        or any(_LABEL.fullmatch(label) is None for label in labels)
    ):
        raise InvalidAddress("address_domain")
    if any(label.startswith("xn--") for label in labels) and domain.isascii():
        _to_a_labels(name)
    return name


def _to_a_labels(domain: str) -> str:
    # Imported here: these modules have tables that load slowly, and most domains are ASCII.
    import unicodedata

    import idna

    # This maps compatibility forms and letter case as in RFC 5895. UTS #46 would map little
    # more, and its table would be a sixth of the uploaded code.
    mapped = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", domain).lower())
    # The A-labels have at least as many characters as `mapped`. The length is checked first,
    # because the time of Punycode grows with the square of the length.
    if len(mapped) > MAX_DOMAIN_OCTETS:
        raise InvalidAddress("address_domain")
    try:
        return idna.encode(mapped).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidAddress("address_domain") from error
