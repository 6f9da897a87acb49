"""Creation of addresses, by anonymous clients and by administrators."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from tests.client import TestClient
from tests.e2e.api import (
    ADMIN_PASSWORD,
    DEPLOYMENT,
    SECRET,
    Api,
    check_problem,
    unique_name,
)

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


def created(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"jwt", "address", "address_id", "password"}
    claims = jwt.decode(
        body["jwt"], SECRET, algorithms=["HS256"], options={"verify_iat": False}
    )  # the clock of the deployment may be ahead of the real one
    assert (claims["address"], claims["address_id"]) == (body["address"], body["address_id"])
    assert claims["credential_version"] == 0
    assert isinstance(claims["iat"], int)
    return body


@pytest.mark.contract("address names: Names are trimmed and cleaned by ADDRESS_REGEX")
@pytest.mark.contract("POST /api/new_address: Returns jwt, address, address_id and password")
def test_name_is_cleaned(api: Api) -> None:
    name = unique_name()
    body = created(api.post("/api/new_address", {"name": f"  {name.upper()}-._!  "}))
    assert body["address"] == f"{name}@example.com"
    assert body["password"] is None


@pytest.mark.contract(
    "address names: A name is random if it is missing or custom names are disabled"
)
@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": " "}, {"name": "!!"}])
def test_without_a_name_it_is_random(api: Api, body: dict[str, Any]) -> None:
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
        ({"name": "y" * 100_000}, "address_name_too_long", "Name is too long (max 30)"),
        ({"name": "Admin"}, "address_name_blocked", "Name[admin]is blocked"),
        ({"name": "mailer-daemon"}, "address_name_blocked", "Name[mailerdaemon]is blocked"),
        ({"name": "postmaster"}, "address_name_blocked", "Name[postmaster]is blocked"),
        ({"name": "abc", "domain": "elsewhere.example"}, "invalid_domain", "Invalid domain"),
        ({"name": "abc", "domain": "example.org"}, "invalid_domain", "Invalid domain"),
        ({"name": "abc", "domain": "x\r\ny"}, "invalid_domain", "Invalid domain"),
    ],
)
def test_refused_names(api: Api, body: dict[str, Any], code: str, sentence: str) -> None:
    check_problem(api.post("/api/new_address", body), 400, code, PREFIX + sentence)


@pytest.mark.contract(
    "address names: Names are checked in order: block list, role names, check regex, length"
)
def test_blocked_names_are_read_from_the_list(api: Api) -> None:
    name = unique_name()
    api.server.sql("INSERT INTO list_entries (list, value) VALUES ('name_block', ?)", [name])
    answer = api.post("/api/new_address", {"name": name})
    check_problem(answer, 400, "address_name_blocked", f"{PREFIX}Name[{name}]is blocked")
    created(api.post("/api/new_address", {"name": name + "x"}))
    created(api.admin("POST", "/admin/new_address", json={"name": name}))


@pytest.mark.contract(
    "address names: The domain matches in any case; the default is a random or the first domain"
)
def test_domain_in_any_case(api: Api) -> None:
    body = created(api.post("/api/new_address", {"name": unique_name(), "domain": "Example.COM"}))
    assert body["address"].endswith("@example.com")


@pytest.mark.contract("POST /api/new_address: Exactly one of many concurrent requests gets a name")
def test_exactly_one_of_many_gets_the_name(api: Api) -> None:
    name = unique_name()
    request = ("POST", "/api/new_address", {"json": {"name": name}})
    answers = api.server.request_all([request] * 10)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 9}
    sentence = PREFIX + "Address already exists"
    assert {answer.json().get("detail") for answer in answers} == {None, sentence}


def test_ids_are_never_reused(api: Api) -> None:
    first = api.new_sender()
    api.server.sql("DELETE FROM addresses WHERE id = ?", [first.address_id])
    assert api.new_sender().address_id > first.address_id


@pytest.mark.contract("POST /api/new_address: Returns 403 if creation is disabled")
@pytest.mark.parametrize("variable", ["ENABLE_USER_CREATE_EMAIL", "DISABLE_ANONYMOUS"])
def test_creation_switched_off(variable: str) -> None:
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
def test_prefix_regex_and_first_domain(strict: Api) -> None:
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
def test_rules_of_the_deployment(strict: Api, name: str, code: str, sentence: str) -> None:
    answer = strict.call("POST", "/api/new_address", json={"name": name}, headers={"x-lang": "en"})
    check_problem(answer, 400, code, PREFIX + sentence)


@pytest.mark.contract("errors: The language is x-lang, then DEFAULT_LANG, then English")
def test_language_of_the_deployment(strict: Api) -> None:
    answer = strict.post("/api/new_address", {"name": "abc"})
    assert answer.json()["detail"] == "创建邮箱地址失败: 名称太短(最少 4 个字符)"


def test_random_names_keep_to_the_rules(strict: Api) -> None:
    for _ in range(5):
        local = created(strict.post("/api/new_address", {}))["address"].partition("@")[0]
        assert 4 <= len(local.removeprefix("tmp.")) <= 12


@pytest.mark.contract("POST /admin/new_address: Accepts any domain and role names")
def test_admin_may_use_any_domain_and_role_names(api: Api) -> None:
    name = unique_name()
    body = {"name": f"No-Reply.{name}", "domain": "example.org"}
    made = created(api.admin("POST", "/admin/new_address", json=body))
    assert made["address"] == f"no-reply.{name}@example.org"
    created(api.admin("POST", "/admin/new_address", json={"name": "security"}))


@pytest.mark.contract("POST /admin/new_address: Adds the prefix only on request")
def test_admin_prefix_only_when_asked_for(strict: Api) -> None:
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
def test_admin_must_give_a_name(api: Api, body: dict[str, Any]) -> None:
    answer = api.admin("POST", "/admin/new_address", json=body)
    check_problem(answer, 400, "required_field_missing", "Required field is missing")


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
def test_admin_refusals(api: Api, body: dict[str, Any], code: str, sentence: str) -> None:
    answer = api.admin("POST", "/admin/new_address", json=body)
    check_problem(answer, 400, code, PREFIX + sentence)


@pytest.mark.parametrize("path", ["/api/new_address", "/admin/new_address"])
def test_a_random_subdomain_is_refused_in_clear_words(api: Api, path: str) -> None:
    headers = {"x-admin-auth": ADMIN_PASSWORD}
    name = unique_name()
    body = {"name": name, "enableRandomSubdomain": True}
    answer = api.post(path, body, headers=headers)
    sentence = "Random subdomains are not supported: omit enableRandomSubdomain"
    problem = check_problem(answer, 400, "random_subdomain_unsupported", PREFIX + sentence)
    assert problem["errors"] == [{"field": "enableRandomSubdomain", "message": sentence}]
    assert (
        api.post(path, {**body, "enableRandomSubdomain": "yes"}, headers=headers).status_code == 422
    )
    for given in (False, None):
        body = {"name": unique_name(), "enableRandomSubdomain": given}
        assert api.post(path, body, headers=headers).status_code == 200
