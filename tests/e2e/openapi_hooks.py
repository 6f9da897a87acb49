"""Hooks that schemathesis loads. They replace about half of the generated values by valid ones.

Random requests would never contain a valid credential, the id of an existing message, or a subject,
a recipient and a content together.
"""

import functools
import itertools
import json
import os
import random
from typing import Any

import hypothesis
import requests
import schemathesis

# Hypothesis only generates cases. Its other phases would double the time of the test.
hypothesis.settings.register_profile(
    "made", phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate), database=None
)
hypothesis.settings.load_profile("made")

_GIVEN = json.loads(os.environ.get("OPENAPI_TEST_VALUES", "{}"))
_numbers = itertools.count(1)
# Hypothesis resets the generator of the `random` module before each case, but not this one.
_chance = random.Random(20_260_101)


# Addresses with one message each. Requests may change or delete them: other requests do not use
# them.
_others = itertools.cycle(_GIVEN.get("others", ()))
_with_balance = itertools.cycle(_GIVEN.get("with_balance", ()))
# Each request about a password concerns another address, because wrong passwords lock an address.
_with_password = itertools.cycle(_GIVEN.get("with_password", ()))
# Operations that can succeed only once per address, or that delete its credential or messages.
_USES_UP = {
    ("DELETE", "/api/delete_address"),
    ("DELETE", "/api/clear_sent_items"),
    ("DELETE", "/api/sendbox/{id}"),
    ("POST", "/api/request_send_mail_access"),
    ("POST", "/api/rotate_credential"),
}


def _authorize(jwt: str, request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Replace the valid credential of `request` by `jwt`. Keep any other credential."""
    if request.headers.get("Authorization") == f"Bearer {_GIVEN['jwt']}":
        request.headers["Authorization"] = f"Bearer {jwt}"
    return request


def _good_values(path: str) -> dict[str, Any]:
    """Valid values for the fields of the body, by the name of the field."""
    if path.endswith("/send_mail"):
        text = {"subject": "Hello", "content": "Hello, Bob", "from_name": "Alice"}
        sender = {"token": _GIVEN["jwt"], "from_mail": "news@example.com"}
        return {**sender, "to_mail": "bob@example.org", "to_name": "Bob", **text}
    if path == "/admin/send_mail_by_binding":
        return {"from": "a@example.com", "to": "bob@example.org", "subject": "Hi", "text": "Bob"}
    if path.endswith("/reset_password"):
        return {"password": "0" * 64}
    if path == "/admin/suppressions":
        return {"address": f"case{next(_numbers)}@example.net", "reason": None}
    if path == "/admin/suppressions/import":
        return {"csv": f"case{next(_numbers)}@example.net", "first_line": 1}
    if path in ("/webhooks", "/admin/webhooks") or path.endswith("/webhooks/{id}"):
        return {"endpoint": "https://hooks.example.com/in"}
    if path.endswith("/new_address"):
        return {"name": f"case{next(_numbers)}", "domain": "example.com"}
    if path in ("/emails", "/emails/batch"):
        return {"from": _GIVEN["address"], "to": "bob@example.org", "subject": "Hi", "text": "Bob"}
    if path == "/emails/{id}":
        return {"scheduled_at": _GIVEN["scheduled_at"], "id": None}
    if path == "/api/address_login":
        owner = next(_with_password)
        return {"email": owner["email"], "password": owner["digest"]}
    if path.endswith("_login"):
        return {"credential": _GIVEN["jwt"], **_GIVEN["passwords"].get(path, {})}
    return {"credential": _GIVEN["jwt"]}


def _make_harmless(path: str, body: dict[str, Any]) -> None:
    """Replace values in an administration request that would make other operations fail."""
    if path == "/admin/account_settings":
        for name, value in body.items():
            if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
                body[name] = [f"case{next(_numbers)}@example.net"] if value else []
        if isinstance(body.get("sendMailLimitConfig"), dict):
            body["sendMailLimitConfig"] = {"dailyEnabled": False, "dailyLimit": 5}
    if path == "/admin/address_sender" and isinstance(body.get("address_id"), int):
        body |= {"address_id": next(_others)["address_id"], "address": None}
    if path == "/admin/suppressions" and body.get("address") == "bob@example.org":
        body["address"] = "carol@example.net"
    if path == "/admin/suppressions/import" and isinstance(body.get("csv"), str):
        body["csv"] = body["csv"].replace("bob@example.org", "carol@example.net")


def _known_id(path: str) -> str:
    """The id of an existing object. Half of the scheduled messages are never cancelled."""
    if path == "/admin/sendbox/{id}":
        return str(next(_others)["message_id"])
    if path == "/admin/address_sender/{id}":
        return str(next(_with_balance))
    if path == "/admin/pauses/{id}":
        return str(_chance.choice(_GIVEN["paused_ids"]))
    if path.startswith("/admin/"):
        return str(next(_others)["address_id"])
    scheduled: list[str] = _GIVEN["scheduled_ids"]
    if path == "/emails/{id}":
        return _chance.choice(scheduled[::2])
    if path == "/emails/{id}/cancel":
        return _chance.choice(scheduled[1::2])
    return str(_chance.choice(_GIVEN["failed_ids"]))


def _use_webhook(case: Any, webhooks: dict[str, Any]) -> None:
    """Let `case` concern a webhook and a delivery that exist."""
    removes, changes = case.method.upper() == "DELETE", case.method.upper() == "PATCH"
    used = webhooks["changed"] if changes else webhooks["used"]
    case.path_parameters["id"] = _chance.choice(webhooks["removed"]) if removes else used
    for name in {"delivery", "event"} & case.path_parameters.keys():
        case.path_parameters[name] = webhooks["delivery"]


def _change_password(case: Any, kwargs: dict[str, Any]) -> None:
    """Let another address change its password to the present one."""
    owner = next(_with_password)
    kwargs["auth"] = functools.partial(_authorize, owner["jwt"])
    if isinstance(case.body, dict) and _chance.random() < 0.5:
        case.body |= {"current_password": owner["digest"], "new_password": owner["digest"]}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Insert valid values into `case`. Fields of a wrong type stay: the API must reject them."""
    path = case.operation.path
    if (case.method.upper(), path) in _USES_UP:
        other = next(_others)
        kwargs["auth"] = functools.partial(_authorize, other["jwt"])
        if "id" in case.path_parameters and _chance.random() < 0.5:
            case.path_parameters["id"] = other["message_id"]
        return
    if case.method.upper() == "DELETE" and path == "/admin/suppressions":
        case.query["address"] = f"suppressed{next(_numbers) % 10}@example.net"
        if _chance.random() < 0.5:
            case.query.pop("scope", None)
    if case.method.upper() == "DELETE" and path == "/admin/address_sender":
        case.query["id"] = str(next(_with_balance))
    if path == "/api/address_change_password":
        _change_password(case, kwargs)
        return
    mails = case.body if isinstance(case.body, list) else [case.body]
    for mail in mails:
        if isinstance(mail, dict):
            # Half of the mails get all valid values. With a separate chance per field, few mails
            # would be valid.
            _make_harmless(path, mail)
            all_good = _chance.random() < 0.5
            for name, value in _good_values(path).items():
                if isinstance(mail.get(name), str | None) and (all_good or _chance.random() < 0.5):
                    mail[name] = value
    # A permissive batch with an invalid mail returns 200, which schemathesis takes for a fault.
    if (
        case.headers.get("x-batch-validation") == "permissive"
        and case.meta.generation.mode.is_negative
    ):
        case.headers["x-batch-validation"] = "strict"
    for prefix, webhooks in _GIVEN["webhooks"].items():
        if path.startswith(prefix + "{id}"):
            # schemathesis learns ids from responses. The webhook that others use must stay.
            is_used = case.path_parameters.get("id") == webhooks["used"]
            if is_used or _chance.random() < 0.5:
                _use_webhook(case, webhooks)
            return
    # A number may be the id of the address that sends all requests, so always replace it.
    is_number = str(case.path_parameters.get("id")).isdigit()
    if "id" in case.path_parameters and (is_number or _chance.random() < 0.5):
        case.path_parameters["id"] = _known_id(path)
