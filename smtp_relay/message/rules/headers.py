"""Rules for the header fields that the request passes on in ``headers``.

``tests/smtp/test_same_judgement.py`` compares them with what the API accepts.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.errors import Unsupported
from smtp_relay.message.hidden_recipients import may_name_hidden
from smtp_relay.message.rules import values
from smtp_relay.message.rules.texts import ONE_LINE, apply

MAX_HEADERS = 20  # not counting X- fields
MAX_NAME_BYTES = 100
MAX_TOTAL_BYTES = 16 * 1024  # of all "Name: value" lines with their line ends

# The names that the provider accepts, besides X- fields.
ACCEPTED = frozenset(
    {
        *("archived-at", "auto-submitted", "comments", "content-language", "expires"),
        *("importance", "in-reply-to", "keywords", "list-archive", "list-help", "list-id"),
        *("list-owner", "list-post", "list-subscribe", "list-unsubscribe"),
        *("list-unsubscribe-post", "organization", "precedence", "priority", "references"),
        *("reply-by", "require-recipient-valid-since", "sensitivity", "thread-index"),
        "thread-topic",
    }
)
# These describe the way or the storage of a message, and mean nothing to its recipients.
_LOCAL = {"authentication-results", "delivery-date", "feedback-id", "msip_labels"}
_LOCAL |= {"received-spf", "tls-required"}
# These describe an encoding or a structure that the message no longer has.
_LOCAL |= {"content-base", "content-duration", "content-features", "content-location"}
_LOCAL |= {"content-description", "content-md5"}
_LOCAL_PREFIXES = ("arc-", "resent-", "x400-")
# A strict relay makes these changes too.
_OMITTED_IN_STRICT = {"bcc"}
_RENAMED_IN_STRICT = {"accept-language", "content-class", "user-agent"}
# Renamed without a word: no reader could miss the former name.
_RENAMED_UNNOTED = {"user-agent"}

_SHOWN_CHARACTERS = 40  # of a name that is too long
_FORBIDDEN_IN_NAME = re.compile("[^A-Za-z0-9-]")
_FORBIDDEN_IN_X_NAME = re.compile("[^A-Za-z0-9_-]")
_UNSUBSCRIBE = {"list-unsubscribe", "list-unsubscribe-post"}
_REPEATABLE = {"comments", "keywords"}  # RFC 5322, section 3.6.5


@dataclass(frozen=True, slots=True)
class Header:
    """A decoded header field. ``key`` is the name in lower case, for comparisons.

    ``given`` is its name in the message, or the names of all fields that it stands for. ``noted``
    are its changes. If a rule leaves the field out, it has only the sentence of that rule.
    """

    name: str
    value: str
    key: str
    given: str
    noted: Adaptations

    @property
    def has_prefix(self) -> bool:
        """Whether the name begins with ``X-``, so that the provider accepts any such field."""
        return self.key.startswith("x-")

    @property
    def size(self) -> int:
        """The size as the provider counts it, in bytes."""
        return len(self.name) + len(": ") + len(self.value.encode()) + len("\r\n")

    def renamed(self, name: str) -> "Header":
        """The same field with another ``name``."""
        return replace(self, name=name, key=name.lower())


def header_of(name: str, value: str, noted: Adaptations) -> Header:
    """The header field with this ``name`` and ``value``, of which ``noted`` are the changes."""
    return Header(name, value, name.lower(), name, noted)


FieldRule = Callable[[Header, Adaptations], Header | None]
Rule = Callable[[list[Header], Adaptations], list[Header]]


def adapted(headers: Iterable[Header], adaptations: Adaptations) -> list[Header]:
    """``headers`` as the API accepts them, in the same order.

    :raises Unsupported: the relay is strict, and a rule applies.
    """
    adapted_fields = (_adapted_field(header, adaptations) for header in headers)
    kept = [header for header in adapted_fields if header]
    for rule in RULES:
        kept = rule(kept, adaptations)
    for header in kept:
        adaptations.include(header.noted)
    return kept


def _adapted_field(header: Header, adaptations: Adaptations) -> Header | None:
    kept: Header | None = header
    for rule in FIELD_RULES:
        if kept:
            kept = rule(kept, adaptations)
    return kept


# Rules for one field. None leaves it out.


def _with_bounded_name(header: Header, adaptations: Adaptations) -> Header | None:
    """A name that is short enough, also after a later rule has put ``X-`` in front."""
    length = len(header.name) + (0 if header.has_prefix else len("X-"))
    if len("X-") < length <= MAX_NAME_BYTES:
        return header
    name = header.name[:_SHOWN_CHARACTERS]
    problem = Unsupported(f"{name} has an unusual length for the name of a field")
    adaptations.add("left_out", f"{name} left out: the length of its name", problem)
    return None


def _in_one_line(header: Header, _: Adaptations) -> Header:
    value = apply(ONE_LINE, header.value, header.name, header.noted)
    return header if value == header.value else replace(header, value=value)


def _not_empty(header: Header, adaptations: Adaptations) -> Header | None:
    if header.value.strip():
        return header
    adaptations.add_unnoted(Unsupported(f"{header.name} is empty"))
    adaptations.include(header.noted)  # what was left out of it
    return None


def _not_local(header: Header, adaptations: Adaptations) -> Header | None:
    is_local = header.key in _LOCAL or header.key.startswith(_LOCAL_PREFIXES)
    if not is_local and not may_name_hidden(header.key):
        return header
    if not adaptations.is_strict or header.key not in _OMITTED_IN_STRICT:
        problem = Unsupported(f"{header.name} is not supported")
        adaptations.add("left_out", f"{header.name} left out", problem)
    return None


def _with_accepted_name(header: Header, _: Adaptations) -> Header:
    """A name that the API accepts, in most cases with ``X-`` in front."""
    if header.key in ACCEPTED:
        return header
    forbidden = _FORBIDDEN_IN_X_NAME if header.has_prefix else _FORBIDDEN_IN_NAME
    name = forbidden.sub("-", header.name)
    if name.lower() not in ACCEPTED and not name[:-1].lower().startswith("x-"):
        name = f"X-{name}"
    if name == header.name:
        return header
    if header.key not in (_RENAMED_IN_STRICT if header.noted.is_strict else _RENAMED_UNNOTED):
        problem = Unsupported(f"{header.name} is not supported")
        header.noted.add("renamed", f"{header.name} sent as {name}", problem)
    return header.renamed(name)


FIELD_RULES: tuple[FieldRule, ...] = (
    _with_bounded_name,
    _in_one_line,
    _not_empty,
    _not_local,
    _with_accepted_name,
)


# Rules for all fields together


def _each_once(headers: list[Header], _: Adaptations) -> list[Header]:
    """One field of each name. Identical copies count as one."""
    copies: dict[str, list[Header]] = {}
    for header in headers:
        copies.setdefault(header.key, []).append(header)
    return [_one_of(same) if same[1:] else same[0] for same in copies.values()]


def _one_of(same: list[Header]) -> Header:
    first = same[0]
    given = {header.given.lower(): header.given for header in same}
    one = replace(first, given=" and ".join(given.values()), noted=first.noted.apart())
    different = dict.fromkeys(header.value for header in same)
    problem = Unsupported(f"More than one {first.name} field is not supported")
    kept = [first.value]
    if len(different) == 1:
        one.noted.add_unnoted(problem)
    elif first.has_prefix or first.key in _REPEATABLE:
        kept = _all_that_fit([*different], one, problem)
    else:
        one.noted.add("left_out", f"All but the first {one.given} left out", problem)
    those_kept = set(kept)
    for header in same:
        if header.value in those_kept:
            one.noted.include(header.noted)
    return replace(one, value=values.SEPARATOR.join(kept))


def _all_that_fit(given: list[str], header: Header, problem: Unsupported) -> list[str]:
    """Those of the values of ``header`` that are not too long together."""
    kept = values.those_that_fit(given)
    if not kept:
        return given[:1]  # a later rule leaves it out
    if len(kept) == len(given):
        header.noted.add("joined", f"{len(given)} {header.name} fields joined", problem)
    else:
        number = f"{len(given) - len(kept)} of {len(given)}"
        sentence = f"{number} {header.given} fields left out: too long"
        header.noted.add("left_out", sentence, problem)
    return kept


def _with_accepted_values(headers: list[Header], adaptations: Adaptations) -> list[Header]:
    kept = []
    for header in headers:
        noted = header.noted.apart()
        value: str | None = header.value
        if rule := values.RULES.get(header.key):
            value = rule(header.name, header.value, noted)
        if value is not None:
            value = values.not_too_long(header.given, value, noted)
        if value is None:
            adaptations.include(noted)
        else:
            header.noted.include(noted)
            kept.append(header if value == header.value else replace(header, value=value))
    return kept


def _at_most_twenty(headers: list[Header], adaptations: Adaptations) -> list[Header]:
    kept, count = [], 0
    for header in headers:
        count += not header.has_prefix
        if header.has_prefix or count <= MAX_HEADERS:
            kept.append(header)
        else:
            name = f"X-{header.name}"
            problem = Unsupported(f"More than {MAX_HEADERS} fields without X-: {header.name}")
            header.noted.add("renamed", f"{header.name} sent as {name}", problem)
            kept.append(header.renamed(name))
    if count <= MAX_HEADERS:
        return headers
    # There may be another field of the new name.
    return _with_accepted_values(_each_once(kept, adaptations), adaptations)


def _within_size(headers: list[Header], adaptations: Adaptations) -> list[Header]:
    """Leave out the longest X- fields, and then the longest others."""
    total = sum(header.size for header in headers)
    if total <= MAX_TOTAL_BYTES:
        return headers
    left_out = set()
    for header in sorted(headers, key=lambda header: (not header.has_prefix, -header.size)):
        total -= header.size
        left_out.add(header.key)
        problem = Unsupported(f"The header is too long (max {MAX_TOTAL_BYTES} bytes)")
        sentence = f"{header.given} left out: the header is too long"
        adaptations.add("left_out", sentence, problem)
        if total <= MAX_TOTAL_BYTES:
            break
    return [header for header in headers if header.key not in left_out]


def _post_only_with_https(headers: list[Header], adaptations: Adaptations) -> list[Header]:
    """List-Unsubscribe-Post only beside an https URI in List-Unsubscribe (RFC 8058)."""
    found = {header.key: header for header in headers if header.key in _UNSUBSCRIBE}
    post, uris = found.get("list-unsubscribe-post"), found.get("list-unsubscribe")
    if post is None or (uris and "<https://" in uris.value.lower()):
        return headers
    problem = Unsupported(f"{post.name} needs an https URI in List-Unsubscribe")
    sentence = f"{post.given} left out: List-Unsubscribe has no https URI"
    adaptations.add("left_out", sentence, problem)
    return [header for header in headers if header is not post]


RULES: tuple[Rule, ...] = (
    _each_once,
    _with_accepted_values,
    _at_most_twenty,
    _within_size,
    _post_only_with_https,
)
