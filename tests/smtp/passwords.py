"""Addresses with passwords."""

import hashlib

from tests.e2e.api import Api, Sender, unique_name


def digest_of(password: str) -> str:
    """The form in which the API gets a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def new_sender_with_password(api: Api) -> tuple[Sender, str]:
    """A new address, and the password that the API has chosen for it."""
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    return Sender(made["address"], made["address_id"], made["jwt"]), made["password"]
