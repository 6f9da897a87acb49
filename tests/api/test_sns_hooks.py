"""The events of Amazon SES, which SNS sends with a signature."""

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from mail.message import Message
from services import HttpResponse
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender
from transport.outcome import Outcome, Sent

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"
SUBSCRIBE_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=abc"
VARIABLES = {
    **DEPLOYMENT,
    "TRANSPORTS": [
        {"name": "amazon", "type": "ses", "region": "eu-west-1", "access_key_id": "AKIA",
         "topic": TOPIC},
        {"name": "deaf", "type": "ses", "region": "eu-west-1", "access_key_id": "AKIA"},
    ],
    "TRANSPORT_SECRETS": {
        "amazon": {"secret_access_key": "s"},
        "deaf": {"secret_access_key": "s"},
    },
    "ROUTES": {"*": ["amazon", "deaf"]},
}  # fmt: skip


@dataclass
class Key:
    """An RSA key, and its certificate as PEM."""

    file: Path
    certificate: str

    def sign(self, text: str, hash_name: str) -> str:
        command = ["openssl", "dgst", f"-{hash_name}", "-sign", str(self.file)]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
        return base64.b64encode(done.stdout).decode()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Key]:
    found = {}
    for name, size in (("sns", 2048), ("other", 2048), ("short", 1024)):
        folder = tmp_path_factory.mktemp(name)
        file, certificate = folder / "key.pem", folder / "cert.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", f"rsa:{size}", "-nodes", "-days", "2"),
                *("-keyout", str(file), "-out", str(certificate), "-subj", f"/CN={name}"),
            ],
            check=True,
            capture_output=True,
        )
        found[name] = Key(file, certificate.read_text())
    return found


class Ses:
    """A transport that accepts every mail."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def send(self, message: Message) -> Outcome:
        return Sent(f"<{self._key}@eu-west-1.amazonses.com>")


@pytest.fixture(scope="module")
def server(keys: dict[str, Key]) -> Iterator[TestClient]:
    with TestClient(VARIABLES, transport=False) as running:
        running.transports = {"amazon": Ses, "deaf": Ses}
        running.pages = {
            CERTIFICATE_URL: HttpResponse(200, keys["sns"].certificate),
            CERTIFICATE_URL.replace("0a1b2c", "short"): HttpResponse(
                200, keys["short"].certificate
            ),
        }
        yield running


@pytest.fixture
def api(server: TestClient) -> Api:
    return Api(server)


def signed_text(body: dict[str, Any]) -> str:
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if body["Type"] != "Notification":
        names += ["SubscribeURL", "Token"]
    elif "Subject" in body:
        names += ["Subject"]
    return "".join(f"{name}\n{body[name]}\n" for name in sorted(names))


def sns(
    api: Api, key: Key, message: str, *, name: str = "amazon", version: str = "2", **more: Any
) -> requests.Response:
    body = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-11-22T08:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **more,
    }
    hash_name = {"1": "sha1", "2": "sha256"}[version]
    signed = {"Signature": key.sign(signed_text(body), hash_name), **body}
    headers = {"Content-Type": "text/plain; charset=UTF-8"}
    return api.call("POST", f"/hooks/ses/{name}", data=json.dumps(signed), headers=headers)


def sent(api: Api, to: str) -> tuple[Sender, str]:
    sender = api.new_sender()
    response = api.send(sender, to_mail=to)
    assert response.status_code == 200, response.text
    return sender, response.json()["id"]


EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "Delivery": ({"delivery": {"recipients": ["TO"], "smtpResponse": "250 ok"}}, "delivered"),
    "DeliveryDelay": (
        {"deliveryDelay": {"delayType": "x", "delayedRecipients": [{"emailAddress": "TO"}]}},
        "delayed",
    ),
    "Bounce": (
        {
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {"emailAddress": "TO", "status": "5.1.1", "diagnosticCode": "smtp; 550 no"}
                ],
            }
        },
        "bounced",
    ),
    "Complaint": ({"complaint": {"complainedRecipients": [{"emailAddress": "TO"}]}}, "complained"),
    "Reject": ({"reject": {"reason": "Bad content"}}, "rejected"),
}


@pytest.mark.contract("POST /hooks/ses/{transport}: Records what Amazon SES reports about mail")
@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", EVENTS)
def test_a_notification_becomes_a_delivery_event(
    api: Api, keys: dict[str, Key], kind: str, version: str
) -> None:
    more, status = EVENTS[kind]
    to = f"{kind.lower()}{version}@example.net"
    sender, id_ = sent(api, to)
    mail = {"messageId": id_, "source": sender.address, "destination": [to]}
    event = json.dumps({"eventType": kind, "mail": mail, **more}).replace("TO", to)
    for _ in range(2):
        response = sns(api, keys["sns"], event, version=version, MessageId=f"{kind}-{version}")
        assert (response.status_code, response.json()) == (200, {"success": True})
    shown = api.message(sender, id_)
    assert shown["delivery_status"] == status
    assert len([one for one in shown["history"] if one.get("recipient")]) == 1


def test_a_subject_is_part_of_what_is_signed(api: Api, keys: dict[str, Key]) -> None:
    assert sns(api, keys["sns"], "{}", Subject="Amazon SES").status_code == 200


def test_a_subscription_is_accepted_by_itself(
    api: Api, server: TestClient, keys: dict[str, Key]
) -> None:
    message = {"Type": "SubscriptionConfirmation", "Token": "abc", "SubscribeURL": SUBSCRIBE_URL}
    server.pages[SUBSCRIBE_URL] = HttpResponse(200, "<xml/>")
    response = sns(api, keys["sns"], "You have chosen to subscribe", **message)
    assert response.status_code == 200, response.text
    assert '"event":"sns_subscribed"' in server.log_text.replace(" ", "")
    del server.pages[SUBSCRIBE_URL]


@pytest.mark.parametrize(
    "wrong",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:mail"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem"},
        {"SigningCertURL": CERTIFICATE_URL.replace("https", "http")},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-0a1b2c.pem"},
        {"SigningCertURL": CERTIFICATE_URL + "?x"},
        {"SigningCertURL": CERTIFICATE_URL.replace("0a1b2c", "../x")},
        {"Signature": "AAAA"},
        {"Signature": "no base64!"},
        {
            "Type": "SubscriptionConfirmation",
            "Token": "abc",
            "SubscribeURL": "https://evil.example/?Action=ConfirmSubscription",
        },
    ],
)
def test_a_message_of_others_is_rejected(
    api: Api, server: TestClient, keys: dict[str, Key], wrong: dict[str, Any]
) -> None:
    before = dict(server.pages)
    response = sns(api, keys["sns"], "{}", **wrong)
    assert (response.status_code, response.json()["code"]) == (401, "invalid_signature")
    assert server.pages == before


def test_another_key_or_a_short_one_is_rejected(api: Api, keys: dict[str, Key]) -> None:
    assert sns(api, keys["other"], "{}").status_code == 401
    url = CERTIFICATE_URL.replace("0a1b2c", "short")
    assert sns(api, keys["short"], "{}", SigningCertURL=url).status_code == 401


def test_a_transport_without_a_topic_hears_nothing(api: Api, keys: dict[str, Key]) -> None:
    assert sns(api, keys["sns"], "{}", name="deaf").status_code == 401
    assert sns(api, keys["sns"], "{}", name="none").status_code == 404
    assert api.call("POST", "/hooks/ses/amazon", data=b"{").status_code == 401


def test_a_changed_message_is_rejected(api: Api, keys: dict[str, Key]) -> None:
    signature = keys["sns"].sign("another text", "sha256")
    assert sns(api, keys["sns"], "{}", Signature=signature).status_code == 401


def test_without_the_certificate_the_message_is_sent_again(
    api: Api, server: TestClient, keys: dict[str, Key]
) -> None:
    url = CERTIFICATE_URL.replace("0a1b2c", "gone")
    server.pages[url] = HttpResponse(503, "")
    response = sns(api, keys["sns"], "{}", SigningCertURL=url)
    assert (response.status_code, response.json()["code"]) == (503, "events_not_recorded")
