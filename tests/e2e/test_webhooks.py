"""Webhooks on the real server: receivers of every kind, and the official packages, unmodified."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import resend
import svix.webhooks
from standardwebhooks import Webhook

from mail.webhook_events import EVENTS
from tests.e2e.api import DEPLOYMENT, Api, Sender
from tests.e2e.webhook_receiver import Receiver, receiver
from tools.local_server import LocalServer, free_port
from tools.prepare import ROOT
from tools.wrangler import node_binary


@pytest.fixture(scope="module")
def own() -> Iterator[Api]:
    with LocalServer(variables={**DEPLOYMENT, "ENABLE_LOCAL_WEBHOOKS": "true"}) as server:
        yield Api(server)


@pytest.fixture(scope="module")
def hooks() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture
def sender(own: Api) -> Sender:
    return own.new_sender()


def create(api: Api, sender: Sender, url: str) -> Any:
    body = {"endpoint": url, "events": list(EVENTS)}
    response = api.post("/webhooks", body, headers=sender.headers)
    assert response.status_code == 200, response.text
    return response.json()


def attempts_of(api: Api, sender: Sender, webhook: Any) -> list[Any]:
    path = f"/webhooks/{webhook['id']}/deliveries"
    (delivery,) = api.get(path, headers=sender.headers).json()["results"]
    return [delivery["status"], *delivery["attempts"]]


def test_a_send_and_its_delivery_event_arrive_and_verify(
    own: Api, hooks: Receiver, sender: Sender
) -> None:
    webhook = create(own, sender, hooks.url("/200/both"))
    own.send(sender, to_mail="delivered@test.invalid", to_name="Ü")
    hooks.wait_for(lambda: len(hooks.at("/200/both")) == 2)
    found, secret = hooks.at("/200/both"), webhook["signing_secret"]
    assert sorted(one.type for one in found) == ["email.delivered", "email.sent"]
    for one in found:
        event = json.loads(one.body)
        assert Webhook(secret).verify(one.body, one.headers) == event
        svix.webhooks.Webhook(secret).verify(one.body, one.headers)
        headers = {name: one.headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
        options: Any = {"payload": one.body, "headers": headers, "webhook_secret": secret}
        assert resend.Webhooks.verify(options) == event


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/200", "success", 200),
        ("/204", "success", 204),
        ("/299", "success", 299),
        ("/301", "pending", 301),
        ("/302", "pending", 302),
        ("/307", "pending", 307),
        ("/400", "pending", 400),
        ("/404", "pending", 404),
        ("/500", "pending", 500),
        ("/410", "failed", 410),
        ("/dies", "success", 200),
        ("/long", "success", 200),
        ("/bytes", "success", 200),
        ("/garbage", "pending", None),
        ("/drops", "pending", None),
    ],
)
def test_a_receiver_responds(
    own: Api, hooks: Receiver, sender: Sender, path: str, status: str, code: int | None
) -> None:
    webhook = create(own, sender, hooks.url(path))
    own.send(sender)
    hooks.wait_for(lambda: attempts_of(own, sender, webhook)[1:])
    found, attempt, *_ = attempts_of(own, sender, webhook)
    assert (found, attempt["status_code"]) == (status, code)
    assert hooks.at("/redirected") == []
    assert attempt["error"] if code is None else len(attempt["response"]) <= 1024


@pytest.mark.parametrize("path", ["/429", "/503"])
def test_a_receiver_says_when_to_try_again(
    own: Api, hooks: Receiver, sender: Sender, path: str
) -> None:
    create(own, sender, hooks.url(path))
    own.send(sender)

    def waits() -> Any:
        return own.server.sql(
            "SELECT next_attempt_at - started_at AS delay"
            " FROM webhook_deliveries AS d JOIN webhook_attempts ON delivery_id = d.id"
            " JOIN webhooks AS hook ON hook.id = d.webhook_id"
            " WHERE status = 'pending' AND hook.address_id = ?",
            [sender.address_id],
        )

    hooks.wait_for(waits)
    (row,) = waits()
    assert 590_000 <= row["delay"] <= 600_000 * 1.2 + 30_000


@pytest.mark.slow
@pytest.mark.parametrize(("path", "status"), [("/slow", "success"), ("/hangs", "pending")])
def test_a_receiver_has_15_seconds(
    own: Api, hooks: Receiver, sender: Sender, path: str, status: str
) -> None:
    webhook = create(own, sender, hooks.url(path))
    own.send(sender)
    hooks.wait_for(lambda: attempts_of(own, sender, webhook)[1:])
    found, attempt, *_ = attempts_of(own, sender, webhook)
    assert found == status
    if status == "pending":
        assert (attempt["status_code"], attempt["error"]) == (None, "no response within 15 s")


@pytest.mark.slow
def test_a_receiver_that_is_not_there_and_one_that_hangs_hold_up_nothing(
    own: Api, hooks: Receiver, sender: Sender
) -> None:
    nowhere, hanging, quick = own.new_sender(), own.new_sender(), sender
    missing = create(own, nowhere, f"http://localhost:{free_port()}/")
    create(own, hanging, hooks.url("/hangs"))
    create(own, quick, hooks.url("/200/quick"))
    for one in (nowhere, hanging, quick):
        response = own.send(one)
        assert response.status_code == 200
        assert response.elapsed.total_seconds() < 10
    hooks.wait_for(lambda: hooks.at("/200/quick"))
    hooks.wait_for(lambda: attempts_of(own, nowhere, missing)[1:])
    status, attempt, *_ = attempts_of(own, nowhere, missing)
    assert (status, attempt["status_code"]) == ("pending", None)
    assert attempt["error"]


_PROGRAM = """
import { Resend } from "resend";
import { Webhook } from "standardwebhooks";
const { webhooks } = new Resend(process.env.RESEND_API_KEY);
const endpoint = "https://hooks.example.net/mail";
const checked = async (promise) => {
  const { data, error } = await promise;
  if (error) throw new Error(JSON.stringify(error));
  return data;
};
const { id, signing_secret } = await checked(
  webhooks.create({ endpoint, events: ["email.sent"] }),
);
const got = await checked(webhooks.get(id));
const listed = await checked(webhooks.list({ limit: 10 }));
await checked(webhooks.update(id, { events: ["email.sent", "email.bounced"] }));
const changed = await checked(webhooks.get(id));
const rotated = await checked(webhooks.rotateSigningSecret(id));
const [webhookId, eventId] = process.env.EVENT.split(" ");
const events = await checked(webhooks.events.list({ webhookId, limit: 5 }));
const event = await checked(webhooks.events.get({ webhookId, eventId }));
const attempts = await checked(webhooks.events.attempts.list({ webhookId, eventId }));
const replayed = await checked(webhooks.events.replay({ webhookId, eventId }));
const removed = await checked(webhooks.remove(id));
const { payload, headers, secret } = JSON.parse(process.env.DELIVERY);
const verified = webhooks.verify({ payload, headers, webhookSecret: secret });
const standard = new Webhook(secret).verify(payload, {
  "webhook-id": headers.id,
  "webhook-timestamp": headers.timestamp,
  "webhook-signature": headers.signature,
});
console.log(JSON.stringify({
  id, signing_secret, got, listed, changed, rotated, events, event, attempts, replayed, removed,
  verified, standard,
}));
"""


def test_resends_node_sdk_and_standardwebhooks(own: Api, hooks: Receiver, sender: Sender) -> None:
    webhook = create(own, sender, hooks.url("/200/node"))
    own.send(sender)
    hooks.wait_for(lambda: attempts_of(own, sender, webhook)[1:])
    (one,) = hooks.at("/200/node")
    delivery = {
        "payload": one.body,
        "headers": {name: one.headers[f"webhook-{name}"] for name in ("id", "timestamp")}
        | {"signature": one.headers["webhook-signature"]},
        "secret": webhook["signing_secret"],
    }
    done = subprocess.run(
        [str(node_binary()), "--input-type=module", "-"],
        input=_PROGRAM,
        cwd=ROOT,
        env={
            "RESEND_BASE_URL": own.server.url,
            "RESEND_API_KEY": sender.jwt,
            "EVENT": f"{webhook['id']} {one.headers['webhook-id']}",
            "DELIVERY": json.dumps(delivery),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["got"]["signing_secret"] == found["signing_secret"]
    assert found["id"] in [row["id"] for row in found["listed"]["data"]]
    assert found["changed"]["events"] == ["email.sent", "email.bounced"]
    assert found["rotated"]["signing_secret"] != found["signing_secret"]
    assert found["events"]["data"][0]["status"] == "success"
    assert found["event"]["payload"] == json.loads(one.body)
    assert found["attempts"]["data"][0]["http_status_code"] == 200
    assert found["replayed"] == {"object": "webhook_event", "id": one.headers["webhook-id"]}
    assert found["removed"]["deleted"] is True
    assert found["verified"] == found["standard"] == json.loads(one.body)
    hooks.wait_for(lambda: len(hooks.at("/200/node")) == 2)
    assert len({(one.headers["webhook-id"], one.body) for one in hooks.at("/200/node")}) == 1


def test_resends_python_sdk(own: Api, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_url", own.server.url)
    monkeypatch.setattr(resend, "api_key", sender.jwt)
    made = resend.Webhooks.create(
        {"endpoint": "https://hooks.example.net/", "events": ["email.bounced"]}
    )
    got = resend.Webhooks.get(made["id"])
    assert got["signing_secret"] == made["signing_secret"]
    assert (got["status"], got["events"]) == ("enabled", ["email.bounced"])
    resend.Webhooks.update({"webhook_id": made["id"], "status": "disabled"})
    (listed,) = resend.Webhooks.list()["data"]
    assert (listed["id"], listed["status"]) == (made["id"], "disabled")
    assert resend.Webhooks.remove(made["id"])["deleted"] is True
    assert resend.Webhooks.list()["data"] == []
