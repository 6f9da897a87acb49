"""The transports and routes of a deployment: accepted forms, errors, the reference's examples."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from errors import ServerFault
from settings import doubtful_settings, read_settings
from transport.routing import ResendConfig, Routing, SesConfig, SmtpConfig


def routing(**variables: Any) -> Routing:
    found = read_settings(variables).routing
    assert found
    return replace(found, has_binding=True)


def problem(**variables: Any) -> tuple[str, str]:
    with pytest.raises(ServerFault) as caught:
        read_settings(variables)
    assert caught.value.code == "invalid_setting"
    return str(caught.value.values["name"]), str(caught.value.values["expected"])


# The examples of the reference service's page about sending, with their addresses changed.
ONE_SERVER = {
    "example.com": {
        "host": "smtp.example.net",
        "port": 465,
        "secure": True,
        "authType": ["plain", "login"],
        "credentials": {"username": "a-user", "password": "a-password"},
    }
}
TWO_SERVERS = {
    **ONE_SERVER,
    "example.org": {
        "host": "smtp.example.org",
        "port": 587,
        "secure": False,
        "startTls": True,
        "authType": "login",
        "username": "user@example.org",
        "password": "app-password",
    },
}


def test_a_deployment_with_the_binding_alone_has_no_routing() -> None:
    assert read_settings({}).routing is None
    assert read_settings({"SEND_MAIL_DOMAINS": "example.com"}).routing is None
    assert read_settings({"RESEND_TOKEN": "", "SMTP_CONFIG": ""}).routing is None


def test_a_token_sends_the_mail_of_all_domains_by_resend() -> None:
    found = routing(RESEND_TOKEN="re_1")
    assert found.transports == {"resend": ResendConfig(name="resend", api_key="re_1")}
    assert found.route("example.com") == ("resend", "send_email")
    assert found.keyed == ("resend",)


def test_the_token_of_a_domain_precedes_the_common_one() -> None:
    found = routing(RESEND_TOKEN="re_1", RESEND_TOKEN_EXAMPLE_COM="re_2")
    assert found.route("example.com") == ("resend_example_com", "send_email")
    assert found.route("example.org") == ("resend", "send_email")
    chosen = found.transports["resend_example_com"]
    assert isinstance(chosen, ResendConfig)
    assert chosen.api_key == "re_2"


def test_a_domain_without_a_token_has_the_binding() -> None:
    found = routing(RESEND_TOKEN_EXAMPLE_COM="re_2")
    assert found.route("example.org") == ("send_email",)
    assert replace(found, has_binding=False).route("example.org") == ()


@pytest.mark.parametrize("form", [lambda value: value, json.dumps])
def test_the_servers_of_domains_send_their_mail(form: Any) -> None:
    found = routing(SMTP_CONFIG=form(TWO_SERVERS))
    assert found.route("example.com") == ("smtp_example_com", "send_email")
    assert found.route("example.org") == ("smtp_example_org", "send_email")
    assert found.route("example.net") == ("send_email",)
    assert found.transports == {
        "smtp_example_com": SmtpConfig(
            name="smtp_example_com",
            host="smtp.example.net",
            port=465,
            security="tls",
            username="a-user",
            password="a-password",
            auth=("plain", "login"),
        ),
        "smtp_example_org": SmtpConfig(
            name="smtp_example_org",
            host="smtp.example.org",
            port=587,
            security="starttls",
            username="user@example.org",
            password="app-password",
            auth=("login",),
        ),
    }


def test_a_server_may_have_a_port_as_text_and_no_login() -> None:
    server = {"host": "mail.example.net", "port": "25", "secure": False, "startTls": False}
    (found,) = routing(SMTP_CONFIG={"example.com": server}).transports.values()
    assert found == SmtpConfig(
        name="smtp_example_com", host="mail.example.net", port=25, security="none"
    )


def test_resend_precedes_smtp_and_smtp_the_binding() -> None:
    found = routing(RESEND_TOKEN="re_1", SMTP_CONFIG=ONE_SERVER)
    assert found.route("example.com") == ("resend", "smtp_example_com", "send_email")


def test_verified_recipients_get_their_mail_by_the_binding() -> None:
    found = routing(RESEND_TOKEN="re_1", SEND_MAIL_DOMAINS="example.org")
    assert found.route("example.com") == ("resend",)
    assert found.verified_route("example.com") == ("send_email", "resend")
    assert replace(found, has_binding=False).verified_route("example.com") == ("resend",)


def test_the_binding_serves_the_domains_of_its_setting() -> None:
    found = routing(
        TRANSPORTS=[{"name": "mine", "type": "smtp", "host": "a.example", "port": 465}],
        ROUTES={"*": ["send_email", "mine"]},
        SEND_MAIL_DOMAINS="example.com",
    )
    assert found.route("example.com") == ("send_email", "mine")
    assert found.route("example.org") == ("mine",)


def test_transports_and_routes_as_text_and_as_json() -> None:
    transports = [
        {"name": "main", "type": "resend"},
        {"name": "ses", "type": "ses", "region": "eu-west-1", "access_key_id": "AKIA"},
        {"name": "own", "type": "smtp", "host": "mail.example.com", "port": 587,
         "security": "starttls", "username": "me"},
    ]  # fmt: skip
    secrets = {
        "main": {"api_key": "re_1", "webhook_secret": "whsec_1"},
        "ses": {"secret_access_key": "s"},
        "own": {"password": "p"},
    }
    routes = {"Example.com": ["main", "ses"], "*": ["own"]}
    variables = {"TRANSPORTS": transports, "TRANSPORT_SECRETS": secrets, "ROUTES": routes}
    found = routing(**variables)
    assert found == routing(**{name: json.dumps(value) for name, value in variables.items()})
    assert found.route("example.com") == ("main", "ses")
    assert found.route("example.org") == ("own",)
    assert found.transports["main"] == ResendConfig(
        name="main", api_key="re_1", webhook_secret="whsec_1"
    )
    assert found.transports["ses"] == SesConfig(
        name="ses", region="eu-west-1", access_key_id="AKIA", secret_access_key="s"
    )


def test_the_token_of_resend_can_have_a_secret_for_its_webhooks() -> None:
    found = routing(RESEND_TOKEN="re_1", TRANSPORT_SECRETS={"resend": {"webhook_secret": "w"}})
    assert found.transports["resend"] == ResendConfig(
        name="resend", api_key="re_1", webhook_secret="w"
    )


def test_a_transport_without_a_route_is_doubtful() -> None:
    entry = {"name": "own", "type": "smtp", "host": "mail.example.com", "port": 465}
    settings = read_settings({"TRANSPORTS": [entry], "JWT_SECRET": "x" * 40})
    assert list(doubtful_settings(settings)) == [
        "TRANSPORTS has own, but ROUTES does not: no mail goes that way"
    ]


_SMTP = {"name": "own", "type": "smtp", "host": "mail.example.com", "port": 465}


@pytest.mark.parametrize(
    ("variables", "name", "named"),
    [
        ({"TRANSPORTS": "{"}, "TRANSPORTS", "a JSON array of transports"),
        ({"TRANSPORTS": {}}, "TRANSPORTS", "a JSON array of transports"),
        ({"TRANSPORTS": [1]}, "TRANSPORTS", "entry 1 must be a JSON object"),
        ({"TRANSPORTS": [_SMTP, {"type": "ses"}]}, "TRANSPORTS", "entry 2 must have a name"),
        ({"TRANSPORTS": [{**_SMTP, "name": "Ä"}]}, "TRANSPORTS", "entry 1 must have a name"),
        ({"TRANSPORTS": [{**_SMTP, "name": "send_email"}]}, "TRANSPORTS", "not send_email"),
        ({"TRANSPORTS": [_SMTP, _SMTP]}, "TRANSPORTS", "two are own"),
        ({"TRANSPORTS": [{**_SMTP, "type": "post"}]}, "TRANSPORTS", '"own" is invalid'),
        ({"TRANSPORTS": [{"name": "a", "type": "resend"}]}, "TRANSPORTS", "in TRANSPORT_SECRETS"),
        ({"TRANSPORTS": [{**_SMTP, "port": "x"}]}, "TRANSPORTS", "`$.port`"),
        ({"TRANSPORTS": [{**_SMTP, "port": 0}]}, "TRANSPORTS", "from 1 to 65535"),
        ({"TRANSPORTS": [{**_SMTP, "username": "me"}]}, "TRANSPORTS", "a password, or neither"),
        ({"TRANSPORTS": [{**_SMTP, "hots": "x"}]}, "TRANSPORTS", "unknown fields: hots"),
        (
            {"TRANSPORTS": [{**_SMTP, "username": "me", "password": "p"}]},
            "TRANSPORTS",
            '"own" must have its password in the secret TRANSPORT_SECRETS',
        ),
        (
            {"TRANSPORTS": [{**_SMTP, "name": "resend"}], "RESEND_TOKEN": "re_1"},
            "TRANSPORTS",
            "has already made resend",
        ),
        ({"ROUTES": "x"}, "ROUTES", "a JSON object"),
        ({"ROUTES": {"*": ["own"]}}, "ROUTES", '"*" names own, which is no transport'),
        ({"ROUTES": {"*": []}}, "ROUTES", "at least one name"),
        ({"ROUTES": {"*": ["send_email", "send_email"]}}, "ROUTES", "twice"),
        ({"ROUTES": {"not a domain": ["send_email"]}}, "ROUTES", "neither a domain nor *"),
        ({"TRANSPORT_SECRETS": {"own": {"password": "p"}}}, "TRANSPORT_SECRETS", "transport own"),
        ({"TRANSPORT_SECRETS": {"own": {"token": "p"}}}, "TRANSPORT_SECRETS", '"own" may have'),
        ({"TRANSPORT_SECRETS": {"own": "p"}}, "TRANSPORT_SECRETS", '"own" must be a JSON object'),
        ({"RESEND_TOKEN_EXAMPLE_COM": 1}, "RESEND_TOKEN_EXAMPLE_COM", "an API key"),
        ({"SMTP_CONFIG": "["}, "SMTP_CONFIG", "a JSON object"),
        ({"SMTP_CONFIG": {"example.com": 1}}, "SMTP_CONFIG", '"example.com" must be'),
        ({"SMTP_CONFIG": {"a b": {}}}, "SMTP_CONFIG", '"a b" is no domain'),
        ({"SMTP_CONFIG": {"example.com": {"port": 1}}}, "SMTP_CONFIG", "`$.host`"),
        (
            {"SMTP_CONFIG": {"example.com": {"host": "a", "port": 1, "authType": "cram-md5"}}},
            "SMTP_CONFIG",
            "plain or login",
        ),
    ],
)
def test_an_error_names_what_is_wrong(variables: dict[str, Any], name: str, named: str) -> None:
    found, expected = problem(**variables)
    assert found == name
    assert named in expected


def test_no_error_quotes_a_secret() -> None:
    wrong = {"TRANSPORT_SECRETS": {"own": {"token": "SECRET"}}}
    assert "SECRET" not in "".join(problem(**wrong)).replace("TRANSPORT_SECRETS", "")
    wrong = {"SMTP_CONFIG": {"example.com": {"host": "a", "port": "x", "password": "SECRET"}}}
    assert "SECRET" not in "".join(problem(**wrong))
