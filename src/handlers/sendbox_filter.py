"""The filter of lists of messages, in the parameters of a request."""

from datetime import UTC, datetime
from typing import TypeVar, get_args

from errors import field_error
from ids import AFTER_ALL_IDS, first_id
from mail.addresses import comparable
from mail.delivery import DeliveryStatus
from mail.lifecycle import Status
from store.message_filter import MessageFilter

T = TypeVar("T", bound=str)

MAX_QUERY = 200  # characters
_MAX_VALUE = 320  # characters
_MAX_TAG = 513  # characters of a name and a value
_DAY = 86_400_000
_YEARS = (1970, 9999)


def message_filter(query: dict[str, str]) -> MessageFilter:
    """The filter in the parameters of a list. An empty parameter counts as a missing one.

    :raises BadRequest: ``invalid_`` with the name of a parameter.
    """
    given = query.get("recipient", "").strip()
    if len(given) > _MAX_VALUE or (given and "@" not in given):
        raise field_error("invalid_recipient_filter", "recipient")
    recipient = comparable(given)
    is_domain = recipient.startswith("@")
    tag, _, value = _text(query, "tag", _MAX_TAG).partition(":")
    since, until = _time(query, "since"), _time(query, "until", is_end=True)
    return MessageFilter(
        status=_one_of(query, "status", get_args(Status)),
        delivery_status=_one_of(query, "delivery_status", get_args(DeliveryStatus)),
        recipient=None if is_domain else recipient or None,
        domain=recipient if is_domain else None,
        tag=tag or None,
        tag_value=value or None,
        since="" if since is None else first_id(since),
        until=AFTER_ALL_IDS if until is None else first_id(until),
    )


def search_words(query: dict[str, str]) -> str:
    """The words of a search in ``q``; empty to list all messages.

    :raises BadRequest: ``invalid_q``.
    """
    text = query.get("q", "")
    if len(text) > MAX_QUERY:
        raise field_error("invalid_q", "q", limit=MAX_QUERY)
    return text.strip()


def known_id(query: dict[str, str]) -> str:
    """The parameter ``id``: an id of a message, of the provider, or of a request."""
    return _text(query, "id", _MAX_VALUE)


def _text(query: dict[str, str], name: str, limit: int) -> str:
    text = query.get(name, "").strip()
    if len(text) > limit:
        raise field_error(f"invalid_{name}", name)
    return text


def _one_of(query: dict[str, str], name: str, words: tuple[T, ...]) -> T | None:
    given = query.get(name, "").lower()
    found = next((word for word in words if word == given), None)
    if given and found is None:
        raise field_error(f"invalid_{name}", name)
    return found


def _time(query: dict[str, str], name: str, *, is_end: bool = False) -> int | None:
    """A time in ISO 8601, or a day in UTC, in Unix milliseconds. The end of a day is included."""
    text = _text(query, name, 40)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise field_error(f"invalid_{name}", name) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if not _YEARS[0] < at.year < _YEARS[1]:
        raise field_error(f"invalid_{name}", name)
    milliseconds = int(at.timestamp() * 1000)
    return milliseconds + _DAY if is_end and len(text) == len("2026-11-30") else milliseconds
