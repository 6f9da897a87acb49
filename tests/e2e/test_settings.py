"""What clients may know of the site and of their address."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.api import DEPLOYMENT, Api, check_problem
from tools.local_server import LocalServer, migrated_state


@pytest.mark.contract("GET /open_api/settings: Returns every member without a password")
def test_settings_of_the_site(api: Api) -> None:
    assert api.get("/open_api/settings").json() == {
        "title": "Send Mail API",
        "prefix": "",
        "addressRegex": "[^a-z0-9]",
        "minAddressLen": 1,
        "maxAddressLen": 30,
        "defaultDomains": ["example.com"],
        "domains": ["example.com", "example.org"],
        "needAuth": False,
        "enableUserCreateEmail": True,
        "disableAnonymousUserCreateEmail": False,
        "disableCustomAddressName": False,
        "enableUserDeleteEmail": False,
        "enableAddressPassword": False,
        "enableSendMail": True,
        "cfTurnstileSiteKey": "",
        "disableAdminPasswordCheck": False,
        "version": "v0.1.0",
        "smtpImapProxyConfig": {},
    }


@pytest.mark.contract(
    "guards: DISABLE_ADMIN_PASSWORD_CHECK opens administration and logs a warning"
)
@pytest.mark.contract(
    "address names: A name is random if it is missing or custom names are disabled"
)
@pytest.mark.contract("variables: Lists, numbers and switches are read in every documented form")
@pytest.mark.contract("POST /admin/send_mail_by_binding: Returns 400 without the binding")
def test_settings_as_a_deployment_writes_them() -> None:
    """Booleans, numbers, arrays and objects as TOML has them, not as text."""
    proxy = {"smtp": {"host": "smtp.example.com", "port": 8025, "starttls": True}}

    def write(config: dict[str, Any]) -> None:
        config["vars"] = {
            **config.get("vars", {}),
            "DOMAINS": ["Example.COM", "bücher.example"],
            "ENABLE_USER_CREATE_EMAIL": True,
            "MIN_ADDRESS_LEN": 3,
            "TITLE": "Post",
            "SMTP_IMAP_PROXY_CONFIG": proxy,
            "DISABLE_ADMIN_PASSWORD_CHECK": True,
            "DISABLE_CUSTOM_ADDRESS_NAME": True,
        }
        del config["send_email"]

    with LocalServer(variables={"JWT_SECRET": DEPLOYMENT["JWT_SECRET"]}, edit=write) as server:
        api = Api(server)
        settings = api.get("/open_api/settings").json()
        assert settings["domains"] == ["example.com", "xn--bcher-kva.example"]
        assert settings["enableUserCreateEmail"] is True
        assert (settings["minAddressLen"], settings["title"]) == (3, "Post")
        assert settings["smtpImapProxyConfig"] == proxy
        assert settings["enableSendMail"] is False
        assert settings["disableAdminPasswordCheck"] is True
        # Without its binding nothing is sent, without a default balance nothing may be.
        sender = api.new_sender()
        assert api.balance(sender) == 0
        answer = api.send(sender)
        sentence = "Failed to send mail Please enable SEND_MAIL for this domain first"
        check_problem(answer, 400, "send_mail_not_enabled", sentence)
        # The open administration is open, and the log says so.
        assert api.post("/admin/new_address", {"name": "chosen"}).status_code == 200
        assert "DISABLE_ADMIN_PASSWORD_CHECK is on" in server.log.read_text()
        by_binding = {"from": "a@example.com", "to": "b@example.net", "subject": "s", "text": "t"}
        answer = api.post("/admin/send_mail_by_binding", by_binding)
        check_problem(answer, 400, "binding_not_enabled", "Please enable SEND_MAIL first")
        # A name that is asked for is not given here.
        address = api.post("/api/new_address", {"name": "mine"}).json()["address"]
        assert not address.startswith("mine@")


@pytest.mark.contract("balance: The default balance is granted once, on first use")
@pytest.mark.contract("GET /api/settings: Returns address and send_balance")
def test_settings_of_an_address_grant_the_balance_once(api: Api) -> None:
    sender = api.new_sender()
    answer = api.get("/api/settings", headers=sender.headers)
    assert answer.json() == {"address": sender.address, "send_balance": 1000}
    sql = "UPDATE send_balances SET balance = 7 WHERE address_id = ?"
    api.server.sql(sql, [sender.address_id])
    assert api.balance(sender) == 7


@pytest.mark.contract("send checks: Request errors are reported in a fixed order")
def test_sending_limited_to_some_domains() -> None:
    variables = {**DEPLOYMENT, "SEND_MAIL_DOMAINS": "example.org"}
    with LocalServer(variables=variables) as server:
        api = Api(server)
        sentence = "Failed to send mail Please enable SEND_MAIL for this domain first"
        check_problem(api.send(api.new_sender()), 400, "send_mail_not_enabled", sentence)


@pytest.mark.contract("send checks: SENDING_PAUSED rejects every message with 503")
def test_sending_paused(tmp_path: Path) -> None:
    state = migrated_state(tmp_path / "state")
    with LocalServer(variables=DEPLOYMENT, state=state) as server:
        api = Api(server)
        sender = api.new_sender()
        sent = api.send_with_key(sender, "before").json()
    with LocalServer(variables={**DEPLOYMENT, "SENDING_PAUSED": "true"}, state=state) as server:
        api = Api(server)
        sentence = "Sending is paused by the administrator, please try again later"
        for answer in (api.send(sender), api.send_with_key(sender, "after")):
            check_problem(answer, 503, "sending_paused", sentence)
        assert [row["id"] for row in api.messages_of(sender)] == [sent["id"]]
        # What was answered before is answered still: that sends nothing.
        again = api.send_with_key(sender, "before")
        assert (again.status_code, again.json()) == (200, sent)
        server.sql("UPDATE addresses SET credential_version = 1")
        refused = api.send_with_key(sender, "before")
        check_problem(refused, 401, "invalid_credential", "Invalid address credential")


@pytest.mark.contract("guards: A missing DB or JWT_SECRET returns a 500 that names it")
@pytest.mark.contract("variables: An invalid variable is named")
@pytest.mark.parametrize(
    ("variables", "code", "detail"),
    [
        (
            {"JWT_SECRET": ""},
            "secret_missing",
            "The JWT_SECRET secret is missing: set it with wrangler secret put JWT_SECRET",
        ),
        (
            {"DEFAULT_SEND_BALANCE": "plenty"},
            "invalid_setting",
            "The variable DEFAULT_SEND_BALANCE can't be read: "
            "it must be a whole number, at least 0",
        ),
    ],
)
def test_incomplete_deployment_says_what_is_missing(
    variables: dict[str, str], code: str, detail: str
) -> None:
    with LocalServer(variables={**DEPLOYMENT, **variables}) as server:
        for method, path in (("POST", "/api/new_address"), ("GET", "/open_api/settings")):
            answer = Api(server).call(method, path, json={})
            check_problem(answer, 500, code, detail)


@pytest.mark.contract("guards: A missing DB or JWT_SECRET returns a 500 that names it")
def test_missing_database_says_so() -> None:
    def remove(config: dict[str, Any]) -> None:
        del config["d1_databases"]

    with LocalServer(variables=DEPLOYMENT, edit=remove, state=None) as server:
        answer = Api(server).post("/api/new_address", {})
        detail = "The DB binding is missing: add it to wrangler.toml and deploy again"
        check_problem(answer, 500, "binding_missing", detail)


@pytest.mark.contract("GET /health_check: Returns 503 with a reason")
def test_health_check_without_tables(tmp_path: Any) -> None:
    with LocalServer(variables=DEPLOYMENT, state=tmp_path / "empty") as server:
        api = Api(server)
        detail = "The database D1 does not answer, or its migrations are not applied"
        check_problem(api.get("/health_check"), 503, "database_down", detail)
        answer = api.post("/api/new_address", {})
        detail = "The database refused a statement: see that all migrations are applied"
        check_problem(answer, 500, "database_refused", detail)
        for line in server.log.read_text().splitlines():
            if line.startswith("{") and "d1_error" in line:
                assert "no such table" in json.loads(line)["problem"]
                break
        else:
            raise AssertionError("the log names no cause")
