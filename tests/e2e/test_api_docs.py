"""The examples of docs/api.md, run unchanged against a server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routes import ROUTES, Route
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api, Sender, unique_name
from tools.local_server import LocalServer
from tools.prepare import ROOT
from tools.wrangler import node_binary

COMMANDS = {
    "sh": ("bash", "-eu", "-o", "pipefail", "-s"),
    "python": (sys.executable, "-"),
    "javascript": (str(node_binary()), "--input-type=module", "-"),
}
OUTPUTS = ("json", "text")
# Members whose values are the same in each run.
SAME = {"code", "detail", "event", "field", "kind", "last_event", "message", "object", "status"}

_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (?P<title>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``line`` is the number of its first line in the document."""

    language: str
    code: str
    line: int


@dataclass
class Group:
    """Examples of one request in several languages, and the output of each of them."""

    title: str
    examples: list[Block] = field(default_factory=list)
    outputs: list[Block] = field(default_factory=list)


def read_groups(document: str) -> list[Group]:
    """The examples of ``document`` in order."""
    places: list[re.Match[str]] = [*_BLOCK.finditer(document)]
    inside = [range(*block.span()) for block in places]
    places += [
        heading
        for heading in _HEADING.finditer(document)
        if not any(heading.start() in block for block in inside)  # in code, # begins a comment
    ]
    groups = [Group("")]
    for place in sorted(places, key=lambda place: place.start()):
        if place.re is _HEADING:
            groups.append(Group(place["title"]))
            continue
        block = Block(place["language"], place["code"], document.count("\n", 0, place.start()) + 1)
        if block.language in OUTPUTS:
            groups[-1].outputs.append(block)
            continue
        if groups[-1].outputs:
            groups.append(Group(groups[-1].title))
        groups[-1].examples.append(block)
    return [group for group in groups if group.examples or group.outputs]


GROUPS = read_groups((ROOT / "docs" / "api.md").read_text())
EXAMPLES = [(group, example) for group in GROUPS for example in group.examples]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    variables = {
        **DEPLOYMENT,
        "ENABLE_ADDRESS_PASSWORD": "true",
        "ENABLE_USER_DELETE_EMAIL": "true",
    }
    with LocalServer(variables=variables) as server:
        yield Api(server)


@pytest.fixture(scope="module")
def sender(api: Api) -> Sender:
    return api.new_sender(balance=100)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "example"), EXAMPLES, ids=[f"line {example.line}" for _, example in EXAMPLES]
)
def test_an_example_prints_the_documented_output(
    api: Api, sender: Sender, group: Group, example: Block
) -> None:
    done = subprocess.run(
        COMMANDS[example.language],
        input=example.code,
        cwd=ROOT,  # Node.js finds the SDK there
        env={**os.environ, **variables_for(api, sender, example.code)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check_output(done.stdout, group.outputs)


# Only mail providers call the others, with their signatures.
CALLED_BY_CLIENTS = [route for route in ROUTES if not route.path.startswith("/hooks/")]


@pytest.mark.parametrize(
    "route", CALLED_BY_CLIENTS, ids=lambda route: f"{route.method} {route.path}"
)
def test_every_endpoint_has_an_example_in_each_language(route: Route) -> None:
    call = f"`{route.method} {route.path}`"
    assert {block.language for group, block in EXAMPLES if call in group.title} == {*COMMANDS}


def variables_for(api: Api, sender: Sender, code: str) -> dict[str, str]:
    """The environment variables of an example, with a new message or credential if it needs one."""
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    variables = {
        "API_URL": api.server.url,
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "ADDRESS": sender.address,
        "JWT": sender.jwt,
        "LATER": later,
    }
    own: dict[str, Callable[[], str]] = {
        "ID": lambda: sent_message(api, sender),
        "SCHEDULED_ID": lambda: scheduled_message(api, sender, later),
        "FAILED_ID": lambda: failed_message(api, sender),
        "LENT_JWT": lambda: api.new_sender().jwt,
        "PAUSED_ID": lambda: paused_address(api),
    }
    needed = {name for name in own if re.search(rf"\b{name}\b", code)}
    variables |= {name: own[name]() for name in needed}
    if re.search(r"\bPASSWORD\b", code):
        variables |= address_with_password(api)
    if "search" in code or "q=invoice" in code:
        sent_message(api, sender)  # a second message that fits, so the first page is not the last
    if "OTHER" in code:
        variables |= other_address(api)
    if "WEBHOOK_ID" in code:
        variables |= webhook_with_failure(api)
    if "/webhooks/disabled" in code:
        disabled_webhooks(api, sender)
    if "/admin/audit" in code:
        api.admin("POST", "/admin/suppressions/import", json={"csv": f"{unique_name()}@b.example"})
    if "BOB_ID" in code:
        variables["BOB_ID"] = bob(api)
    if "/usage" in code:
        use(api, sender)
    if "/overview" in code:
        api.server.run_cron()
        sent_message(api, sender)
    if "/domains" in code:
        use_first_domain(api)
    return variables


def address_with_password(api: Api) -> dict[str, str]:
    made = api.post("/api/new_address", {"name": unique_name()}).json()
    return {"ADDRESS": made["address"], "JWT": made["jwt"], "PASSWORD": made["password"]}


def other_address(api: Api) -> dict[str, str]:
    """An address with a message and without a balance. The example may delete it."""
    other = api.new_sender()
    sent = api.send(other, to_mail="delivered@test.invalid")
    return {
        "OTHER": other.address,
        "OTHER_ID": str(other.address_id),
        "OTHER_JWT": other.jwt,
        "OTHER_MESSAGE": sent.json()["id"],
    }


def bob(api: Api) -> str:
    """The id of bob@example.com. Creates the address if it does not exist."""
    api.admin("POST", "/admin/new_address", json={"name": "bob", "domain": "example.com"})
    (row,) = api.admin("GET", "/admin/address?query=bob@example.com").json()["results"]
    return str(row["id"])


def paused_address(api: Api) -> str:
    address_id = str(api.new_sender().address_id)
    api.server.sql("INSERT INTO send_pauses VALUES (?, 1, 0)", [address_id])
    return address_id


def webhook_with_failure(api: Api) -> dict[str, str]:
    """A webhook of a new address, with a delivery that has failed."""
    own = api.new_sender()
    body = {"endpoint": "https://hooks.example.com/mail", "events": ["email.sent"]}
    webhook = api.post("/webhooks", body, headers=own.headers).json()["id"]
    delivery = webhook[:-1] + ("0" if webhook[-1] != "0" else "1")
    api.server.sql(
        "INSERT INTO webhook_deliveries"
        " (webhook_id, id, type, status, attempt, body, created_at, finished_at)"
        " VALUES (?, ?, 'email.sent', 'failed', 1, '{}', 0, 0)",
        [webhook, delivery],
    )
    api.server.sql(
        "INSERT INTO webhook_attempts VALUES (?, ?, 1, 0, 87, 500, NULL, 'Internal Server Error')",
        [webhook, delivery],
    )
    return {"JWT": own.jwt, "WEBHOOK_ID": webhook, "DELIVERY_ID": delivery}


def disabled_webhooks(api: Api, sender: Sender) -> None:
    """Two webhooks that were disabled because they failed."""
    for number in (1, 2):
        api.server.sql(
            "INSERT OR IGNORE INTO webhooks"
            " (id, address_id, endpoint, events, disabled_by, failing_since, created_at)"
            " VALUES (?, ?, 'https://hooks.example.com/mail', '[\"email.sent\"]', 'failing', 0, 0)",
            [f"fffffff{number}-0000-7000-8000-000000000000", sender.address_id],
        )


def use_first_domain(api: Api) -> None:
    """Count the mail of the first domain, today."""
    api.server.sql(
        "INSERT OR REPLACE INTO usage_days"
        " (day, address_id, domain, sent, failed, unknown, cancelled, recipients)"
        " VALUES (date(), 0, 'a.example', 1, 0, 0, 0, 1000)",
    )
    sql = "INSERT OR REPLACE INTO delivery_days (day, domain, bounced) VALUES (date(), ?, 11)"
    api.server.sql(sql, ["a.example"])


def use(api: Api, sender: Sender) -> None:
    """Set a daily limit and no monthly limit, and send a message."""
    limits = {"dailyEnabled": True, "dailyLimit": 1000, "monthlyEnabled": False}
    api.admin("POST", "/admin/account_settings", json={"sendMailLimitConfig": limits})
    sent_message(api, sender)


def sent_message(api: Api, sender: Sender) -> str:
    response = api.send(
        sender,
        to_name=None,
        from_name=None,
        subject="Your invoice",
        content="Thank you!",
        reply_to="questions@example.com",
        headers={"X-Order": "4711"},
        tags=[{"name": "kind", "value": "invoice"}],
        attachments=[{"filename": "invoice.txt", "content": "NDIuMDA="}],
    )
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


def scheduled_message(api: Api, sender: Sender, later: str) -> str:
    response = api.send(sender, scheduled_at=later)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def failed_message(api: Api, sender: Sender) -> str:
    """A message with the status ``failed``. The local provider rejects nothing, so SQL sets it."""
    message_id: str = api.send(sender).json()["id"]
    api.server.sql("UPDATE messages SET status = 'failed' WHERE id = ?", [message_id])
    return message_id


def check_output(output: str, expected: list[Block]) -> None:
    """Check that ``output`` has JSON of the same shape and the same text as ``expected``."""
    rest = output.strip()
    for block in expected:
        if block.language == "text":
            assert rest.startswith(block.code.strip()), rest
            rest = rest.removeprefix(block.code.strip()).lstrip()
            continue
        value, end = json.JSONDecoder().raw_decode(rest)
        assert shape_of(value) == shape_of(json.loads(block.code)), rest
        rest = rest[end:].lstrip()
    assert rest == "", "more is printed than the document says"


def shape_of(value: Any) -> Any:
    """The names and types in ``value``. For a list: each different shape of its items once."""
    match value:
        case dict():
            return {
                name: member if name in SAME else shape_of(member) for name, member in value.items()
            }
        case list():
            shapes = [shape_of(item) for item in value]
            return [shape for place, shape in enumerate(shapes) if shape not in shapes[:place]]
        case _:
            return type(value).__name__


@pytest.mark.parametrize(
    "output",
    [
        "",
        '{"status": "ok", "to": []}',
        '{"status": "queued", "to": [{"email": "a"}]}',
        '{"status": "ok", "to": [{"email": null}]}',
        '{"status": "ok", "to": [{"email": "a"}, {"email": "b", "name": "B"}]}',
        '{"status": "ok", "to": [{"email": "a"}], "more": true}',
        '{"status": "ok", "to": [{"email": "a"}]} {}',
    ],
)
def test_the_check_fails_for_other_output(output: str) -> None:
    documented = Block("json", '{"status": "ok", "to": [{"email": "b"}, {"email": "c"}]}', 1)
    check_output('{"to": [{"email": "a"}], "status": "ok"}\n', [documented])
    with pytest.raises((AssertionError, json.JSONDecodeError)):
        check_output(output, [documented])
