"""Amazon SES: signatures as botocore makes them, and mails that moto's server takes."""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mail.addresses import Address
from mail.message import Message, Recipient
from services import HttpResponse
from tests.e2e.sdk import packages, run_python
from tests.unit import given
from tests.unit.test_mime import given_fields
from tools.local_server import free_port
from transport.mime import mime_bytes
from transport.outcome import Rejected, Sent
from transport.routing import SesConfig
from transport.ses import SesTransport
from transport.sigv4 import signed_headers

_SIGNER = """
import json, os
from datetime import datetime, timezone
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
signatures = []
for one in json.loads(os.environ["REQUESTS"]):
    at = datetime.fromtimestamp(one["now"] / 1000, timezone.utc)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True, at=at: at.replace(tzinfo=None)
    headers = {"content-type": "application/json"}
    request = AWSRequest("POST", one["url"], headers, one["body"].encode())
    credentials = Credentials(one["access_key_id"], one["secret_access_key"])
    botocore.auth.SigV4Auth(credentials, one["service"], one["region"]).add_auth(request)
    signatures.append(request.headers["Authorization"])
print(json.dumps(signatures))
"""


_BOUNDARY = re.compile(rb"=+[0-9]+==")


def generated_requests(count: int) -> list[dict[str, Any]]:
    dice = random.Random(1)
    letters = "abcXYZ0189+/=-_"

    def word(most: int) -> str:
        return "".join(dice.choices(letters, k=dice.randint(1, most)))

    return [
        {
            "url": dice.choice(
                [
                    "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
                    "http://localhost:5000/v2/email/outbound-emails",
                    "https://email.us-east-1.amazonaws.com",
                ]
            ),
            "body": json.dumps({word(9): word(200) + "é"}, ensure_ascii=False),
            "region": dice.choice(["eu-west-1", "us-east-1", "ap-southeast-2"]),
            "service": "ses",
            "access_key_id": word(20).replace("/", "A"),
            "secret_access_key": word(40),
            "now": dice.randrange(10**12, 2 * 10**12),
        }
        for _ in range(count)
    ]


@pytest.mark.slow
def test_signatures_are_those_of_botocore() -> None:
    generated = generated_requests(200)
    expected = run_python("aws", _SIGNER, REQUESTS=json.dumps(generated))
    own = [
        signed_headers(
            one["url"],
            one["body"].encode(),
            **{
                name: one[name]
                for name in ("region", "service", "access_key_id", "secret_access_key", "now")
            },
        )["authorization"]
        for one in generated
    ]
    assert own == expected


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """The URL of moto's server."""
    port = free_port()
    url = f"http://localhost:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        env={**os.environ, "PYTHONPATH": str(packages("aws"))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{url}/moto-api/data.json", timeout=5)
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto() as url:
        yield url


async def post(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
    response = requests.post(url, body, headers=headers, timeout=30)
    error_type = response.headers.get("x-amzn-errortype")
    return HttpResponse(response.status_code, response.text, error_type=error_type)


def config(url: str) -> SesConfig:
    return SesConfig(
        name="ses", region="eu-west-1", access_key_id="a", secret_access_key="b", url=url
    )


@pytest.mark.slow
async def test_moto_takes_a_mail_of_a_verified_domain(server: str) -> None:
    transport = SesTransport(config(server), "a-key", post, lambda: given.NOW)
    recipients = (
        Recipient("to", Address("you", "example.org")),
        Recipient("bcc", Address("hidden", "example.net")),
    )
    fields = given_fields(given.message(text="Grüße", attachments=(given.file(b"\0\xff"),)))
    message = Message(**{**fields, "recipients": recipients})
    rejected = await transport.send(message)
    assert isinstance(rejected, Rejected)
    assert rejected.provider_code == "SES_MessageRejected"
    assert "authority to send" in str(rejected.detail)
    await verify(server, "example.com")
    sent = await transport.send(message)
    assert isinstance(sent, Sent)
    data = requests.get(f"{server}/moto-api/data.json", timeout=10).json()
    (mail,) = data["ses"]["RawMessage"]
    assert sent.provider_message_id == f"<{mail['id']}@eu-west-1.amazonses.com>"
    assert mail["source"] == "me@example.com"
    assert set(mail["destinations"]) == {"you@example.org", "hidden@example.net"}
    content = mail["raw_data"].encode()
    expected = mime_bytes(message, message_id="<a-key@example.com>", date=given.NOW)
    assert _BOUNDARY.sub(b"", content) == _BOUNDARY.sub(b"", expected)
    assert b"hidden" not in content


async def verify(server: str, identity: str) -> None:
    body = json.dumps({"EmailIdentity": identity}).encode()
    url = f"{server}/v2/email/identities"
    headers = signed_headers(
        url,
        body,
        region="eu-west-1",
        service="ses",
        access_key_id="a",
        secret_access_key="b",
        now=given.NOW,
    )
    assert (await post(url, headers, body)).status == 200
