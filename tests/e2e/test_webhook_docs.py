"""The receivers and commands of docs/webhooks.md, run unchanged."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mail.webhook_events import EVENTS
from tests.e2e.api import DEPLOYMENT, Api, Sender
from tests.e2e.sdk import packages
from tests.e2e.webhook_receiver import receiver
from tools.local_server import HOST, LocalServer, free_port
from tools.prepare import ROOT
from tools.wrangler import node_binary

TEXT = (ROOT / "docs" / "webhooks.md").read_text("utf-8")


def blocks(language: str) -> dict[str, str]:
    """The blocks of a language, by the heading before them."""
    found = {}
    for section in re.split(r"^#+ ", TEXT, flags=re.MULTILINE):
        heading = section.partition("\n")[0]
        for number, code in enumerate(re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)):
            found[f"{heading} {number}" if number else heading] = code
    return found


RECEIVERS = [
    *(("python", heading, code) for heading, code in blocks("python").items()),
    *(("javascript", heading, code) for heading, code in blocks("javascript").items()),
]


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    with LocalServer(variables={**DEPLOYMENT, "ENABLE_LOCAL_WEBHOOKS": "true"}) as server:
        yield Api(server)


@pytest.fixture(scope="module")
def sender(own: Api) -> Sender:
    return own.new_sender()


def create(api: Api, sender: Sender, url: str) -> Any:
    body = {"endpoint": url, "events": ["email.sent"]}
    response = api.post("/webhooks", body, headers=sender.headers)
    assert response.status_code == 200, response.text
    return response.json()


def test_there_are_four_receivers() -> None:
    assert len(RECEIVERS) == 4


def test_the_table_has_all_events() -> None:
    table = re.findall(r"^\| `((?:email|suppression|address)\.\w+)` \| ", TEXT, re.MULTILINE)
    assert set(EVENTS) <= set(table)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "code"),
    [(one, code) for one, _, code in RECEIVERS],
    ids=[h for _, h, _ in RECEIVERS],
)
def test_a_receiver_verifies_an_event(own: Api, sender: Sender, language: str, code: str) -> None:
    port = free_port()
    webhook = create(own, sender, f"http://{HOST}:{port}/")
    path = f"/webhooks/{webhook['id']}"
    command = [sys.executable, "-c", code]
    if language == "javascript":
        command = [str(node_binary()), "--input-type=module", "-e", code]
    environment = {
        **os.environ,
        "PORT": str(port),
        "WEBHOOK_SECRET": webhook["signing_secret"],
        "PYTHONPATH": str(packages("flask-mail")),
    }
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            results = [result_of(own, sender, path)]
            for _ in range(2):
                rotated = own.call("POST", f"{path}/rotate_secret", headers=sender.headers)
                assert rotated.status_code == 200
                results.append(result_of(own, sender, path))
            assert program.stdout is not None
            printed = next(line for line in program.stdout if line.startswith("email."))
        finally:
            program.kill()
            own.call("DELETE", path, headers=sender.headers)
    # The secret before the present one signs too, but none before that.
    assert [one["status_code"] for one in results] == [204, 204, 401]
    assert printed.split()[0] == "email.bounced"


def result_of(api: Api, sender: Sender, path: str) -> Any:
    """The result of a test of the webhook, once its receiver runs."""
    deadline = time.monotonic() + 30
    while True:
        body = {"type": "email.bounced"}
        result = api.post(f"{path}/test", body, headers=sender.headers).json()
        if result["status_code"] is not None or time.monotonic() > deadline:
            return result
        time.sleep(0.2)


@pytest.mark.slow
def test_the_commands_create_and_test_a_webhook(own: Api, sender: Sender, tmp_path: Path) -> None:
    first, second = (code for heading, code in blocks("sh").items() if "five minutes" in heading)
    with receiver() as one:
        variables = {"API_URL": own.server.url, "JWT": sender.jwt, "ENDPOINT": one.url("/200")}
        webhook = json.loads(run(first, tmp_path, variables))
        result = json.loads(run(second, tmp_path, {**variables, "WEBHOOK_ID": webhook["id"]}))
        (received,) = one.received
    assert (result["success"], result["response"]) == (True, "thank you")
    (tmp_path / "body").write_text(received.body)
    openssl = blocks("sh")["By hand: openssl"]
    variables = {
        "WEBHOOK_SECRET": webhook["signing_secret"],
        "ID": received.headers["webhook-id"],
        "TIMESTAMP": received.headers["webhook-timestamp"],
    }
    signature = run(openssl, tmp_path, variables).strip()
    assert received.headers["webhook-signature"] == f"v1,{signature}"


def run(code: str, folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", code],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
