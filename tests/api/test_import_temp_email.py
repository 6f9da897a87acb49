"""The conversion of an export of cloudflare_temp_email, used by the whole application."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from accounts.passwords import client_digest
from tests.client import TestClient
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT
from tools.import_temp_email import ImportFromOldError, converted

PEPPER = "the pepper of the new deployment"
SECRET = "the secret of the old deployment, of 32 characters or more"
VARIABLES = {
    **DEPLOYMENT,
    "JWT_SECRET": SECRET,
    "PASSWORD_PEPPER": PEPPER,
    "ENABLE_ADDRESS_PASSWORD": "true",
}
# Rows in the tables of cloudflare_temp_email 1.12 that have a counterpart here.
EXPORT = """
CREATE TABLE address (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, password TEXT, source_meta TEXT,
  created_at DATETIME, updated_at DATETIME
);
CREATE TABLE address_sender (
  id INTEGER PRIMARY KEY, address TEXT UNIQUE, balance INTEGER, enabled INTEGER,
  created_at DATETIME
);
CREATE TABLE sendbox (id INTEGER PRIMARY KEY, address TEXT, raw TEXT, created_at DATETIME);
CREATE TABLE raw_mails (id INTEGER PRIMARY KEY, raw TEXT);
"""
NOW = datetime.now(UTC)


def time(**ago: int) -> str:
    return (NOW - timedelta(**ago)).strftime("%Y-%m-%d %H:%M:%S")


def values(*row: object) -> str:
    texts = (str(cell).replace("'", "''") for cell in row)
    return ", ".join(f"'{text}'" for text in texts).replace("'None'", "NULL")


def export() -> str:
    password = client_digest("a password of the old service")
    mail = {
        "version": "v2",
        "from_name": "Alice",
        "to_mail": "bob@example.org",
        "to_name": "Bob",
        "subject": "It's here",
        "content": "It's a long text. " * 2_000,
        "is_html": False,
    }
    addresses: list[tuple[object, ...]] = [
        (7, "alice@example.com", password, "192.0.2.1", time(days=100), time(days=1)),
        (9, "bob@example.com", None, None, time(days=50), None),
    ]
    balances: list[tuple[object, ...]] = [
        (1, "alice@example.com", 58, 1, time(days=100)),
        (2, "bob@example.com", 0, 0, time(days=2)),
        (3, "gone@example.com", 5, 1, time(days=2)),
    ]
    messages: list[tuple[object, ...]] = [
        (1, "alice@example.com", json.dumps({**mail, "subject": "Old"}), time(days=120)),
        (2, "alice@example.com", json.dumps(mail), time(days=3)),
        (3, "alice@example.com", json.dumps({"personalizations": []}), time(days=3)),
    ]
    tables = {"address": addresses, "address_sender": balances, "sendbox": messages}
    inserts = [
        f"INSERT INTO {table} VALUES ({values(*row)});"
        for table, rows in tables.items()
        for row in rows
    ]
    return EXPORT + "\n".join(inserts)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    statements = [*converted(export(), pepper=PEPPER, since=NOW - timedelta(days=90))]
    assert max(len(statement.encode()) for statement in statements) < 100_000
    with TestClient(VARIABLES) as client:
        for statement in [*statements, *statements]:  # a repeated import changes nothing
            client.sql(statement.removesuffix(";"))
        yield client


@pytest.fixture(scope="module")
def token() -> str:
    """A credential as the old service issues it."""
    return jwt.encode({"address": "alice@example.com", "address_id": 7}, SECRET, algorithm="HS256")


def test_the_old_credential_sends_and_keeps_its_balance(client: TestClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    settings = client.request("GET", "/api/settings", headers=headers).json()
    assert settings == {"address": "alice@example.com", "send_balance": 58}
    mail = {"to_mail": "bob@example.org", "subject": "Hello", "content": "Hello"}
    assert client.request("POST", "/api/send_mail", headers=headers, json=mail).status_code == 200


def test_the_old_password_logs_in(client: TestClient) -> None:
    body = {
        "email": "alice@example.com",
        "password": client_digest("a password of the old service"),
    }
    assert client.request("POST", "/api/address_login", json=body).status_code == 200


def test_old_messages_are_in_the_sendbox(client: TestClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    page = client.request("GET", "/api/sendbox", headers=headers).json()["results"]
    old = page[-1]
    assert [json.loads(entry["raw"])["subject"] for entry in page[-1:]] == ["It's here"]
    message = client.request("GET", f"/api/sendbox/{old['id']}", headers=headers).json()
    assert message["status"] == "sent"
    assert message["text"] == "It's a long text. " * 2_000
    assert [recipient["address"] for recipient in message["recipients"]] == ["bob@example.org"]
    subjects = [json.loads(entry["raw"])["subject"] for entry in page]
    assert "Old" not in subjects


def test_an_open_request_for_a_balance_stays_a_request(client: TestClient) -> None:
    admin = {"x-admin-auth": ADMIN_PASSWORD}
    path = "/admin/address_sender?requested=true"
    rows = client.request("GET", path, headers=admin).json()["results"]
    assert [row["address"] for row in rows] == ["bob@example.com"]


def test_lists_and_limits_move_with_the_administrators_api(client: TestClient) -> None:
    # The response of GET /admin/account_settings of the old service.
    old = {
        "blockList": ["boss"],
        "sendBlockList": ["@spamtrap.example"],
        "verifiedAddressList": ["me@example.org"],
        "fromBlockList": [],
        "noLimitSendAddressList": ["alice@example.com"],
        "emailRuleSettings": {},
        "addressCreationSettings": {},
        "addressCreationSubdomainMatchStatus": {},
        "sendMailLimitConfig": {
            "dailyEnabled": True,
            "dailyLimit": 100,
            "monthlyEnabled": False,
            "monthlyLimit": None,
        },
    }
    path, admin = "/admin/account_settings", {"x-admin-auth": ADMIN_PASSWORD}
    saved = client.request("POST", path, headers=admin, json=old)
    assert saved.status_code == 200, saved.text
    new = client.request("GET", path, headers=admin).json()
    assert new == {name: old[name] for name in new}


def test_another_file_is_rejected() -> None:
    with pytest.raises(ImportFromOldError):
        list(converted("CREATE TABLE other (id)", pepper=None, since=NOW))
    with pytest.raises(ImportFromOldError):
        list(converted("no SQL", pepper=None, since=NOW))
