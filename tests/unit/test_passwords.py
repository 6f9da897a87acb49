"""Address passwords: generated, digested by clients, and stored as slow hashes."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode

import pytest

from accounts.passwords import (
    client_digest,
    generate_password,
    is_client_digest,
    matches,
    stored_form,
)
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


def test_the_stored_form_has_the_parameters_for_its_verification() -> None:
    parameters, salt, derived = parts(stored())
    assert parameters == "i=100000,pepper=0"
    assert len(salt) == 16
    assert derived == hashlib.pbkdf2_hmac("sha256", DIGEST.encode(), salt, 100_000)


def test_with_a_pepper_the_hash_is_over_an_hmac() -> None:
    parameters, salt, derived = parts(stored(pepper="pepper"))
    assert parameters == "i=100000,pepper=1"
    peppered = hmac.digest(b"pepper", DIGEST.encode(), "sha256")
    assert derived == hashlib.pbkdf2_hmac("sha256", peppered, salt, 100_000)


@pytest.mark.contract("passwords: A password is shown once and stored as a slow salted hash")
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
    values = [stored(), stored(pepper="pepper"), stored(pepper="other"), stored(client_digest("x"))]
    assert len({parts(value)[2] for value in values}) == 4
    assert stored(pepper="pepper") == values[1]


def test_equal_passwords_are_stored_differently() -> None:
    (_, first_salt, first), (_, second_salt, second) = parts(stored()), parts(stored())
    assert first_salt != second_salt
    assert first != second


def test_the_stored_form_does_not_contain_the_password() -> None:
    value = stored(pepper="pepper")
    assert DIGEST not in value
    assert "pepper=1$" in value
    assert value.count("pepper") == 1


# Comparison


def fits(
    digest: str, value: str | None, *, pepper: str | None = None
) -> tuple[bool, list[tuple[bytes, int]]]:
    """Whether the password matches, and the salt and iterations of each key derivation."""
    derived = []

    async def counted(password: bytes, salt: bytes, iterations: int) -> bytes:
        derived.append((salt, iterations))
        return await derive(password, salt, iterations)

    return run(matches(digest, value, pepper=pepper, derive=counted)), derived


@pytest.mark.parametrize("pepper", [None, "pepper"])
def test_a_password_matches_its_stored_form(pepper: str | None) -> None:
    value = stored(pepper=pepper)
    assert fits(DIGEST, value, pepper=pepper)[0]
    assert not fits(client_digest("another"), value, pepper=pepper)[0]
    assert not fits("", value, pepper=pepper)[0]


def test_a_password_from_before_the_pepper_still_matches() -> None:
    assert fits(DIGEST, stored(), pepper="pepper")[0]


@pytest.mark.parametrize("pepper", [None, "", "other"])
def test_without_its_pepper_a_password_does_not_match(pepper: str | None) -> None:
    assert not fits(DIGEST, stored(pepper="pepper"), pepper=pepper)[0]


@pytest.mark.parametrize("value", [None, "", "$hash", "$pbkdf2-sha256$i=x,pepper=0$a$b", DIGEST])
def test_without_a_stored_password_the_same_work_is_done(value: str | None) -> None:
    matched, derived = fits(DIGEST, value, pepper="pepper")
    assert not matched
    assert [(len(salt), iterations) for salt, iterations in derived] == [(16, 100_000)]
    _, other = fits(DIGEST, stored(), pepper="pepper")
    assert len(other) == 1


def test_the_placeholder_hash_never_matches() -> None:
    async def zeros(password: bytes, salt: bytes, iterations: int) -> bytes:
        return bytes(32)

    assert not run(matches(DIGEST, None, pepper=None, derive=zeros))


def test_the_stored_number_of_iterations_is_used() -> None:
    salt, key = b64encode(bytes(16)).rstrip(b"=").decode(), bytes(16)
    derived = hashlib.pbkdf2_hmac("sha256", DIGEST.encode(), key, 1000)
    value = f"$pbkdf2-sha256$i=1000,pepper=0${salt}${b64encode(derived).rstrip(b'=').decode()}"
    assert fits(DIGEST, value) == (True, [(key, 1000)])


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(DIGEST, True), (DIGEST.upper(), False), (DIGEST[1:], False), (DIGEST + "\n", False)],
)
def test_a_digest_has_64_hexadecimal_digits(text: str, is_one: bool) -> None:
    assert is_client_digest(text) is is_one
