"""The shortest and longest, lowest and highest values of accounts that are accepted."""

from typing import Any

import jwt
import pytest

from accounts.clients import client_key
from accounts.credentials import MAX_TOKEN_CHARACTERS, Credential, issue, rotated, verify
from accounts.lists import MAX_ENTRIES, checked_limits, comparable_entries
from accounts.passwords import digest_of, is_client_digest
from errors import BadRequest, PayloadTooLarge, Unauthorized
from mail.addresses import MAX_GIVEN_CHARACTERS

SECRET = "a-secret-of-the-tests-0123456789abcdef"
LARGEST = 2**53 - 1
DAY = 86_400


def read(**claims: Any) -> Credential:
    token = jwt.encode({"address": "a@example.com", **claims}, SECRET, algorithm="HS256")
    return verify(token, secrets=(SECRET,))


@pytest.mark.parametrize("given", [LARGEST, str(LARGEST), "0" * 15 + "7", 1])
def test_an_id_has_at_most_16_digits(given: object) -> None:
    assert read(address_id=given).address_id == int(str(given))


@pytest.mark.parametrize(
    "given", [LARGEST + 1, str(LARGEST + 1), "0" * 16 + "7", 0, "0", True, "²"]
)
def test_other_values_are_no_id(given: object) -> None:
    with pytest.raises(Unauthorized, match="invalid_credential"):
        read(address_id=given)


def test_a_version_may_be_0_and_the_largest_number() -> None:
    assert read(address_id=1, credential_version=0).version == 0
    assert read(address_id=1, credential_version=LARGEST).version == LARGEST
    with pytest.raises(Unauthorized, match="invalid_credential"):
        read(address_id=1, credential_version=-1)


def test_a_token_has_at_most_the_longest_length() -> None:
    def token(characters: int) -> str:
        claims = {"address": "a@example.com", "address_id": 1, "more": "x" * characters}
        return jwt.encode(claims, SECRET, algorithm="HS256")

    lengths = {len(token(count)): token(count) for count in range(2900, 3000)}
    longest = max(length for length in lengths if length <= MAX_TOKEN_CHARACTERS)
    too_long = min(length for length in lengths if length > MAX_TOKEN_CHARACTERS)
    assert (longest, too_long) == (4096, 4097)
    assert verify(lengths[longest], secrets=(SECRET,)).address_id == 1
    with pytest.raises(Unauthorized, match="invalid_credential"):
        verify(lengths[too_long], secrets=(SECRET,))


def test_a_token_expires_after_its_days_to_the_second() -> None:
    me = Credential("a@example.com", 1, 2)
    claims = jwt.decode(
        issue(me, secret=SECRET, now=5, lifetime_days=3),
        SECRET,
        algorithms=["HS256"],
        options={"verify_exp": False},
    )
    assert (claims["iat"], claims["exp"]) == (5, 5 + 3 * DAY)
    assert "exp" not in jwt.decode(issue(me, secret=SECRET, now=5), SECRET, algorithms=["HS256"])


@pytest.mark.parametrize("random", [0, 2**30 - 1])
def test_the_version_grows_by_1_to_2_to_the_30(
    monkeypatch: pytest.MonkeyPatch, random: int
) -> None:
    bounds = []

    def randbelow(bound: int) -> int:
        bounds.append(bound)
        return random

    monkeypatch.setattr("accounts.credentials.randbelow", randbelow)
    assert rotated(Credential("a@example.com", 1, 2)).version == 2 + 1 + random
    assert bounds == [2**30]


def test_a_digest_is_read_to_one_character_beyond_its_length() -> None:
    assert is_client_digest(digest_of("A" * 64))
    assert digest_of("A" * 70) == "a" * 65
    assert not is_client_digest(digest_of("A" * 65))


def test_a_list_has_at_most_10000_entries() -> None:
    entries = [f"{number}.example" for number in range(MAX_ENTRIES)]
    assert len(comparable_entries("sendBlockList", entries)) == 10_000
    with pytest.raises(PayloadTooLarge, match="list_too_large"):
        comparable_entries("sendBlockList", [*entries, "another.example"])


def test_an_entry_has_at_most_the_length_of_a_given_address() -> None:
    entry = "a@example.com".ljust(MAX_GIVEN_CHARACTERS)
    assert comparable_entries("verifiedAddressList", [entry]) == {"a@example.com": entry}
    with pytest.raises(BadRequest, match="invalid_list_entry") as raised:
        comparable_entries("verifiedAddressList", ["b@example.com", entry + " "])
    (error,) = raised.value.errors
    assert (error.field, error.code) == ("verifiedAddressList[1]", "list_entry_too_long")


def test_a_blocked_name_has_at_most_64_octets() -> None:
    assert comparable_entries("blockList", [" " + "É" * 32]) == {"é" * 32: " " + "É" * 32}
    for entry in ("É" * 32 + "a", "", " ", "a\x00b"):
        with pytest.raises(BadRequest, match="invalid_list_entry"):
            comparable_entries("blockList", [entry])


@pytest.mark.parametrize("limit", [-1, 0, LARGEST])
def test_a_limit_is_at_least_minus_1(limit: int) -> None:
    given = {"dailyEnabled": True, "dailyLimit": limit, "more": 1}
    none = {"monthlyEnabled": False, "monthlyLimit": None}
    assert checked_limits(given) == {"dailyEnabled": True, "dailyLimit": limit, **none}


@pytest.mark.parametrize(
    "given",
    [
        *(
            {"monthlyEnabled": True, "monthlyLimit": limit}
            for limit in (-2, LARGEST + 1, 1.5, None)
        ),
        *({"monthlyLimit": limit} for limit in (True, "1", -2)),
        *({"monthlyEnabled": enabled} for enabled in (1, "true", None)),
        None,
        [],
    ],
)
def test_other_limits_are_rejected(given: object) -> None:
    with pytest.raises(BadRequest, match="invalid_send_limits"):
        checked_limits(given)


def test_the_key_of_a_client_has_at_most_64_characters() -> None:
    zone = "fe80::1%"
    assert client_key(zone.ljust(64, "z")).startswith("fe80::")
    assert client_key(zone.ljust(64, "z")) != zone.ljust(64, "z")
    assert client_key(zone.ljust(65, "z")) == zone.ljust(64, "z")
