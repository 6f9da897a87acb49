"""Settings of the site and of an address, and incomplete deployments."""

import pytest

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem


@pytest.mark.contract("GET /open_api/settings: Returns every member without a password")
def test_settings_of_the_site_are_returned(api: Api) -> None:
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
        "enableGlobalTurnstileCheck": False,
        "disableAdminPasswordCheck": False,
        "version": "v0.1.0",
        "smtpImapProxyConfig": {},
    }


@pytest.mark.contract("balance: The default balance is granted once, on first use")
@pytest.mark.contract("GET /api/settings: Returns address and send_balance")
def test_settings_of_an_address_grant_the_balance_once(api: Api) -> None:
    sender = api.new_sender()
    response = api.get("/api/settings", headers=sender.headers)
    assert response.json() == {"address": sender.address, "send_balance": 1000}
    sql = "UPDATE send_balances SET balance = 7 WHERE address_id = ?"
    api.server.sql(sql, [sender.address_id])
    assert api.balance(sender) == 7


@pytest.mark.contract("send checks: Request errors are reported in a fixed order")
def test_sending_may_be_limited_to_some_domains() -> None:
    variables = {**DEPLOYMENT, "SEND_MAIL_DOMAINS": "example.org"}
    with TestClient(variables) as server:
        api = Api(server)
        sentence = "Failed to send mail Please enable SEND_MAIL for this domain first"
        check_problem(api.send(api.new_sender()), 400, "send_mail_not_enabled", sentence)


@pytest.mark.contract("send checks: SENDING_PAUSED rejects every message with 503")
def test_a_paused_deployment_sends_nothing() -> None:
    with TestClient(DEPLOYMENT) as server:
        api = Api(server)
        sender = api.new_sender()
        sent = api.send_with_key(sender, "before").json()
    paused = {**DEPLOYMENT, "SENDING_PAUSED": "true"}
    with TestClient(paused, database=server.database) as server:
        api = Api(server)
        sentence = "Sending is paused by the administrator, please try again later"
        for response in (api.send(sender), api.send_with_key(sender, "after")):
            check_problem(response, 503, "sending_paused", sentence)
            assert response.headers["Retry-After"] == "300"
        assert [row["id"] for row in api.messages_of(sender)] == [sent["id"]]
        # An earlier request is still replayed, because a replay sends nothing.
        again = api.send_with_key(sender, "before")
        assert (again.status_code, again.json()) == (200, sent)
        server.sql("UPDATE addresses SET credential_version = 1")
        rejected = api.send_with_key(sender, "before")
        check_problem(rejected, 401, "invalid_credential", "Invalid address credential")


def test_without_domains_the_error_says_that_there_are_none() -> None:
    with TestClient({**DEPLOYMENT, "DOMAINS": "", "DEFAULT_DOMAINS": ""}) as server:
        api = Api(server)
        none = "Invalid domain: DOMAINS is empty, so no sender domain is configured"
        for body in ({"name": "abc"}, {"name": "abc", "domain": "example.com"}):
            rejected = api.post("/api/new_address", body)
            check_problem(rejected, 400, "invalid_domain", f"Failed to create address: {none}")
        mail = {"from_mail": "a@example.com", "to_mail": "b@example.com", "subject": "A"}
        rejected = api.admin("POST", "/admin/send_mail", json={**mail, "content": "B"})
        check_problem(rejected, 400, "invalid_sender_domain", none)


@pytest.mark.contract("guards: A missing DB or JWT_SECRET returns a 500 that names it")
@pytest.mark.contract("variables: An invalid variable is named")
@pytest.mark.parametrize(
    ("variables", "code", "detail"),
    [
        (
            {"JWT_SECRET": ""},
            "secret_missing",
            "The JWT_SECRET secret is missing: set it with wrangler secret put JWT_SECRET, "
            "or in .dev.vars for a local server",
        ),
        (
            {"DEFAULT_SEND_BALANCE": "plenty"},
            "invalid_setting",
            "The variable DEFAULT_SEND_BALANCE can't be read: "
            "it must be a whole number, at least 0 and at most 999999999999999",
        ),
    ],
)
def test_an_incomplete_deployment_names_the_missing_parts(
    variables: dict[str, str], code: str, detail: str
) -> None:
    with TestClient({**DEPLOYMENT, **variables}) as server:
        for method, path in (("POST", "/api/new_address"), ("GET", "/open_api/settings")):
            response = Api(server).call(method, path, json={})
            check_problem(response, 500, code, detail)


@pytest.mark.contract("guards: A missing DB or JWT_SECRET returns a 500 that names it")
def test_a_missing_database_has_its_own_error() -> None:
    with TestClient(DEPLOYMENT, has_database=False) as server:
        response = Api(server).post("/api/new_address", {})
        detail = "The DB binding is missing: add it to wrangler.toml and deploy again"
        check_problem(response, 500, "binding_missing", detail)


def test_logins_need_a_token_only_with_both_keys_of_turnstile() -> None:
    keys = {"CF_TURNSTILE_SITE_KEY": "site", "CF_TURNSTILE_SECRET_KEY": "secret"}
    for given in ({}, keys, *({name: value} for name, value in keys.items())):
        with TestClient({**DEPLOYMENT, **given}) as server:
            shown = Api(server).get("/open_api/settings").json()
            assert shown["enableGlobalTurnstileCheck"] is (given == keys)
