"""Attacks on credentials, passwords and input.

Forged and expired credentials, injections, password hashes, and races for a rotated credential.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.api.calls import send_call
from tests.client import TestClient
from tests.client.client import StartedRequest
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, SECRET, Api, Sender, check_problem, mail

REJECTED = (401, "invalid_credential", "Invalid address credential")


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A deployment for this file alone, because some tests read its whole log. It has passwords."""
    with TestClient({**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true"}) as running:
        yield Api(running)


@pytest.fixture(scope="module")
def victim(api: Api) -> Sender:
    return api.new_sender()


@pytest.fixture(scope="module")
def attacker(api: Api) -> Sender:
    return api.new_sender()


def check_rejected_everywhere(api: Api, token: str) -> None:
    """Check that every endpoint that takes a credential rejects ``token``."""
    before = api.server.sql("SELECT count(*) AS messages FROM messages")
    headers = {"Authorization": f"Bearer {token}"}
    resend = {"from": "a@example.com", "to": "b@example.net", "subject": "s", "text": "t"}
    for method, path, body in (
        ("GET", "/api/settings", None),
        ("GET", "/api/sendbox", None),
        ("GET", "/api/sendbox/019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f", None),
        ("POST", "/api/send_mail", mail()),
        ("POST", "/external/api/send_mail", {**mail(), "token": token}),
        ("POST", "/api/rotate_credential", None),
        ("POST", "/api/address_change_password", {"new_password": "0" * 64}),
        ("POST", "/open_api/credential_login", {"credential": token}),
    ):
        given = {} if path.startswith(("/external", "/open_api")) else headers
        check_problem(api.call(method, path, json=body, headers=given), *REJECTED)
    responses = api.get("/emails", headers=headers), api.post("/emails", resend, headers=headers)
    for response in responses:
        # 403: ``from`` is not the address in the token. This is checked without the database.
        assert response.status_code in (401, 403), response.text
        assert response.json()["code"] in ("invalid_credential", "from_not_own")
    assert api.server.sql("SELECT count(*) AS messages FROM messages") == before


# Forged credentials


def encoded(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(header: object, claims: object, key: str = SECRET, digest: str = "sha256") -> str:
    """A handmade token, signed with ``key``. If ``digest`` is empty, it has no signature."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    if not digest:
        return f"{signed}."
    return f"{signed}.{encoded(hmac.digest(key.encode(), signed.encode(), digest))}"


def claims_of(sender: Sender, **changed: Any) -> dict[str, Any]:
    return {"address": sender.address, "address_id": sender.address_id, **changed}


@pytest.mark.contract("credential: Only HS256 with JWT_SECRET is accepted")
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_the_algorithm_none_is_rejected(api: Api, victim: Sender, algorithm: str) -> None:
    for digest in ("", "sha256"):
        header = {"alg": algorithm, "typ": "JWT"}
        check_rejected_everywhere(api, forged(header, claims_of(victim), digest=digest))


@pytest.mark.contract("credential: Only HS256 with JWT_SECRET is accepted")
@pytest.mark.parametrize(
    ("header", "digest"),
    [
        ({"alg": "HS384"}, "sha384"),
        ({"alg": "HS512"}, "sha512"),
        ({"alg": "RS256"}, "sha256"),
        ({"alg": "ES256"}, "sha256"),
        ({"alg": "hs256"}, "sha256"),
        ({"alg": ["HS256"]}, "sha256"),
        ({"alg": None}, "sha256"),
        ({}, "sha256"),
        ([], "sha256"),
        ({"alg": "HS256", "crit": ["exp"]}, "sha256"),
    ],
    ids=str,
)
def test_other_algorithms_and_headers_are_rejected(
    api: Api, victim: Sender, header: object, digest: str
) -> None:
    check_rejected_everywhere(api, forged(header, claims_of(victim), digest=digest))


@pytest.mark.contract("credential: Only HS256 with JWT_SECRET is accepted")
@pytest.mark.parametrize(
    "key", ["", "secret", SECRET[:-1], SECRET + " ", SECRET.upper(), ADMIN_PASSWORD]
)
def test_other_secrets_are_rejected(api: Api, victim: Sender, key: str) -> None:
    check_rejected_everywhere(api, forged({"alg": "HS256"}, claims_of(victim), key=key))


def test_a_key_in_the_header_is_not_used(api: Api, victim: Sender) -> None:
    own = {"kty": "oct", "k": encoded(b"own key")}
    for header in ({"jwk": own}, {"kid": "../../dev/null"}, {"jku": "http://127.0.0.1:9/"}):
        token = forged({"alg": "HS256", **header}, claims_of(victim), key="own key")
        check_rejected_everywhere(api, token)


@pytest.mark.contract(
    "credential: The claims are the address, its id, the issue time and the version"
)
def test_altered_claims_are_rejected(api: Api, victim: Sender, attacker: Sender) -> None:
    header, claims, signature = attacker.jwt.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    for change in (
        {"address": victim.address, "address_id": victim.address_id},
        {"address_id": victim.address_id},
        {"address": victim.address},
        {"credential_version": 1},
    ):
        check_rejected_everywhere(api, f"{header}.{encoded({**decoded, **change})}.{signature}")
    check_rejected_everywhere(api, f"{header}.{victim.jwt.split('.')[1]}.{signature}")


@pytest.mark.parametrize(
    "change",
    [
        *({"address_id": id} for id in (-1, 0, 2**53, 2**63, 10**300, 1.5, True, None, [1])),
        *({"address_id": id} for id in ("1 OR 1=1", "-1", "0x1", "9" * 3000, "١")),
        *({"address": address} for address in (None, 1)),
        *({"credential_version": version} for version in (-1, "x", 2**53)),
        *({"exp": exp} for exp in (0, -1, "soon", [1])),
        *({"nbf": nbf} for nbf in (2**40, "x")),
    ],
    ids=str,
)
def test_invalid_signed_claims_are_rejected(
    api: Api, victim: Sender, change: dict[str, Any]
) -> None:
    """Even the owner of the secret cannot cause a server error."""
    check_rejected_everywhere(api, forged({"alg": "HS256"}, claims_of(victim, **change)))


@pytest.mark.parametrize("address", ["", "' OR ''='", "a@example.com\r\nBcc: b@example.net"])
def test_a_signed_sender_must_be_an_address(api: Api, victim: Sender, address: str) -> None:
    token = forged({"alg": "HS256"}, claims_of(victim, address=address))
    headers = {"Authorization": f"Bearer {token}"}
    response = api.post("/api/send_mail", mail(), headers=headers)
    check_problem(response, 400, "invalid_sender_domain", "Failed to send mail Invalid domain")
    for method, path in (("GET", "/api/settings"), ("POST", "/api/rotate_credential")):
        check_problem(api.call(method, path, headers=headers), *REJECTED)


def test_an_address_in_other_case_is_another_one(api: Api, victim: Sender) -> None:
    claims = claims_of(victim, address=victim.address.upper())
    check_rejected_everywhere(api, forged({"alg": "HS256"}, claims))


@pytest.mark.contract(
    "credential: Tokens of the original service are version 0; their ids may be strings"
)
def test_an_id_of_digits_is_accepted_from_the_original_service(api: Api, victim: Sender) -> None:
    token = forged({"alg": "HS256"}, claims_of(victim, address_id=str(victim.address_id)))
    response = api.get("/api/settings", headers={"Authorization": f"Bearer {token}"})
    assert response.json()["address"] == victim.address


# Expired and replaced credentials


@pytest.mark.contract("credential: `exp` is enforced")
def test_an_expired_credential_is_rejected(api: Api, victim: Sender) -> None:
    past, future = int(time.time()) - 1, int(time.time()) + 60
    check_rejected_everywhere(api, jwt.encode(claims_of(victim, exp=past), SECRET))
    token = jwt.encode(claims_of(victim, exp=future), SECRET)
    headers = {"Authorization": f"Bearer {token}"}
    assert api.get("/api/settings", headers=headers).status_code == 200


@pytest.mark.contract(
    "credential: Deleting, renaming or rotating an address invalidates its credentials at once"
)
def test_a_credential_of_a_recreated_address_is_rejected(api: Api) -> None:
    old = api.new_sender()
    api.server.sql("DELETE FROM addresses WHERE id = ?", [old.address_id])
    check_rejected_everywhere(api, old.jwt)
    name = old.address.partition("@")[0]
    made = api.post("/api/new_address", {"name": name}).json()
    assert made["address"] == old.address
    assert made["address_id"] > old.address_id
    check_rejected_everywhere(api, old.jwt)
    check_rejected_everywhere(api, jwt.encode(claims_of(old), SECRET))


def test_a_rotated_credential_is_rejected(api: Api) -> None:
    old = api.new_sender()
    response = api.post("/api/rotate_credential", headers=old.headers)
    new = Sender(old.address, old.address_id, response.json()["jwt"])
    # A token without a version, as the original service issued it, is rejected too.
    for token in (old.jwt, jwt.encode(claims_of(old), SECRET)):
        check_rejected_everywhere(api, token)
    for version in range(1, 20):
        claims = claims_of(old, credential_version=version)
        headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET)}"}
        assert api.get("/api/settings", headers=headers).status_code == 401
    assert api.send(new).status_code == 200


@pytest.mark.contract("attacks: Rotating a credential while sending is safe")
@pytest.mark.contract(
    "POST /api/rotate_credential: Returns a new credential and invalidates the old one"
)
def test_no_send_succeeds_after_a_concurrent_rotation(api: Api) -> None:
    """Every request with a 200 was sent. Requests after the rotation's response get a 401."""
    sender = api.new_sender(balance=1000)
    early: list[StartedRequest] = []
    late: list[StartedRequest] = []
    rotation: StartedRequest | None = None
    for step in range(60):
        if step == 20:
            options = {"headers": sender.headers}
            rotation = api.server.start("POST", "/api/rotate_credential", options)
        for _ in range(6):
            is_late = rotation is not None and rotation.is_done
            (late if is_late else early).append(api.server.start(*send_call(sender)))
        api.server.advance(0.001)
    assert rotation is not None
    assert rotation.response().status_code == 200
    responses = [one.response() for one in (*early, *late)]
    assert {one.status_code for one in responses} == {200, 401}
    assert len(late) > 10
    assert {one.response().status_code for one in late} == {401}
    accepted = {one.json()["id"] for one in responses if one.status_code == 200}
    assert accepted == {row["id"] for row in api.messages_of(sender)}
    assert len(api.sent_by(sender)) == len(accepted)


# Injections

FORGED_LINE = '\r\n{"event":"forged"}\n'
SQL = ["' OR '1'='1", "'; DROP TABLE addresses; --", '" OR ""="', "\\'; --", "%' OR 1=1 --", "%_*"]


def events(api: Api) -> list[dict[str, Any]]:
    """The lines of the log that have the form of our events."""
    lines = api.server.log_text.split("\n")
    return [json.loads(line) for line in lines if line.strip().startswith('{"event"')]


@pytest.mark.contract("attacks: Response headers and log lines cannot be injected")
def test_no_value_of_a_request_adds_a_log_line(api: Api, victim: Sender) -> None:
    text = f"x{FORGED_LINE}"
    api.post("/api/new_address", {"name": text, "domain": text, "cf_token": text})
    api.post("/api/address_login", {"email": text, "password": text, "cf_token": text})
    api.post("/api/address_login", {"email": victim.address, "password": text})
    api.post("/api/address_change_password", {"new_password": text}, headers=victim.headers)
    for path in ("site_login", "admin_login", "credential_login"):
        api.post(f"/open_api/{path}", {"password": text, "credential": text})
    api.send(victim, subject=text, from_name=text, to_mail=text, to_name=text)
    api.get("/%0d%0a%7B%22event%22:%22forged%22%7D", params={"q": text})
    for header in ("x-request-id", "x-lang", "accept", "x-admin-auth", "cf-connecting-ip"):
        api.get("/admin/x", headers={header: '{"event":"forged"}'})
    marker = api.get("/api/settings", headers=victim.headers).headers["X-Request-Id"]
    api.log_lines(marker)
    assert "forged" not in {line["event"] for line in events(api)}


@pytest.mark.contract("attacks: Response headers and log lines cannot be injected")
def test_response_headers_repeat_only_valid_request_ids(api: Api) -> None:
    for given in ("a b", "x" * 101, "é", "<script>", '"', "a;b"):
        response = api.get("/health_check", headers={"x-request-id": given.encode()})
        assert response.headers["X-Request-Id"] != given
    response = api.get("/health_check", headers={"x-request-id": "order-1.2:3_4"})
    assert response.headers["X-Request-Id"] == "order-1.2:3_4"


@pytest.mark.contract("attacks: SQL is treated as data in every field and parameter")
@pytest.mark.parametrize("text", [*SQL, "\0", "\ud800", "x" * 60_000])
def test_sql_and_odd_values_are_harmless_in_every_field(
    api: Api, victim: Sender, text: str
) -> None:
    before = api.server.sql("SELECT id, name, credential_version FROM addresses")
    for path, fields, statuses in (
        ("/api/address_login", ("email", "password", "cf_token"), {400, 401}),
        ("/api/address_change_password", ("new_password",), {400}),
        ("/open_api/site_login", ("password",), {200, 400}),  # the deployment has no site password
        ("/open_api/admin_login", ("password",), {400, 401}),
        ("/open_api/credential_login", ("credential",), {400, 401}),
    ):
        for field in fields:
            body = {"email": victim.address, "password": "0" * 64, field: text}
            data = json.dumps(body)  # ASCII: lone surrogates are escaped
            headers = {**victim.headers, "Content-Type": "application/json"}
            response = api.call("POST", path, data=data, headers=headers)
            assert response.status_code in statuses | {429}, response.text
    api.server.sql("DELETE FROM login_failures")
    assert api.server.sql("SELECT id, name, credential_version FROM addresses") == before


# Digests and hashes instead of passwords


def test_the_digest_of_the_admin_password_is_rejected(api: Api) -> None:
    digest = hashlib.sha256(ADMIN_PASSWORD.encode()).hexdigest()
    response = api.post("/admin/new_address", {"name": "x"}, headers={"x-admin-auth": digest})
    assert response.status_code == 401


def test_the_stored_hash_is_rejected_as_a_password(api: Api) -> None:
    """A reader of the database cannot log in with a stored hash."""
    made = api.post("/api/new_address", {}).json()
    sql = "SELECT password_hash FROM addresses WHERE id = ?"
    (row,) = api.server.sql(sql, [made["address_id"]])
    derived = base64.b64decode(row["password_hash"].rpartition("$")[2] + "=").hex()
    for password in (row["password_hash"], derived):
        body = {"email": made["address"], "password": password}
        assert api.post("/api/address_login", body).status_code == 401
