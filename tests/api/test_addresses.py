"""Creation of addresses, by anonymous clients and by administrators."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.credentials import claims_of
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, check_problem, unique_name

PREFIX = "Failed to create address: "


@pytest.fixture(scope="module")
def strict() -> Iterator[Api]:
    """A deployment with all rules for names set."""
    variables = {
        **DEPLOYMENT,
        "PREFIX": "TMP.",
        "ADDRESS_REGEX": "[^a-z0-9.]",
        "ADDRESS_CHECK_REGEX": "^(?!.*test)",
        "MIN_ADDRESS_LEN": "4",
        "MAX_ADDRESS_LEN": "12",
        "CREATE_ADDRESS_DEFAULT_DOMAIN_FIRST": "true",
        "DEFAULT_DOMAINS": "",
        "ENABLE_ADDRESS_PASSWORD": "true",
        "PASSWORD_PEPPER": "pepper",
        "DEFAULT_LANG": "zh",
    }
    with TestClient(variables) as running:
        yield Api(running)


def created(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert body.keys() == {"jwt", "address", "address_id", "password"}
    claims = claims_of(body["jwt"])
    assert (claims["address"], claims["address_id"]) == (body["address"], body["address_id"])
    assert claims["credential_version"] == 0
    assert isinstance(claims["iat"], int)
    return body


@pytest.mark.contract("address names: Names are trimmed and cleaned by ADDRESS_REGEX")
@pytest.mark.contract("POST /api/new_address: Returns jwt, address, address_id and password")
def test_a_name_is_cleaned(api: Api) -> None:
    name = unique_name()
    body = created(api.post("/api/new_address", {"name": f"  {name.upper()}-._!  "}))
    assert body["address"] == f"{name}@example.com"
    assert body["password"] is None


@pytest.mark.contract(
    "address names: A name is random if it is missing or custom names are disabled"
)
@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": " "}, {"name": "!!"}])
def test_without_a_name_the_name_is_random(api: Api, body: dict[str, Any]) -> None:
    first, second = (created(api.post("/api/new_address", body))["address"] for _ in range(2))
    assert first != second
    assert len(first.partition("@")[0]) >= 8


@pytest.mark.contract(
    "address names: Names are checked in order: block list, role names, check regex, length"
)
@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"name": "x" * 31}, "address_name_too_long", "Name is too long (max 30)"),
        ({"name": "y" * 60_000}, "address_name_too_long", "Name is too long (max 30)"),
        ({"name": "Admin"}, "address_name_blocked", "Name[admin]is blocked"),
        ({"name": "mailer-daemon"}, "address_name_blocked", "Name[mailerdaemon]is blocked"),
        ({"name": "postmaster"}, "address_name_blocked", "Name[postmaster]is blocked"),
        ({"name": "abc", "domain": "elsewhere.example"}, "invalid_domain", "Invalid domain"),
        ({"name": "abc", "domain": "example.org"}, "invalid_domain", "Invalid domain"),
        ({"name": "abc", "domain": "x\r\ny"}, "invalid_domain", "Invalid domain"),
    ],
)
def test_invalid_names_are_rejected(
    api: Api, body: dict[str, Any], code: str, sentence: str
) -> None:
    check_problem(api.post("/api/new_address", body), 400, code, PREFIX + sentence)


@pytest.mark.contract(
    "address names: Names are checked in order: block list, role names, check regex, length"
)
def test_blocked_names_are_read_from_the_list(api: Api) -> None:
    name = unique_name()
    api.server.sql("INSERT INTO list_entries (list, value) VALUES ('name_block', ?)", [name])
    response = api.post("/api/new_address", {"name": name})
    check_problem(response, 400, "address_name_blocked", f"{PREFIX}Name[{name}]is blocked")
    created(api.post("/api/new_address", {"name": name + "x"}))
    created(api.admin("POST", "/admin/new_address", json={"name": name}))


@pytest.mark.contract(
    "address names: The domain matches in any case; the default is a random or the first domain"
)
def test_a_domain_is_accepted_in_any_case(api: Api) -> None:
    body = created(api.post("/api/new_address", {"name": unique_name(), "domain": "Example.COM"}))
    assert body["address"].endswith("@example.com")


@pytest.mark.contract("POST /api/new_address: Exactly one of many concurrent requests gets a name")
def test_only_one_of_many_concurrent_requests_gets_the_name(api: Api) -> None:
    name = unique_name()
    request = ("POST", "/api/new_address", {"json": {"name": name}})
    responses = api.server.request_all([request] * 10)
    assert Counter(response.status_code for response in responses) == {200: 1, 400: 9}
    sentence = PREFIX + "Address already exists"
    assert {response.json().get("detail") for response in responses} == {None, sentence}


def test_ids_are_never_reused(api: Api) -> None:
    first = api.new_sender()
    api.server.sql("DELETE FROM addresses WHERE id = ?", [first.address_id])
    assert api.new_sender().address_id > first.address_id


@pytest.mark.contract("POST /api/new_address: Returns 403 if creation is disabled")
@pytest.mark.parametrize("variable", ["ENABLE_USER_CREATE_EMAIL", "DISABLE_ANONYMOUS"])
def test_creation_can_be_disabled(variable: str) -> None:
    if variable == "ENABLE_USER_CREATE_EMAIL":
        change = {"ENABLE_USER_CREATE_EMAIL": "false"}
        code = "new_address_disabled"
        sentence = "New address is disabled, please contact the administrator"
    else:
        change = {"DISABLE_ANONYMOUS_USER_CREATE_EMAIL": "true"}
        code = "anonymous_new_address_disabled"
        sentence = "New address for anonymous user is disabled, please contact the administrator"
    with TestClient({**DEPLOYMENT, **change}) as server:
        api = Api(server)
        check_problem(api.post("/api/new_address", {"name": "abc"}), 403, code, sentence)
        created(api.admin("POST", "/admin/new_address", json={"name": "abc"}))


@pytest.mark.contract("address names: Names are trimmed and cleaned by ADDRESS_REGEX")
@pytest.mark.contract("address names: The prefix is prepended in lower case")
@pytest.mark.contract(
    "address names: The domain matches in any case; the default is a random or the first domain"
)
def test_prefix_regex_and_first_domain_are_applied(strict: Api) -> None:
    body = created(strict.post("/api/new_address", {"name": "ab.cd"}))
    assert body["address"] == "tmp.ab.cd@example.com"


@pytest.mark.contract(
    "address names: Names are checked in order: block list, role names, check regex, length"
)
@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("mytest", "address_name_no_match", "Name not match regex: /^(?!.*test)/"),
        ("abc", "address_name_too_short", "Name is too short (min 4)"),
        ("abcdefghijklm", "address_name_too_long", "Name is too long (max 12)"),
        ("ab..cd", "address_name_invalid", "Name can't be used in a mail address"),
        ("security", "address_name_blocked", "Name[security]is blocked"),
        ("a.d.min", "address_name_blocked", "Name[a.d.min]is blocked"),
    ],
)
def test_names_must_follow_the_rules_of_the_deployment(
    strict: Api, name: str, code: str, sentence: str
) -> None:
    response = strict.call(
        "POST", "/api/new_address", json={"name": name}, headers={"x-lang": "en"}
    )
    check_problem(response, 400, code, PREFIX + sentence)


@pytest.mark.contract("errors: The language is x-lang, then DEFAULT_LANG, then English")
def test_the_language_of_the_deployment_is_used(strict: Api) -> None:
    response = strict.post("/api/new_address", {"name": "abc"})
    assert response.json()["detail"] == "创建邮箱地址失败: 名称太短(最少 4 个字符)"


def test_random_names_keep_to_the_rules(strict: Api) -> None:
    for _ in range(5):
        local = created(strict.post("/api/new_address", {}))["address"].partition("@")[0]
        assert 4 <= len(local.removeprefix("tmp.")) <= 12


@pytest.mark.contract("POST /admin/new_address: Accepts any domain and role names")
def test_administrators_may_use_any_domain_and_role_names(api: Api) -> None:
    name = unique_name()
    body = {"name": f"No-Reply.{name}", "domain": "example.org"}
    made = created(api.admin("POST", "/admin/new_address", json=body))
    assert made["address"] == f"no-reply.{name}@example.org"
    created(api.admin("POST", "/admin/new_address", json={"name": "security"}))


@pytest.mark.contract("POST /admin/new_address: Adds the prefix only on request")
def test_administrators_get_the_prefix_only_on_request(strict: Api) -> None:
    for body, local in (
        ({"name": "ab"}, "ab"),
        ({"name": "cd", "enablePrefix": False}, "cd"),
        ({"name": "ef", "enablePrefix": True}, "tmp.ef"),
        ({"name": "test", "domain": "example.com"}, "test"),
    ):
        made = created(strict.admin("POST", "/admin/new_address", json=body))
        assert made["address"].partition("@")[0] == local


@pytest.mark.contract("POST /admin/new_address: Requires a name")
@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": None}, {"domain": "example.com"}])
def test_administrators_must_give_a_name(api: Api, body: dict[str, Any]) -> None:
    response = api.admin("POST", "/admin/new_address", json=body)
    check_problem(response, 400, "required_field_missing", "Required field is missing")


@pytest.mark.contract("POST /admin/new_address: Accepts names of 1 to 30 characters")
@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"name": "x" * 31}, "address_name_too_long", "Name is too long (max 30)"),
        ({"name": "a b"}, "address_name_invalid", "Name can't be used in a mail address"),
        ({"name": "a@b"}, "address_name_invalid", "Name can't be used in a mail address"),
        ({"name": "abc", "domain": "elsewhere.example"}, "invalid_domain", "Invalid domain"),
    ],
)
def test_invalid_names_of_administrators_are_rejected(
    api: Api, body: dict[str, Any], code: str, sentence: str
) -> None:
    response = api.admin("POST", "/admin/new_address", json=body)
    check_problem(response, 400, code, PREFIX + sentence)


@pytest.mark.parametrize("path", ["/api/new_address", "/admin/new_address"])
def test_a_random_subdomain_is_not_supported(api: Api, path: str) -> None:
    headers = {"x-admin-auth": ADMIN_PASSWORD}
    name = unique_name()
    body = {"name": name, "enableRandomSubdomain": True}
    response = api.post(path, body, headers=headers)
    sentence = "Random subdomains are not supported: omit enableRandomSubdomain"
    problem = check_problem(response, 400, "random_subdomain_unsupported", PREFIX + sentence)
    assert problem["errors"] == [{"field": "enableRandomSubdomain", "message": sentence}]
    assert (
        api.post(path, {**body, "enableRandomSubdomain": "yes"}, headers=headers).status_code == 422
    )
    for given in (False, None):
        body = {"name": unique_name(), "enableRandomSubdomain": given}
        assert api.post(path, body, headers=headers).status_code == 200
