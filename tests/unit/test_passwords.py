"""Address passwords: generated, digested by clients, and stored only slowly hashed."""

import hashlib
import hmac
import re
from base64 import b64decode

import pytest

from accounts.passwords import client_digest, generate_password, stored_form
from tests.unit.sqlite_database import run

DIGEST = client_digest("correct horse battery staple")


async def derive(password: bytes, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, iterations)


def stored(digest: str = DIGEST, pepper: str | None = None) -> str:
    return run(stored_form(digest, pepper=pepper, derive=derive))


def parts(value: str) -> tuple[str, bytes, bytes]:
    """The parameters, the salt and the hash of a stored password."""
    match = re.fullmatch(
        r"\$pbkdf2-sha256\$(i=100000,pepper=[01])\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})", value
    )
    assert match is not None
    return match[1], b64decode(match[2] + "=="), b64decode(match[3] + "=")


def test_clients_send_sha256_in_hex() -> None:
    assert client_digest("abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert client_digest("pässword 😀") == hashlib.sha256("pässword 😀".encode()).hexdigest()


def test_a_generated_password_has_96_bits_in_url_safe_characters() -> None:
    passwords = {generate_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(re.fullmatch("[A-Za-z0-9_-]{16}", password) for password in passwords)


def test_the_stored_form_can_be_verified_from_what_stands_in_it() -> None:
    parameters, salt, derived = parts(stored())
    assert parameters == "i=100000,pepper=0"
    assert len(salt) == 16
    assert derived == hashlib.pbkdf2_hmac("sha256", DIGEST.encode(), salt, 100_000)


def test_with_a_pepper_the_hash_is_over_an_hmac() -> None:
    parameters, salt, derived = parts(stored(pepper="pepper"))
    assert parameters == "i=100000,pepper=1"
    peppered = hmac.digest(b"pepper", DIGEST.encode(), "sha256")
    assert derived == hashlib.pbkdf2_hmac("sha256", peppered, salt, 100_000)


@pytest.mark.parametrize("pepper", [None, "pepper"])
def test_the_slow_hash_is_called_once_with_100000_iterations(pepper: str | None) -> None:
    calls = []

    async def counted(password: bytes, salt: bytes, iterations: int) -> bytes:
        calls.append((len(salt), iterations))
        return bytes(32)

    run(stored_form(DIGEST, pepper=pepper, derive=counted))
    assert calls == [(16, 100_000)]


def test_pepper_and_password_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.passwords.secrets.token_bytes", bytes)  # always the same salt
    values = [
        stored(),
        stored(pepper="pepper"),
        stored(pepper="other"),
        stored(client_digest("x")),
    ]
    assert len({parts(value)[2] for value in values}) == 4
    assert stored(pepper="pepper") == values[1]


def test_two_equal_passwords_are_stored_differently() -> None:
    (_, first_salt, first), (_, second_salt, second) = parts(stored()), parts(stored())
    assert first_salt != second_salt
    assert first != second


def test_the_stored_form_shows_nothing_of_the_password() -> None:
    value = stored(pepper="pepper")
    assert DIGEST not in value
    assert "pepper=1$" in value
    assert value.count("pepper") == 1
