"""The address JWT: what it says, who signed it, and all that is refused as one."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.credentials import Credential, issue, rotated, verify
from errors import Unauthorized

SECRET = "a secret of the tests, long enough for HS256 by far"
OLD_SECRET = "the secret before it, which is long enough as well!!"
OTHER_SECRET = "somebody else's secret, which is just as long as ours"
CREDENTIAL = Credential("me@example.com", 7, 0)
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS: dict[str, Any] = {"address": "me@example.com", "address_id": 7}


def signed(claims: object, *, secret: str = SECRET, header: object = HEADER) -> str:
    """A token made by hand, which no library would make for us."""
    parts = [header, claims]
    text = ".".join(
        _base64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts
    )
    return f"{text}.{_base64(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(token: object, *secrets: str) -> Credential:
    return verify(token, secrets=secrets or (SECRET,))


def assert_refused(token: object, *secrets: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        read(token, *secrets)
    assert caught.value.code == "invalid_credential"
    assert int(caught.value.status) == 401


def test_an_issued_token_reads_as_its_credential() -> None:
    credential = Credential("me@example.com", 7, 3)
    assert read(issue(credential, secret=SECRET, now=1_793_707_200)) == credential


@pytest.mark.contract(
    "credential: The claims are the address, its id, the issue time and the version"
)
def test_a_token_says_no_more_than_it_must() -> None:
    token = issue(CREDENTIAL, secret=SECRET, now=1_793_707_200)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert jwt.decode(token, options={"verify_signature": False}) == {
        "address": "me@example.com",
        "address_id": 7,
        "credential_version": 0,
        "iat": 1_793_707_200,
    }


def test_a_token_with_a_lifetime_expires() -> None:
    now = int(time.time())
    token = issue(CREDENTIAL, secret=SECRET, now=now, lifetime_days=30)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] == now + 30 * 86_400
    assert read(token) == CREDENTIAL
    assert_refused(issue(CREDENTIAL, secret=SECRET, now=now - 86_400, lifetime_days=1))


def test_the_longest_lifetime_is_one() -> None:
    token = issue(CREDENTIAL, secret=SECRET, now=int(time.time()), lifetime_days=2**53)
    assert read(token) == CREDENTIAL


def test_a_rotated_credential_is_of_a_later_version_that_nobody_else_has() -> None:
    old = Credential("me@example.com", 7, 3)
    new = {rotated(old) for _ in range(100)}
    assert len(new) == 100
    assert {(one.address, one.address_id) for one in new} == {("me@example.com", 7)}
    assert all(one.version > old.version for one in new)


@given(
    address=st.text(st.characters(max_codepoint=0x7F), max_size=100),
    address_id=st.integers(1, 2**53 - 1),
    version=st.integers(0, 2**53 - 1),
)
def test_every_credential_survives_its_token(address: str, address_id: int, version: int) -> None:
    credential = Credential(address, address_id, version)
    assert read(issue(credential, secret=SECRET, now=0)) == credential


@pytest.mark.parametrize("address", ["mé@example.com", "me@bücher.example", "\x80", "me@b.c\u200b"])
def test_a_token_for_an_address_that_is_not_ascii_is_refused(address: str) -> None:
    assert_refused(signed({**CLAIMS, "address": address}))


def test_a_handmade_token_is_as_good_as_an_issued_one() -> None:
    assert read(signed(CLAIMS)) == CREDENTIAL


@pytest.mark.parametrize("address_id", [7, "7", "007"])
def test_tokens_of_the_original_service_are_version_0(address_id: object) -> None:
    assert read(signed({**CLAIMS, "address_id": address_id})) == CREDENTIAL


@pytest.mark.parametrize("address_id", [1, 2**53 - 1, "1", str(2**53 - 1)])
def test_every_id_that_a_database_may_have_is_taken(address_id: object) -> None:
    assert read(signed({**CLAIMS, "address_id": address_id})).address_id == int(str(address_id))


@pytest.mark.parametrize(
    "address_id",
    [
        *(None, True, False, 0, "0", -1, "-1", "+1", "", " 7", "7 ", "7\n", "1_0", "0x7", "7.0"),
        *(7.0, 7.5, 1e3, [7], {"id": 7}, "seven", "٧", "⁷", "7" * 5000),
        *(2**53, str(2**53), 2**63, 10**400, float("inf"), float("nan")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_id_that_is_no_whole_number_is_refused(address_id: object) -> None:
    assert_refused(signed({**CLAIMS, "address_id": address_id}))


@pytest.mark.parametrize("version", [None, True, -1, "", "x", 1.0, [], 2**53])
def test_a_version_that_is_no_whole_number_is_refused(version: object) -> None:
    assert_refused(signed({**CLAIMS, "credential_version": version}))


@pytest.mark.parametrize("address", [None, 7, True, [], {}, ["me@example.com"]])
def test_an_address_that_is_no_text_is_refused(address: object) -> None:
    assert_refused(signed({**CLAIMS, "address": address}))


@pytest.mark.parametrize("missing", ["address", "address_id"])
def test_a_missing_claim_is_refused(missing: str) -> None:
    assert_refused(signed({name: value for name, value in CLAIMS.items() if name != missing}))


@pytest.mark.parametrize("claims", [[], [CLAIMS], "me", 7, None, True, b"", b"{", b"\xff"])
def test_claims_that_are_no_object_are_refused(claims: object) -> None:
    assert_refused(signed(claims))


def test_unknown_claims_are_ignored() -> None:
    assert read(signed({**CLAIMS, "role": "admin", "user_id": [1]})) == CREDENTIAL


def test_another_secret_is_refused() -> None:
    assert_refused(signed(CLAIMS, secret=OTHER_SECRET))
    assert_refused(signed(CLAIMS, secret=""))


def test_altered_claims_are_refused() -> None:
    header, _, signature = signed(CLAIMS).split(".")
    altered = _base64(json.dumps({**CLAIMS, "address_id": 8}).encode())
    assert_refused(f"{header}.{altered}.{signature}")


@pytest.mark.parametrize("position", [0, 10, -1, -10, -43])
def test_an_altered_signature_is_refused(position: int) -> None:
    token = list(signed(CLAIMS))
    token[position] = "A" if token[position] != "A" else "Q"
    assert_refused("".join(token))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "nOnE"])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_refused(algorithm: str, signature: str) -> None:
    header = _base64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    assert_refused(f"{header}.{_base64(json.dumps(CLAIMS).encode())}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_other_hmac_algorithms_are_refused(algorithm: str) -> None:
    assert_refused(jwt.encode(CLAIMS, SECRET * 2, algorithm=algorithm), SECRET * 2)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "hs256", "HS256 ", None, 1, []])
def test_a_good_signature_under_another_name_is_refused(algorithm: object) -> None:
    assert_refused(signed(CLAIMS, header={"alg": algorithm}))


@pytest.mark.parametrize(
    "header",
    [{"typ": "JWT"}, {"alg": "HS256", "crit": ["exp"]}, {"alg": "HS256", "b64": False}, [], b"{"],
)
def test_a_header_that_asks_for_more_is_refused(header: object) -> None:
    assert_refused(signed(CLAIMS, header=header))


@pytest.mark.contract("credential: `exp` is enforced")
def test_exp_is_honoured() -> None:
    now = int(time.time())
    assert read(signed({**CLAIMS, "exp": now + 60})) == CREDENTIAL
    assert_refused(signed({**CLAIMS, "exp": now - 60}))


@pytest.mark.parametrize("exp", [0, -1, "never", None, [], {}, float("inf"), float("nan")])
def test_an_exp_that_is_past_or_unreadable_is_refused(exp: object) -> None:
    assert_refused(signed({**CLAIMS, "exp": exp}))


@pytest.mark.parametrize("offset", [-(10**9), 0, 5, 10**6])
def test_iat_has_no_say_in_validity(offset: int) -> None:
    assert read(signed({**CLAIMS, "iat": int(time.time()) + offset})) == CREDENTIAL


def test_previous_secrets_verify() -> None:
    assert read(signed(CLAIMS, secret=OLD_SECRET), SECRET, OLD_SECRET) == CREDENTIAL
    assert read(signed(CLAIMS, secret=SECRET), SECRET, OLD_SECRET) == CREDENTIAL
    assert_refused(signed(CLAIMS, secret=OTHER_SECRET), SECRET, OLD_SECRET)


def test_an_expired_token_of_a_previous_secret_is_refused() -> None:
    assert_refused(signed({**CLAIMS, "exp": 1}, secret=OLD_SECRET), SECRET, OLD_SECRET)


def test_without_a_secret_nothing_verifies() -> None:
    with pytest.raises(Unauthorized):
        verify(signed(CLAIMS, secret=""), secrets=())


@pytest.mark.parametrize(
    "token",
    [
        *("", " ", ".", "..", "...", "a.b.c", "é", "é.é.é", "😀" * 10, "\x00", "Bearer x"),
        *(None, 7, True, [], {}, b"bytes"),
    ],
    ids=repr,
)
def test_what_is_no_token_is_refused(token: object) -> None:
    assert_refused(token)


@pytest.mark.parametrize("around", [" {}", "{}.", ".{}", "{}.x", "{}\u00e9", "{}\x00"])
def test_a_token_with_more_around_it_is_refused(around: str) -> None:
    assert_refused(around.format(signed(CLAIMS)))


def test_a_token_with_a_lone_surrogate_is_refused() -> None:
    assert_refused(signed(CLAIMS) + chr(0xD800))


def test_a_megabyte_is_refused_without_being_read() -> None:
    assert_refused("a" * 1_000_000)
    assert_refused("." * 1_000_000)
    assert_refused(signed({**CLAIMS, "more": "a" * 1_000_000}))


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_deeply_nested_json_is_refused(bracket: bytes) -> None:
    deep = bracket * (2500 // len(bracket))
    assert_refused(signed(CLAIMS, header=deep))
    assert_refused(signed(deep))


@given(
    st.text(max_size=60)
    | st.lists(st.binary(max_size=40), max_size=4).map(lambda parts: ".".join(map(_base64, parts)))
)
def test_whatever_comes_is_refused_and_nothing_else_is_raised(token: str) -> None:
    assert_refused(token)


@given(
    st.dictionaries(
        st.sampled_from(["address", "address_id", "credential_version", "exp", "nbf", "iat", "sub"])
        | st.text(max_size=5),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
)
def test_whatever_is_signed_is_a_credential_or_refused(claims: dict[str, Any]) -> None:
    try:
        credential = read(signed(claims))
    except Unauthorized:
        return
    assert credential.address == claims["address"]
    assert credential.address_id == int(claims["address_id"]) > 0
    assert credential.version >= 0
