"""The secrets and signatures of webhooks, verified by the official packages."""

import json
import time
from typing import Any

import pytest
import resend
import svix.webhooks
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.webhook_secrets import shown_secret, signing_key
from mail.webhook_events import EVENTS, WebhookEvent
from mail.webhook_examples import example_body
from transport.webhooks import delivery_headers

SECRET = "a-secret-of-the-tests-0123456789abcdef"
ID = "019a9f60-7c3e-7b1a-9d2e-3f4b5c6d7e8f"


def now() -> int:
    return time.time_ns() // 1_000_000


def signed(body: str, *keys: bytes, at: int | None = None) -> dict[str, str]:
    return delivery_headers(ID, body, keys, now=at or now(), version="1.0")


@pytest.mark.parametrize("event", EVENTS)
def test_the_official_packages_verify_every_event(event: WebhookEvent) -> None:
    key = signing_key(SECRET, ID, 1)
    body = example_body(event, now=now())
    headers = signed(body, key)
    found = Webhook(shown_secret(key)).verify(body, headers)
    assert found == json.loads(body)
    theirs = {name: headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    receiver = svix.webhooks.Webhook(shown_secret(key))
    receiver.verify(body, {f"svix-{name}": value for name, value in theirs.items()})
    with pytest.raises(WebhookVerificationError):
        receiver.verify(body + " ", headers)
    options: Any = {"payload": body, "headers": theirs, "webhook_secret": shown_secret(key)}
    assert resend.Webhooks.verify(options) == json.loads(body)


def test_while_a_secret_changes_both_verify() -> None:
    old, new, other = (signing_key(SECRET, ID, version) for version in (1, 2, 3))
    headers = signed("{}", new, old)
    for key in (old, new):
        Webhook(shown_secret(key)).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(other)).verify("{}", headers)


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp"])
def test_a_changed_delivery_is_not_verified(change: str) -> None:
    key, body = signing_key(SECRET, ID, 1), "{}"
    headers = signed(body, key)
    if change == "body":
        body = '{"a":1}'
    else:
        headers[change] = headers[change][:-1] + str((int(headers[change][-1], 16) + 1) % 10)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown_secret(key)).verify(body, headers)


def test_a_secret_has_32_bytes_and_its_own_webhook_version_and_deployment() -> None:
    keys = {
        signing_key(secret, id_, version)
        for secret in (SECRET, "another")
        for id_ in (ID, "w2")
        for version in (1, 12)
    }
    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}
    assert all(shown_secret(key).startswith("whsec_") for key in keys)


def test_a_secret_never_changes() -> None:
    # Receivers have stored it.
    expected = "whsec_cQVKGAHr0TXNH8fhMujTZzV5OyIN1P7Noxt5DEtUnqg="
    assert shown_secret(signing_key("secret", "w1", 1)) == expected


def test_the_headers_have_no_secret() -> None:
    key = signing_key(SECRET, ID, 1)
    headers = signed("{}", key)
    assert shown_secret(key).removeprefix("whsec_") not in str(headers)
    assert SECRET not in str(headers)
    assert headers["user-agent"] == "send-mail-api-webhooks/1.0"
    assert headers["content-type"] == "application/json"
