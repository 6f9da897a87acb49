"""The DNS records of a sending domain at Cloudflare Email Service, and what is wrong with them.

https://developers.cloudflare.com/email-service/configuration/domains/

The provider sends with an envelope sender at ``cf-bounce.DOMAIN``: SPF and MX belong to this name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

RecordKind = Literal["spf", "dkim", "dmarc", "mx"]
RecordState = Literal["ok", "weak", "missing", "wrong", "unknown"]

_INCLUDE = "include:_spf.mx.cloudflare.net"
_SERVERS = ".mx.cloudflare.net"
_SPF = f"v=spf1 {_INCLUDE} ~all"
_DMARC = "v=DMARC1; p=reject;"
_MX = tuple(f"route{number}.mx.cloudflare.net" for number in (1, 2, 3))

# Records are shown to people. A domain has few records, and they are short.
_MAX_RECORDS = 10
_MAX_CHARACTERS = 600

_SPACES = re.compile(r"\s+")


class DnsRecord(Struct, frozen=True, kw_only=True):
    """A record that a sending domain needs.

    ``found`` are the contents of such records. ``expected`` are the contents to set; they are empty
    if only the provider knows them. ``policy`` is that of DMARC.
    """

    kind: RecordKind
    name: str
    type: Literal["TXT", "MX"]
    state: RecordState
    found: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    policy: str | None = None


def bounce_name(domain: str) -> str:
    """The name of the SPF and MX records."""
    return f"cf-bounce.{domain}"


def dkim_name(domain: str) -> str:
    """The name of the DKIM key (RFC 6376, section 3.6.2.1)."""
    return f"cf-bounce._domainkey.{domain}"


def dmarc_names(domain: str) -> list[str]:
    """The names that can have the DMARC record: of ``domain``, and of at most three parents.

    The first name with a record counts. The top level has no policy for domains of others.
    """
    labels = domain.split(".")
    parents = [".".join(labels[start:]) for start in range(1, len(labels) - 1)]
    return [f"_dmarc.{name}" for name in (domain, *parents[-3:])]


def text_of(data: str) -> str:
    """The text of a TXT record, whose ``data`` are one or more quoted strings."""
    if not data.startswith('"'):
        return data
    text, is_inside, is_escaped = [], False, False
    for character in data:
        if character == '"' and not is_escaped:
            is_inside = not is_inside
        elif is_inside and (is_escaped or character != "\\"):
            text.append(character)
        is_escaped = character == "\\" and not is_escaped
    return "".join(text)


def spf_record(domain: str, found: Sequence[str] | None) -> DnsRecord:
    """SPF (RFC 7208): whether the provider's servers may send. None: no response."""
    records = [text for text in found or () if _spf_terms(text)[0] == "v=spf1"]
    is_right = len(records) == 1 and _includes_provider(_spf_terms(records[0]))
    return DnsRecord(
        kind="spf",
        name=bounce_name(domain),
        type="TXT",
        state=_state(found, records, is_right=is_right),
        found=_shown(records),
        expected=(_SPF,),
    )


def dkim_record(domain: str, found: Sequence[str] | None) -> DnsRecord:
    """DKIM: whether there is a key. A key without content is revoked (RFC 6376, section 3.6.1)."""
    records = [text for text in found or () if "p" in _tags(text)]
    return DnsRecord(
        kind="dkim",
        name=dkim_name(domain),
        type="TXT",
        state=_state(found, records, is_right=any(_tags(text)["p"] for text in records)),
        found=_shown(records),
    )


def dmarc_record(domain: str, name: str, found: Sequence[str] | None) -> DnsRecord:
    """DMARC (RFC 7489): what receivers do with mail that is not authentic.

    :param name: the name with the record. The record of a parent has a policy for subdomains,
        ``sp``.
    """
    records = [text for text in found or () if _is_dmarc(text)]
    own = f"_dmarc.{domain}"
    tags = _tags(records[0]) if len(records) == 1 else {}
    policy = (tags.get("sp") if name != own else None) or tags.get("p")
    policy = policy.lower() if policy else None
    state = _state(found, records, is_right=policy in ("none", "quarantine", "reject"))
    return DnsRecord(
        kind="dmarc",
        name=name if records else own,
        type="TXT",
        state="weak" if state == "ok" and (policy == "none" or _is_partial(tags)) else state,
        found=_shown(records),
        expected=(_DMARC,),
        policy=policy[:_MAX_CHARACTERS] if policy else None,
    )


def mx_record(domain: str, found: Sequence[str] | None) -> DnsRecord:
    """MX: whether bounces return to the provider. ``found`` has priorities and servers."""
    servers = [text.split()[-1].rstrip(".").lower() for text in found or () if text.split()]
    return DnsRecord(
        kind="mx",
        name=bounce_name(domain),
        type="MX",
        state=_state(found, servers, is_right=all(server.endswith(_SERVERS) for server in servers)),
        found=_shown(servers),
        expected=_MX,
    )


def _state(found: Sequence[str] | None, records: Sequence[str], *, is_right: bool) -> RecordState:
    if found is None:
        return "unknown"
    if not records:
        return "missing"
    return "ok" if is_right else "wrong"


def _spf_terms(text: str) -> list[str]:
    """The terms of an SPF record, the version first. They are compared without case."""
    return text.rstrip().lower().split(" ")


def _includes_provider(terms: Sequence[str]) -> bool:
    """Whether mail of the provider's servers passes, and not mail of every server.

    Receivers ignore the terms after ``all`` (RFC 7208, section 5.1). ``+`` is the default qualifier
    (section 4.6.2).
    """
    names = [term.removeprefix("+").removesuffix(".") for term in terms]
    last = next((index for index, name in enumerate(names) if name.lstrip("-~?") == "all"), None)
    return _INCLUDE in names[:last] and "all" not in names


def _is_dmarc(text: str) -> bool:
    """Whether the first tag is the version. Its value has this case (RFC 7489, section 6.3)."""
    name, _, value = text.partition(";")[0].partition("=")
    return (name.strip().lower(), value.strip()) == ("v", "DMARC1")


def _is_partial(tags: Mapping[str, str]) -> bool:
    """Whether receivers apply the policy to only some of the mail, or only test it.

    ``t`` replaces ``pct`` in the successor of RFC 7489.
    """
    pct = tags.get("pct", "")
    is_percentage = pct.isascii() and pct.isdigit() and len(pct) <= 3
    return tags.get("t", "").lower() == "y" or (is_percentage and int(pct) < 100)


def _tags(text: str) -> dict[str, str]:
    """The tags of a list such as ``v=DMARC1; p=none`` (RFC 6376, section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): _SPACES.sub("", value) for name, _, value in pairs}


def _shown(records: Sequence[str]) -> tuple[str, ...]:
    return tuple(text[:_MAX_CHARACTERS] for text in records[:_MAX_RECORDS])
