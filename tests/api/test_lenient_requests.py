"""What clients write otherwise than documented: accepted, with a warning if it changes anything."""

from typing import Any

import pytest

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender, mail

TWO = ["front@example.org", "back@example.org"]
WARNING = (
    "reply_to: Only the first reply-to address is used, because the mail provider takes only one"
)


def email(sender: Sender, **fields: Any) -> dict[str, Any]:
    needed = {"from": sender.address, "to": "a@example.net", "subject": "Hello", "text": "Hello"}
    return {**needed, **fields}


# Warnings


def test_the_seeds_endpoints_have_warnings(api: Api) -> None:
    sender = api.new_sender()
    body = mail(reply_to=TWO, token=sender.jwt)
    for path in ("/api/send_mail", "/external/api/send_mail"):
        response = api.post(path, body, headers=sender.headers)
        assert response.json()["warnings"] == [WARNING]
        assert "X-Warnings" not in response.headers
    chinese = api.post("/api/send_mail", body, headers={**sender.headers, "x-lang": "zh"})
    (warning,) = chinese.json()["warnings"]
    assert warning.startswith("reply_to: 只使用")
    assert "warnings" not in api.send(sender).json()


def test_administrators_have_warnings(api: Api) -> None:
    own = {"from_mail": "me@example.com", "reply_to": TWO}
    assert api.admin("POST", "/admin/send_mail", json=mail(**own)).json()["warnings"] == [WARNING]
    needed = {"from": "me@example.com", "to": "a@example.net", "subject": "a", "text": "a"}
    for fields, warnings in (({}, None), ({"replyTo": TWO}, [WARNING.replace("_to", "To", 1)])):
        response = api.admin("POST", "/admin/send_mail_by_binding", json={**needed, **fields})
        assert response.json() == {
            "status": "ok",
            **({"warnings": warnings} if warnings else {}),
        }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_warnings_of_resends_clients_are_a_header(api: Api, sender: Sender, language: str) -> None:
    headers = {**sender.headers, "x-lang": language}
    response = api.post("/emails", email(sender, reply_to=TWO), headers=headers)
    assert response.headers["X-Warnings"] == WARNING
    assert "X-Warnings" in response.headers["Access-Control-Expose-Headers"]
    assert set(response.json()) == {"id"}
    other = api.post("/emails", email(sender, reply_to=TWO[:1]), headers=headers)
    assert "X-Warnings" not in other.headers


def test_a_repetition_has_the_warnings_again(api: Api, sender: Sender) -> None:
    responses = [api.send_with_key(sender, "with warnings", reply_to=TWO) for _ in range(2)]
    assert [response.json()["warnings"] for response in responses] == [[WARNING]] * 2
    assert responses[1].headers["Idempotent-Replayed"] == "true"


def test_a_queued_message_has_warnings_and_a_rejected_one_has_none(api: Api) -> None:
    sender = api.new_sender()
    queued = api.send(sender, reply_to=TWO, subject="[E_RATE_LIMIT_EXCEEDED 1]")
    assert (queued.status_code, queued.json()["warnings"]) == (202, [WARNING])
    rejected = api.send(sender, reply_to=TWO, subject="[E_DELIVERY_FAILED]")
    assert (rejected.status_code, rejected.json().get("warnings")) == (502, None)


@pytest.mark.parametrize("mode", ["strict", "permissive"])
def test_the_warnings_of_a_batch_name_the_email(api: Api, sender: Sender, mode: str) -> None:
    batch = [email(sender), email(sender, reply_to=TWO), email(sender, reply_to=TWO)]
    headers = {**sender.headers, "x-batch-validation": mode}
    response = api.post("/emails/batch", batch, headers=headers)
    assert response.headers["X-Warnings"] == f"[1].{WARNING}; [2].{WARNING}"


def test_the_warnings_of_a_large_batch_are_short(api: Api, sender: Sender) -> None:
    batch = [email(sender, reply_to=TWO)] * 100
    response = api.post("/emails/batch", batch, headers=sender.headers)
    warnings = response.headers["X-Warnings"]
    assert warnings.endswith(f"; [9].{WARNING}; 90 more")
    assert len(warnings) < 1500


def test_ignored_addresses_do_not_change_the_digest(api: Api, sender: Sender) -> None:
    values = (TWO, ", ".join(TWO), TWO[0])
    ids = {
        api.send_with_key(sender, "one address", reply_to=value).json()["id"] for value in values
    }
    assert len(ids) == 1


# Slashes at the end of a path


def test_a_slash_at_the_end_of_a_path_changes_nothing(api: Api) -> None:
    sender = api.new_sender()
    assert api.post("/api/send_mail/", mail(), headers=sender.headers).status_code == 200
    assert api.post("/external/api/send_mail/", mail(token=sender.jwt)).status_code == 200
    batch = [email(sender)]
    sent = api.post("/emails/batch/", batch, headers=sender.headers).json()["data"][0]["id"]
    assert api.get(f"/emails/{sent}/", headers=sender.headers).json()["id"] == sent
    assert api.get(f"/api/sendbox/{sent}/", headers=sender.headers).json()["id"] == sent
    assert len(api.get("/emails/", headers=sender.headers).json()["data"]) == 3
    assert api.get("/health_check/").text == "OK"
    assert api.admin("GET", "/admin/usage/").status_code == 200


def test_a_slash_at_the_end_of_a_path_opens_nothing(api: Api, sender: Sender) -> None:
    for path in ("/admin/usage/", "/admin/sendbox/", "/emails/", "/api/sendbox/", "/api/usage/"):
        assert api.get(path).status_code == 401, path
    for path in ("/admin/unknown/", "/api/unknown/", "/emails/a/b/c/"):
        assert api.get(path).status_code == 401, path
    wrong = api.call("DELETE", "/api/send_mail/", headers=sender.headers)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")


def test_a_slash_at_the_end_of_a_path_does_not_double_its_rate_limit() -> None:
    with TestClient(DEPLOYMENT, rate_limit=2) as server:
        paths = ("/api/new_address", "/api/new_address/", "/api/new_address")
        statuses = [Api(server).post(path, {}).status_code for path in paths]
    assert statuses == [200, 200, 429]
