"""The requests of README.md, run unchanged with the settings of `make dev`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import TestClient
from tests.client.port import on_a_port
from tools.dev_vars import read_dev_vars
from tools.prepare import ROOT

README = (ROOT / "README.md").read_text("utf-8")
SETTINGS = {
    name: variable.value for name, variable in read_dev_vars(ROOT / ".dev.vars.example").items()
}
PLACEHOLDER = "the value of jwt"
LOCAL = "http://localhost:8787"


def blocks(language: str, heading: str) -> list[str]:
    _, _, section = README.partition(f"\n## {heading}\n")
    section, _, _ = section.partition("\n## ")
    fence = rf"^( *)```{language}\n(.*?)^\1```$"
    found = re.findall(fence, section, flags=re.MULTILINE | re.DOTALL)
    return [code for _, code in found]


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(SETTINGS) as running:
        yield running


def run(code: str, jwt: str) -> list[Any]:
    """The JSON values that the requests in ``code`` print."""
    code = code.replace(f"JWT='{PLACEHOLDER}'", "").replace("curl ", "curl --silent ")
    command = ["bash", "-eu", "-o", "pipefail", "-c", code]
    env = {**os.environ, "JWT": jwt}
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    values = []
    while printed := printed.strip():
        value, end = json.JSONDecoder().raw_decode(printed)
        values.append(value)
        printed = printed[end:]
    return values


def test_the_first_mail_is_delivered(client: TestClient) -> None:
    create, _, send, show = blocks("sh", "Send the first mail")
    with on_a_port(client) as url:
        (address,) = run(create.replace(LOCAL, url), "")
        (sent,) = run(send.replace(LOCAL, url), address["jwt"])
    assert sent["status"] == "ok"
    client.settle()
    with on_a_port(client) as url:
        (page,) = run(show.replace(LOCAL, url), address["jwt"])
    assert [entry["delivery_status"] for entry in page["results"]] == ["delivered"]


def test_the_sdk_sends_with_the_credential(client: TestClient) -> None:
    (program,) = blocks("python", "Send the first mail")
    with on_a_port(client) as url:
        (address,) = run(blocks("sh", "Send the first mail")[0].replace(LOCAL, url), "")
        program = program.replace(LOCAL, url).replace(PLACEHOLDER, address["jwt"])
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_steps_of_a_deployment_end_with_a_sent_mail(client: TestClient) -> None:
    with on_a_port(client) as url:
        create, send = (
            code.replace("https://send-mail-api.YOUR-SUBDOMAIN.workers.dev", url)
            .replace("YOUR ADMINISTRATOR PASSWORD", SETTINGS["ADMIN_PASSWORDS"])
            .replace("your.domain", SETTINGS["DOMAINS"])
            .replace("YOUR MAIL ADDRESS", "me@example.net")
            for code in blocks("sh", "Deploy it")
            if "curl" in code
        )
        (address,) = run(create, "")
        sent, page = run(f"URL={url}\n{send}", address["jwt"])
    assert address["address"] == "hello@example.com"
    assert [entry["id"] for entry in page["results"]] == [sent["id"]]
