"""The OpenAPI description, and a check of the worker against it."""

import contextlib
import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.passwords import client_digest
from tests.client import TestClient
from tests.client.port import on_a_port
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, unique_name
from tools.local_server import LocalServer
from tools.prepare import ROOT, venv_program

# A request that matches the description may still be rejected: the balance may be used up, the name
# taken, or the recipient blocked.
_NOT_CHECKED = "positive_data_acceptance"
# The examples and the boundary values in the description give at least this number of cases.
_BOUNDARY_CASES = 1_600
# The number of operations with so few parameters that only a few different requests exist.
_SMALL_OPERATIONS = 4
# The fewest random cases of an operation. About half of them are valid.
_FEWEST_CASES = 8


# A deployment with a rate limit that is never reached.
VARIABLES = {
    **DEPLOYMENT,
    "MAX_WEBHOOK_CALLS_PER_DAY": "0",
    "SEND_RATE_LIMIT": "1000000/hour",
    "ENABLE_ADDRESS_PASSWORD": "true",
    "ENABLE_USER_DELETE_EMAIL": "true",
}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/openapi.json", "application/json"), ("/docs", "text/html; charset=utf-8")],
)
def test_the_description_and_its_page_are_served(api: Api, path: str, content_type: str) -> None:
    file = {"/openapi.json": "openapi.json", "/docs": "docs.html"}[path]
    response = api.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == content_type
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.content == (ROOT / "public" / file).read_bytes()
    assert api.call("HEAD", path).status_code == 200
    assert api.post(path, {}).status_code == 405


def test_pages_of_other_origins_may_read_the_description(api: Api) -> None:
    response = api.get("/openapi.json", headers={"Origin": "https://example.net"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.slow
@pytest.mark.contract("errors: No client input causes a 5xx response")
@pytest.mark.timeout(480)
def test_generated_requests(tmp_path: Path) -> None:
    with TestClient(VARIABLES) as client:
        check_generated_requests(client, tmp_path, at_least=1_800)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_thousand_generated_requests_to_the_real_server(tmp_path: Path) -> None:
    with LocalServer(variables=VARIABLES) as server:
        check_generated_requests(server, tmp_path, at_least=20_000)


def check_generated_requests(
    server: LocalServer | TestClient, folder: Path, *, at_least: int
) -> None:
    """Let schemathesis call every operation, and check that it finds no fault in any response."""
    api = Api(server)
    sender = api.new_sender(balance=10**9)
    description = json.loads((ROOT / "public" / "openapi.json").read_text("utf-8"))
    operations = {
        (m.upper(), path) for path, methods in description["paths"].items() for m in methods
    }
    closed = folder / "closed.json"
    closed.write_text(json.dumps(without_other_members(description)))
    for number in range(10):
        sql = "INSERT OR REPLACE INTO suppressions VALUES (?, '', 'manual', NULL, 0, NULL)"
        server.sql(sql, [f"suppressed{number}@example.net"])
    values = {
        "jwt": sender.jwt,
        "address": sender.address,
        "failed_ids": failed_messages(api, sender),
        "scheduled_ids": scheduled_messages(api, sender),
        "scheduled_at": in_a_day(),
        "passwords": passwords_of(),
        "with_password": addresses_with_passwords(api),
        "others": other_addresses(api),
        "paused_ids": [paused_address(api) for _ in range(10)],
        "webhooks": {
            "/webhooks/": webhooks_of(api, sender.address_id),
            "/admin/webhooks/": webhooks_of(api, 0),
        },
        "with_balance": [api.new_sender(balance=5).address_id for _ in range(20)],
    }
    written, random_cases = len(log_of(server)), at_least - _BOUNDARY_CASES
    large_operations = len(operations) - _SMALL_OPERATIONS
    with url_of(server) as url:
        output = run_schemathesis(
            closed,
            url,
            folder,
            headers={**sender.headers, "x-admin-auth": ADMIN_PASSWORD},
            values=values,
            cases_of_an_operation=max(_FEWEST_CASES, -(-random_cases // large_operations)),
        )
    (generated,) = map(int, re.findall(r"([0-9]+) generated", output))
    assert generated >= at_least
    # Each operation must have succeeded at least once, unless it needs the signature of a provider.
    lines = log_of(server)[written:].splitlines()
    requests = [json.loads(line) for line in lines if line.startswith('{"event":"request"')]
    assert len(requests) >= at_least
    done = {(line["method"], line["route"]) for line in requests if line["status"] < 300}
    assert {(m, path) for m, path in operations if not path.startswith("/hooks/")} <= done


def url_of(server: LocalServer | TestClient) -> contextlib.AbstractContextManager[str]:
    if isinstance(server, TestClient):
        return on_a_port(server)
    return contextlib.nullcontext(server.url)


def log_of(server: LocalServer | TestClient) -> str:
    return server.log_text if isinstance(server, TestClient) else server.log.read_text()


def run_schemathesis(
    description: Path,
    url: str,
    folder: Path,
    *,
    headers: dict[str, str],
    values: dict[str, Any],
    cases_of_an_operation: int,
) -> str:
    """Run schemathesis, and return its report. Fail with the report if it finds a fault."""
    result = subprocess.run(
        [
            *(str(venv_program("schemathesis")), "run", str(description), "--url", url),
            *("--phases", "examples,coverage,fuzzing", "--workers", "1"),
            *("--checks", "all", "--exclude-checks", _NOT_CHECKED, "--warnings", "off"),
            *("--max-examples", str(cases_of_an_operation), "--seed", "1"),
            *(word for name, value in headers.items() for word in ("--header", f"{name}: {value}")),
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.e2e.openapi_hooks",
            "OPENAPI_TEST_VALUES": json.dumps(values),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def failed_messages(api: Api, sender: Sender) -> list[str]:
    """The ids of ten messages that can be sent again."""
    ids = [api.send(sender).json()["id"] for _ in range(10)]
    sql = "UPDATE messages SET status = 'failed' WHERE id IN (SELECT value FROM json_each(?))"
    api.server.sql(sql, [json.dumps(ids)])
    return ids


def scheduled_messages(api: Api, sender: Sender) -> list[str]:
    """The ids of twenty messages that can be rescheduled or cancelled."""
    scheduled_at = in_a_day()
    return [api.send(sender, scheduled_at=scheduled_at).json()["id"] for _ in range(20)]


def addresses_with_passwords(api: Api) -> list[dict[str, str]]:
    """Eighty addresses with their passwords. After ten wrong passwords an address is locked."""
    made = [api.post("/api/new_address", {"name": unique_name()}).json() for _ in range(40)]
    return [
        {"jwt": one["jwt"], "email": one["address"], "digest": client_digest(one["password"])}
        for one in made
    ]


def passwords_of() -> dict[str, dict[str, str]]:
    """Valid values of the password fields, by path and by the name of the field."""
    return {
        "/open_api/admin_login": {"password": client_digest(ADMIN_PASSWORD)},
    }


def other_addresses(api: Api) -> list[dict[str, Any]]:
    """Forty addresses with one message each. Requests may delete addresses and messages."""
    return [
        {
            "jwt": sender.jwt,
            "address_id": sender.address_id,
            # A sandbox message costs nothing, so no balance is granted.
            "message_id": api.send(sender, to_mail="delivered@test.invalid").json()["id"],
        }
        for sender in (api.new_sender() for _ in range(80))
    ]


def paused_address(api: Api) -> str:
    """The id of an address with a pause that can be lifted."""
    address_id = str(api.new_sender().address_id)
    api.server.sql("INSERT INTO send_pauses VALUES (?, 1, 0)", [address_id])
    return address_id


def webhooks_of(api: Api, owner: int) -> dict[str, Any]:
    """Webhooks of an address, or of administrators: one to use, one to change, some to remove.

    The first one has a delivery. They listen to an event that no request makes, so that the
    requests are not delivered. There are fewer than an address may have, so one can be created.
    """
    ids = [f"{owner}-{number}" for number in range(8)]
    api.server.sql(
        "INSERT INTO webhooks (id, address_id, endpoint, events, created_at)"
        """ SELECT value, ?, 'https://hooks.example.com/', '["email.unknown"]', 0"""
        " FROM json_each(?)",
        [owner, json.dumps(ids)],
    )
    api.server.sql(
        "INSERT INTO webhook_deliveries"
        " (webhook_id, id, type, status, body, created_at, finished_at)"
        " VALUES (?, 'delivery', 'email.unknown', 'success', '{}', 0, unixepoch() * 1000)",
        [ids[0]],
    )
    return {"used": ids[0], "changed": ids[1], "removed": ids[2:], "delivery": "delivery"}


def in_a_day() -> str:
    """The time one day from now, in ISO 8601."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def without_other_members(description: dict[str, Any]) -> dict[str, Any]:
    """The description, changed to allow no other members in responses.

    The published description allows members that are added later. Every member that a response has
    now must be described.
    """
    schemas = description["components"]["schemas"]
    bodies = [
        operation["requestBody"]
        for methods in description["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    taken = schemas_in(bodies, schemas)
    for name, schema in schemas.items():
        if name not in taken:
            schema["additionalProperties"] = False
    return description


def schemas_in(value: Any, schemas: dict[str, Any]) -> set[str]:
    """The names of the schemas that ``value`` refers to, directly or indirectly."""
    names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(value)))
    return names.union(*(schemas_in(schemas[name], schemas) for name in names))
