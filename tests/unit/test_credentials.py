"""The address JWT: its claims, its signature, and every invalid token."""

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
    """A handmade token, because no library makes invalid ones."""
    parts = [header, claims]
    text = ".".join(
        _base64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts
    )
    return f"{text}.{_base64(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read(token: object, *secrets: str) -> Credential:
    return verify(token, secrets=secrets or (SECRET,))


def assert_rejected(token: object, *secrets: str) -> None:
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
def test_a_token_has_only_the_necessary_claims() -> None:
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
    assert_rejected(issue(CREDENTIAL, secret=SECRET, now=now - 86_400, lifetime_days=1))


def test_the_longest_lifetime_is_accepted() -> None:
    token = issue(CREDENTIAL, secret=SECRET, now=int(time.time()), lifetime_days=2**53)
    assert read(token) == CREDENTIAL


def test_a_rotated_credential_has_a_later_and_unique_version() -> None:
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
def test_a_token_for_a_non_ascii_address_is_rejected(address: str) -> None:
    assert_rejected(signed({**CLAIMS, "address": address}))


def test_a_handmade_token_is_accepted() -> None:
    assert read(signed(CLAIMS)) == CREDENTIAL


@pytest.mark.parametrize("address_id", [7, "7", "007"])
def test_tokens_of_the_original_service_have_version_0(address_id: object) -> None:
    assert read(signed({**CLAIMS, "address_id": address_id})) == CREDENTIAL


@pytest.mark.parametrize("address_id", [1, 2**53 - 1, "1", str(2**53 - 1)])
def test_every_id_of_a_database_is_accepted(address_id: object) -> None:
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
def test_an_id_must_be_an_integer(address_id: object) -> None:
    assert_rejected(signed({**CLAIMS, "address_id": address_id}))


@pytest.mark.parametrize("version", [None, True, -1, "", "x", 1.0, [], 2**53])
def test_a_version_must_be_an_integer(version: object) -> None:
    assert_rejected(signed({**CLAIMS, "credential_version": version}))


@pytest.mark.parametrize("address", [None, 7, True, [], {}, ["me@example.com"]])
def test_an_address_must_be_a_text(address: object) -> None:
    assert_rejected(signed({**CLAIMS, "address": address}))


@pytest.mark.parametrize("missing", ["address", "address_id"])
def test_a_missing_claim_is_rejected(missing: str) -> None:
    assert_rejected(signed({name: value for name, value in CLAIMS.items() if name != missing}))


@pytest.mark.parametrize("claims", [[], [CLAIMS], "me", 7, None, True, b"", b"{", b"\xff"])
def test_claims_must_be_an_object(claims: object) -> None:
    assert_rejected(signed(claims))


def test_unknown_claims_are_ignored() -> None:
    assert read(signed({**CLAIMS, "role": "admin", "user_id": [1]})) == CREDENTIAL


def test_another_secret_is_rejected() -> None:
    assert_rejected(signed(CLAIMS, secret=OTHER_SECRET))
    assert_rejected(signed(CLAIMS, secret=""))


def test_altered_claims_are_rejected() -> None:
    header, _, signature = signed(CLAIMS).split(".")
    altered = _base64(json.dumps({**CLAIMS, "address_id": 8}).encode())
    assert_rejected(f"{header}.{altered}.{signature}")


@pytest.mark.parametrize("position", [0, 10, -1, -10, -43])
def test_an_altered_signature_is_rejected(position: int) -> None:
    token = list(signed(CLAIMS))
    token[position] = "A" if token[position] != "A" else "Q"
    assert_rejected("".join(token))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "nOnE"])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_rejected(algorithm: str, signature: str) -> None:
    header = _base64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    assert_rejected(f"{header}.{_base64(json.dumps(CLAIMS).encode())}.{signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_the_other_hmac_algorithms_are_rejected(algorithm: str) -> None:
    assert_rejected(jwt.encode(CLAIMS, SECRET * 2, algorithm=algorithm), SECRET * 2)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "hs256", "HS256 ", None, 1, []])
def test_a_signature_with_another_algorithm_name_is_rejected(algorithm: object) -> None:
    assert_rejected(signed(CLAIMS, header={"alg": algorithm}))


@pytest.mark.parametrize(
    "header",
    [{"typ": "JWT"}, {"alg": "HS256", "crit": ["exp"]}, {"alg": "HS256", "b64": False}, [], b"{"],
)
def test_a_header_with_critical_extensions_is_rejected(header: object) -> None:
    assert_rejected(signed(CLAIMS, header=header))


@pytest.mark.contract("credential: `exp` is enforced")
def test_exp_is_honoured() -> None:
    now = int(time.time())
    assert read(signed({**CLAIMS, "exp": now + 60})) == CREDENTIAL
    assert_rejected(signed({**CLAIMS, "exp": now - 60}))


@pytest.mark.parametrize("claims", [{"exp": 1_100}, {"nbf": 1_000, "exp": 1_100}, {"nbf": 1_000}])
def test_the_times_of_a_token_are_checked_at_each_use(
    claims: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed({**CLAIMS, **claims})
    for now in (999.0, 1_000.0, 1_099.9, 1_100.0, 1_000.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        if claims.get("nbf", 0) <= now < claims.get("exp", 2_000):
            assert read(token) == CREDENTIAL
        else:
            assert_rejected(token)


def test_a_token_that_was_valid_is_rejected_with_other_secrets() -> None:
    token = signed(CLAIMS)
    assert read(token, OLD_SECRET, SECRET) == CREDENTIAL
    assert_rejected(token, OLD_SECRET)
    assert_rejected(token, OTHER_SECRET, OLD_SECRET)


def test_a_signature_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    token, decoded = signed({**CLAIMS, "jti": "of this test"}), []
    decode = jwt.decode

    def counted(*given: Any, **more: Any) -> Any:
        decoded.append(given)
        return decode(*given, **more)

    monkeypatch.setattr(jwt, "decode", counted)
    assert [read(token) for _ in range(3)] == [CREDENTIAL] * 3
    assert len(decoded) == 1
    for _ in range(2):
        assert_rejected(token[:-1])
    assert len(decoded) == 3


@pytest.mark.parametrize("exp", [0, -1, "never", None, [], {}, float("inf"), float("nan")])
def test_a_past_or_unreadable_exp_is_rejected(exp: object) -> None:
    assert_rejected(signed({**CLAIMS, "exp": exp}))


@pytest.mark.parametrize("offset", [-(10**9), 0, 5, 10**6])
def test_iat_does_not_affect_validity(offset: int) -> None:
    assert read(signed({**CLAIMS, "iat": int(time.time()) + offset})) == CREDENTIAL


def test_previous_secrets_verify_tokens() -> None:
    assert read(signed(CLAIMS, secret=OLD_SECRET), SECRET, OLD_SECRET) == CREDENTIAL
    assert read(signed(CLAIMS, secret=SECRET), SECRET, OLD_SECRET) == CREDENTIAL
    assert_rejected(signed(CLAIMS, secret=OTHER_SECRET), SECRET, OLD_SECRET)


def test_an_expired_token_of_a_previous_secret_is_rejected() -> None:
    assert_rejected(signed({**CLAIMS, "exp": 1}, secret=OLD_SECRET), SECRET, OLD_SECRET)


def test_without_a_secret_no_token_is_valid() -> None:
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
def test_an_invalid_token_is_rejected(token: object) -> None:
    assert_rejected(token)


@pytest.mark.parametrize("around", [" {}", "{}.", ".{}", "{}.x", "{}\u00e9", "{}\x00"])
def test_a_token_with_surrounding_text_is_rejected(around: str) -> None:
    assert_rejected(around.format(signed(CLAIMS)))


def test_a_token_with_a_lone_surrogate_is_rejected() -> None:
    assert_rejected(signed(CLAIMS) + chr(0xD800))


def test_a_megabyte_is_rejected_without_parsing() -> None:
    assert_rejected("a" * 1_000_000)
    assert_rejected("." * 1_000_000)
    assert_rejected(signed({**CLAIMS, "more": "a" * 1_000_000}))


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_deeply_nested_json_is_rejected(bracket: bytes) -> None:
    deep = bracket * (2500 // len(bracket))
    assert_rejected(signed(CLAIMS, header=deep))
    assert_rejected(signed(deep))


@given(
    st.text(max_size=60)
    | st.lists(st.binary(max_size=40), max_size=4).map(lambda parts: ".".join(map(_base64, parts)))
)
def test_any_text_is_rejected_without_another_exception(token: str) -> None:
    assert_rejected(token)


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
def test_any_signed_claims_are_a_credential_or_rejected(claims: dict[str, Any]) -> None:
    try:
        credential = read(signed(claims))
    except Unauthorized:
        return
    assert credential.address == claims["address"]
    assert credential.address_id == int(claims["address_id"]) > 0
    assert credential.version >= 0
