"""Turnstile's verdicts: each accepts the request, rejects it, or reports a fault of the service."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem, unique_name
from tests.e2e.turnstile import Turnstile

FAILED = "Human verification check failed"
UNAVAILABLE = "The human verification service does not respond, please try again later"
FAULT_OF_THE_CLIENT = (400, "human_verification_failed", FAILED)
FAULT_OF_THE_SERVICE = (503, "human_verification_unavailable", UNAVAILABLE)


@pytest.fixture(scope="module")
def turnstile() -> Iterator[Turnstile]:
    with Turnstile() as running:
        yield running


@pytest.fixture(scope="module")
def api(turnstile: Turnstile) -> Iterator[Api]:
    with TestClient({**DEPLOYMENT, **turnstile.variables}) as running:
        yield Api(running)


def create(api: Api, token: str) -> Any:
    return api.post("/api/new_address", {"name": unique_name(), "cf_token": token})


def addresses(api: Api) -> int:
    (row,) = api.server.sql("SELECT count(*) AS made FROM addresses")
    made: int = row["made"]
    return made


def test_a_token_is_accepted_once(api: Api) -> None:
    assert create(api, "once 1").status_code == 200
    check_problem(create(api, "once 1"), *FAULT_OF_THE_CLIENT)


def test_of_concurrent_requests_with_one_token_one_is_accepted(api: Api) -> None:
    before = addresses(api)
    bodies = [{"name": unique_name(), "cf_token": "once 2"} for _ in range(10)]
    responses = api.server.request_all(
        ("POST", "/api/new_address", {"json": body}) for body in bodies
    )
    assert Counter(response.status_code for response in responses) == {200: 1, 400: 9}
    assert addresses(api) == before + 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("missing-input-response", FAULT_OF_THE_CLIENT),
        ("invalid-input-response", FAULT_OF_THE_CLIENT),
        ("timeout-or-duplicate", FAULT_OF_THE_CLIENT),
        ("bad-request", FAULT_OF_THE_CLIENT),
        ("internal-error", FAULT_OF_THE_SERVICE),
        ("missing-input-secret", FAULT_OF_THE_SERVICE),
        ("invalid-input-secret", FAULT_OF_THE_SERVICE),
    ],
)
def test_the_code_of_a_verdict_tells_whose_fault_it_is(
    api: Api, turnstile: Turnstile, code: str, error: tuple[int, str, str]
) -> None:
    before = addresses(api)
    turnstile.verdicts["rejected"] = json.dumps({"success": False, "error-codes": [code]})
    check_problem(create(api, "rejected"), *error)
    assert addresses(api) == before
    assert api.server.log_lines()[-2]["codes"] == [code]


def test_a_wrong_secret_key_is_no_fault_of_the_client(turnstile: Turnstile) -> None:
    variables = {**DEPLOYMENT, **turnstile.variables, "CF_TURNSTILE_SECRET_KEY": "wrong"}
    with TestClient(variables) as server:
        check_problem(create(Api(server), "good"), *FAULT_OF_THE_SERVICE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"success": "true"}',
        '{"success": 1}',
        '{"error-codes": []}',
        '{"success": true',
        '{"success": true, "error-codes": [1]}',
    ],
)
def test_an_unreadable_verdict_accepts_nothing(api: Api, turnstile: Turnstile, text: str) -> None:
    before = addresses(api)
    turnstile.verdicts["unreadable"] = text
    check_problem(create(api, "unreadable"), *FAULT_OF_THE_SERVICE)
    assert addresses(api) == before


@pytest.mark.parametrize("text", ['{"success": true}', '{"success": true, "hostname": "a.test"}'])
def test_a_verdict_of_any_hostname_of_the_widget_is_accepted(
    api: Api, turnstile: Turnstile, text: str
) -> None:
    turnstile.verdicts["accepted"] = text
    assert create(api, "accepted").status_code == 200


def test_a_login_needs_its_own_token(api: Api) -> None:
    body = {"email": "nobody@example.com", "password": "0" * 64, "cf_token": "once 3"}
    assert api.post("/api/address_login", body).status_code == 401
    check_problem(api.post("/api/address_login", body), *FAULT_OF_THE_CLIENT)
