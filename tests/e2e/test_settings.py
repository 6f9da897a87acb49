"""Variables and bindings as wrangler passes them, and a database without tables."""

import json
from typing import Any

import pytest

from tests.e2e.api import DEPLOYMENT, Api, check_problem
from tools.local_server import LocalServer


@pytest.mark.slow
@pytest.mark.contract(
    "guards: DISABLE_ADMIN_PASSWORD_CHECK opens administration and logs a warning"
)
@pytest.mark.contract(
    "address names: A name is random if it is missing or custom names are disabled"
)
@pytest.mark.contract("variables: Lists, numbers and switches are read in every documented form")
@pytest.mark.contract("POST /admin/send_mail_by_binding: Returns 400 without the binding")
def test_settings_are_read_from_toml_values() -> None:
    """Booleans, numbers, arrays and objects are TOML values here, not text."""
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
        # There is no default balance, so a new address has none. There is no binding for sending.
        sender = api.new_sender()
        assert api.balance(sender) == 0
        response = api.send(sender)
        sentence = "Failed to send mail Please enable SEND_MAIL for this domain first"
        check_problem(response, 400, "send_mail_not_enabled", sentence)
        # The administration needs no password, and the log warns of it.
        assert api.post("/admin/new_address", {"name": "chosen"}).status_code == 200
        assert "DISABLE_ADMIN_PASSWORD_CHECK is on" in server.log.read_text()
        by_binding = {"from": "a@example.com", "to": "b@example.net", "subject": "s", "text": "t"}
        response = api.post("/admin/send_mail_by_binding", by_binding)
        check_problem(response, 400, "binding_not_enabled", "Please enable SEND_MAIL first")
        # DISABLE_CUSTOM_ADDRESS_NAME: the requested name is ignored.
        address = api.post("/api/new_address", {"name": "mine"}).json()["address"]
        assert not address.startswith("mine@")


@pytest.mark.slow
@pytest.mark.contract("GET /health_check: Returns 503 with a reason")
def test_health_check_without_tables(tmp_path: Any) -> None:
    with LocalServer(variables=DEPLOYMENT, state=tmp_path / "empty") as server:
        api = Api(server)
        detail = "The database D1 does not respond, or its migrations are not applied"
        check_problem(api.get("/health_check"), 503, "database_down", detail)
        response = api.post("/api/new_address", {})
        detail = "The database rejected a statement: check that all migrations are applied"
        check_problem(response, 500, "database_refused", detail)
        for line in server.log.read_text().splitlines():
            if line.startswith("{") and "d1_error" in line:
                assert "no such table" in json.loads(line)["problem"]
                break
        else:
            raise AssertionError("the log does not contain the cause")
