"""Ids: UUIDs of version 7 (RFC 9562), which sort by the time that they begin with."""

import secrets


def first_id(milliseconds: int) -> str:
    """What every id made at or after that time is not below; Unix milliseconds."""
    time = f"{milliseconds:012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-000000000000"


def new_id(milliseconds: int) -> str:
    """An id made at that time, in Unix milliseconds."""
    chance = secrets.token_hex(9)
    return f"{first_id(milliseconds)[:15]}{chance[:3]}-8{chance[3:6]}-{chance[6:]}"


def time_of(message_id: str) -> int:
    """When the id was made, in Unix milliseconds."""
    return int(message_id[:8] + message_id[9:13], 16)
