"""Property-based tests: for any input the response is no 5xx, and no control character reaches the
provider.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.client import TestClient
from tests.client.provider import ScriptedBinding
from tests.e2e.api import DEPLOYMENT, Api, Sender, mail

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
ENDPOINTS = [
    ("POST", "/api/send_mail"),
    ("POST", "/external/api/send_mail"),
    ("POST", "/api/new_address"),
    ("POST", "/admin/new_address"),
    ("POST", "/open_api/credential_login"),
    ("POST", "/open_api/site_login"),
    ("POST", "/open_api/admin_login"),
    ("POST", "/api/address_login"),
    ("POST", "/api/address_change_password"),
    ("GET", "/api/sendbox"),
    ("GET", "/api/settings"),
]
FIELDS = ["from_name", "to_mail", "to_name", "subject", "content", "is_html", "token", "name"]
FIELDS += ["email", "password", "new_password", "credential", "cf_token"]

# The scripted provider takes texts in brackets for instructions, so these texts have none.
texts = st.text(st.characters(exclude_characters="[]", codec=None), max_size=60)
spiced = st.builds(
    lambda before, spice, after: before + spice + after,
    texts,
    st.sampled_from(
        ["\r\nBcc: x@y.example", "\n", "\0", "\x7f", "\u2028", "\u202e", "\ud800", "@"]
    ),
    texts,
)
addresses = st.one_of(spiced, st.emails(), st.just("a@example.net, b@example.net"))
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | spiced,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
no_checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def taken() -> Iterator[tuple[Api, ScriptedBinding, Sender]]:
    with TestClient({**DEPLOYMENT, "ENABLE_ADDRESS_PASSWORD": "true"}) as server:
        api = Api(server)
        yield api, server.provider, api.new_sender(balance=100_000)


def check_response(response: requests.Response) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        problem = response.json()
        assert problem["status"] == response.status_code
        assert problem["detail"]


@pytest.mark.contract("attacks: Response headers and log lines cannot be injected")
@settings(max_examples=150, deadline=None, suppress_health_check=no_checks)
@given(name=spiced, to_name=spiced, to_mail=addresses, subject=spiced, content=spiced)
@example(name="", to_name="", to_mail="a@example.net", subject="s", content="\0\r\n\x1b")
def test_no_control_character_reaches_the_transport(
    taken: tuple[Api, ScriptedBinding, Sender],
    name: str,
    to_name: str,
    to_mail: str,
    subject: str,
    content: str,
) -> None:
    api, provider, sender = taken
    before = len(provider.taken)
    fields = {"from_name": name, "to_name": to_name, "to_mail": to_mail, "subject": subject}
    body = json.dumps(mail(**fields, content=content))  # ASCII: lone surrogates are escaped
    headers = {**sender.headers, "Content-Type": "application/json"}
    response = api.call("POST", "/api/send_mail", data=body, headers=headers)
    check_response(response)
    mails = provider.mails[before:]
    assert len(mails) == (1 if response.status_code == 200 else 0)
    for taken_mail in mails:
        assert taken_mail.pop("text") == content
        for text in strings_of(taken_mail):
            assert not CONTROL.search(text), text
        assert len(taken_mail["to"]) == 1


@pytest.mark.contract("errors: No client input causes a 5xx response")
@settings(max_examples=250, deadline=None, suppress_health_check=no_checks)
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    body=st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=6)
    | values
    | st.binary(max_size=100),
    query=st.dictionaries(st.sampled_from(["limit", "offset"]) | texts, texts, max_size=2),
    headers=st.dictionaries(
        st.sampled_from(["x-lang", "accept", "x-request-id", "content-type", "x-admin-auth"]),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")),
        max_size=3,
    ),
)
def test_no_request_causes_a_server_error(
    taken: tuple[Api, ScriptedBinding, Sender],
    endpoint: tuple[str, str],
    body: Any,
    query: dict[str, str],
    headers: dict[str, str],
) -> None:
    api, _, sender = taken
    method, path = endpoint
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", "x-admin-auth": "", **headers}
    encoded = {name: value.strip().encode("latin-1") for name, value in sent.items()}
    encoded["authorization"] = f"Bearer {sender.jwt}".encode()
    clean = {
        name.encode(errors="replace"): value.encode(errors="replace")
        for name, value in query.items()
    }
    check_response(api.call(method, path, data=data, params=clean, headers=encoded))


@pytest.mark.contract("errors: No client input causes a 5xx response")
@settings(max_examples=100, deadline=None, suppress_health_check=no_checks)
@given(path=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=50))
def test_no_path_causes_a_server_error(
    taken: tuple[Api, ScriptedBinding, Sender], path: str
) -> None:
    api, *_ = taken
    check_response(api.get("/" + path))


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)
