"""Passwords with the real PBKDF2 of the runtime, and the real log."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest

from accounts.passwords import client_digest
from tests.e2e.api import DEPLOYMENT, Api, unique_name
from tools.local_server import LocalServer


@pytest.fixture(scope="module")
def passwords() -> Iterator[Api]:
    """A deployment whose addresses have passwords."""
    variables = {**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true", "PASSWORD_PEPPER": "pepper"}
    with LocalServer(variables=variables) as running:
        yield Api(running)


@pytest.mark.slow
@pytest.mark.contract("passwords: A password is shown once and stored as a slow salted hash")
def test_a_password_is_shown_once_and_stored_as_a_slow_hash(passwords: Api) -> None:
    body = passwords.post("/api/new_address", {}).json()
    sql = "SELECT password_hash FROM addresses WHERE id = ?"
    (row,) = passwords.server.sql(sql, [body["address_id"]])
    kind, parameters, salt, stored = row["password_hash"].split("$")[1:]
    assert (kind, parameters) == ("pbkdf2-sha256", "i=100000,pepper=1")
    assert _pbkdf2(client_digest(body["password"]), "pepper", salt) == stored
    assert body["password"] not in passwords.server.log.read_text()


def _pbkdf2(digest: str, pepper: str, salt: str) -> str:
    peppered = hmac.digest(pepper.encode(), digest.encode(), "sha256")
    raw_salt = base64.b64decode(salt + "=" * (-len(salt) % 4))
    derived = hashlib.pbkdf2_hmac("sha256", peppered, raw_salt, 100_000)
    return base64.b64encode(derived).rstrip(b"=").decode()


@pytest.mark.slow
@pytest.mark.contract("errors: Errors and logs contain no secrets or internal details")
def test_secrets_are_never_in_the_log(passwords: Api) -> None:
    made = passwords.post("/api/new_address", {"name": unique_name()}).json()
    for given, status in ((made["password"], 200), ("a wrong password", 401)):
        body = {"email": made["address"], "password": client_digest(given)}
        assert passwords.post("/api/address_login", body).status_code == status
    log = passwords.server.log.read_text()
    digests = [client_digest(password) for password in (made["password"], "a wrong password")]
    for secret in (made["password"], *digests, made["jwt"]):
        assert secret not in log
