"""Ids: UUIDs of version 7 (RFC 9562). They sort by the time of their creation."""

import secrets

# Sorts after every id.
AFTER_ALL_IDS = "~"


def first_id(milliseconds: int) -> str:
    """The lowest id for the time ``milliseconds`` (Unix milliseconds)."""
    time = f"{milliseconds:012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-000000000000"


def new_id(milliseconds: int) -> str:
    """A new id for the time ``milliseconds`` (Unix milliseconds)."""
    random = secrets.token_hex(9)
    return f"{first_id(milliseconds)[:15]}{random[:3]}-8{random[3:6]}-{random[6:]}"


def new_ids(milliseconds: int, count: int) -> list[str]:
    """``count`` new ids for the time ``milliseconds``, in ascending order."""
    return sorted(new_id(milliseconds) for _ in range(count))


def time_of(message_id: str) -> int:
    """The time when the id was made, in Unix milliseconds."""
    return int(message_id[:8] + message_id[9:13], 16)
