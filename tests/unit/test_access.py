"""Each access rule on its own. ``tests/api/test_auth.py`` tests the order of the rules."""

import asyncio

import pytest

from accounts.credentials import MAX_TOKEN_CHARACTERS, Credential, issue
from errors import ServerFault, TooManyRequests, Unauthorized
from routes import area_of
from settings import Settings
from tests.client.ports import UnlimitedMemory
from web.auth import (
    Access,
    administrator_name,
    check_access,
    check_client_rate,
    check_site_password,
    is_one_of,
)
from web.request import Request, RequestHead

PASSWORDS = ("first", "zwölf", "third")
SECRET = "a-secret-of-the-tests-0123456789abcdef"
ME = Credential("me@example.com", 7, 0)
SETTINGS = Settings(passwords=PASSWORDS, admin_passwords=("admin",), jwt_secret=SECRET)


class EmptyBody(UnlimitedMemory):
    async def read(self, limit: int, client: str) -> bytes:
        return b""


class Limiter:
    """Admits all requests or none, and notes their keys."""

    def __init__(self, *, admits: bool = False) -> None:
        self._admits = admits
        self.keys: list[str] = []

    async def admits(self, key: str) -> bool:
        self.keys.append(key)
        return self._admits


def request(path: str = "/api/settings", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(RequestHead("GET", path, {}, named), EmptyBody())


def checked(access: Access, given: Request, settings: Settings = SETTINGS) -> Credential | None:
    return check_access(access, given, settings, has_database=True)


# Passwords


@pytest.mark.parametrize("given", PASSWORDS)
def test_each_of_several_passwords_is_right(given: str) -> None:
    assert is_one_of(given, PASSWORDS)


@pytest.mark.parametrize("given", ["", "firs", "first ", "FIRST", "firstzwölf", "first,zwölf"])
def test_other_texts_are_no_password(given: str) -> None:
    assert not is_one_of(given, PASSWORDS)
    assert not is_one_of(given, ())


def test_a_password_has_at_most_4096_characters() -> None:
    for length, is_right in ((4096, True), (4097, False)):
        assert is_one_of("x" * length, ("x" * length, "y")) is is_right


@pytest.mark.parametrize(
    ("given", "name"),
    [("first", "admin#1"), ("zwölf", "admin#2"), ("third", "admin#3"), ("", "admin")],
)
def test_an_administrator_has_the_number_of_the_password(given: str, name: str) -> None:
    assert administrator_name(given, PASSWORDS) == name


@pytest.mark.parametrize("access", list(Access))
def test_the_site_password_is_for_all_but_public_paths_and_api_keys(access: Access) -> None:
    check_site_password(access, request(x_custom_auth="third"), SETTINGS)
    check_site_password(access, request(), Settings())
    if access in (Access.OPEN, Access.API_KEY):
        check_site_password(access, request(x_custom_auth="wrong"), SETTINGS)
    else:
        with pytest.raises(Unauthorized, match="site_password_required"):
            check_site_password(access, request(x_custom_auth="wrong"), SETTINGS)


@pytest.mark.parametrize("path", ["/admin/", "/admin/nothing", "/admin/address/1/nothing"])
def test_an_unknown_path_of_administrators_needs_their_password(path: str) -> None:
    access = area_of(path).access
    with pytest.raises(Unauthorized, match="admin_password_required"):
        checked(access, request(path, x_custom_auth="first"))
    assert checked(access, request(path, x_admin_auth="admin")) is None


def test_the_admin_password_can_be_switched_off() -> None:
    settings = Settings(jwt_secret=SECRET, disable_admin_password_check=True)
    assert checked(Access.ADMIN, request(), settings) is None


# The rate of a client


def test_a_client_over_its_rate_is_rejected_for_a_minute() -> None:
    limiter = Limiter()
    with pytest.raises(TooManyRequests, match="client_rate_exceeded") as raised:
        asyncio.run(check_client_rate(request("/p", cf_connecting_ip="192.0.2.1"), limiter))
    assert (raised.value.headers["Retry-After"], limiter.keys) == ("60", ["/p|192.0.2.1"])


def test_a_client_within_its_rate_is_admitted() -> None:
    asyncio.run(check_client_rate(request(), Limiter(admits=True)))
    asyncio.run(check_client_rate(request(), None))


# Credentials


def token() -> str:
    return issue(ME, secret=SECRET, now=0)


@pytest.mark.parametrize("access", [Access.ADDRESS, Access.API_KEY])
def test_a_credential_is_verified(access: Access) -> None:
    assert checked(access, request(authorization=f"bEARER  {token()} ")) == ME


@pytest.mark.parametrize("access", [Access.OPEN, Access.SITE])
def test_other_paths_read_no_credential(access: Access) -> None:
    assert checked(access, request(authorization="Bearer x")) is None


def test_a_missing_api_key_has_its_own_error() -> None:
    with pytest.raises(Unauthorized, match="credential_missing"):
        checked(Access.API_KEY, request())
    for access, header in ((Access.ADDRESS, ""), (Access.API_KEY, "Basic x")):
        with pytest.raises(Unauthorized, match="invalid_credential"):
            checked(access, request(authorization=header))


def test_an_authorization_may_have_100_characters_besides_the_token() -> None:
    longest = MAX_TOKEN_CHARACTERS + 100
    padded = f"Bearer {token()}"
    assert checked(Access.ADDRESS, request(authorization=padded.ljust(longest))) == ME
    with pytest.raises(Unauthorized, match="invalid_credential"):
        checked(Access.ADDRESS, request(authorization=padded.ljust(longest + 1)))


# What the deployment lacks


def test_a_missing_database_or_secret_is_named() -> None:
    with pytest.raises(ServerFault, match="binding_missing"):
        check_access(Access.OPEN, request(), SETTINGS, has_database=False)
    with pytest.raises(ServerFault, match="secret_missing"):
        checked(Access.OPEN, request(), Settings())
