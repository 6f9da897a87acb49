"""Read the transports and routes from the variables of a deployment.

Loaded only if one of these variables is set. Secrets are in ``TRANSPORT_SECRETS``, and never in
``TRANSPORTS``. The variables of the reference service make transports too: ``RESEND_TOKEN`` makes
``resend``, ``RESEND_TOKEN_EXAMPLE_COM`` makes ``resend_example_com``, and the entry of
``example.com`` in ``SMTP_CONFIG`` makes ``smtp_example_com``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mail.addresses import InvalidAddress, ascii_domain
from setting_parsers import Unreadable, json_object
from transport.outcome import BINDING
from transport.routing import (
    ANY_DOMAIN,
    ResendConfig,
    Routing,
    SmtpConfig,
    TransportConfig,
    suffix_of,
)

TOKEN = "RESEND_TOKEN"
_TOKEN_OF_DOMAIN = "RESEND_TOKEN_"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_MISSING = re.compile(r"missing required field `(\w+)`")
_SECRET_FIELDS = ("api_key", "webhook_secret", "password", "secret_access_key")
_MECHANISMS = ("plain", "login")

_TRANSPORTS = "a JSON array of transports"
_ROUTES = "a JSON object that maps domains to lists of names of transports"
_SECRETS = "a JSON object that maps names of transports to their secrets"
_SMTP = "a JSON object that maps domains to SMTP servers"


class UnreadableSetting(Exception):
    """The variable ``name`` can't be read. ``expected`` describes the expected form."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(name, expected)
        self.name = name
        self.expected = expected


def read_routing(variables: Mapping[str, Any], binding_domains: tuple[str, ...]) -> Routing | None:
    """The transports and routes in ``variables``; None if they have none.

    :param binding_domains: the domains that the ``send_email`` binding serves; empty for all.
    :raises UnreadableSetting: a variable can't be read.
    """
    secrets = _of(variables, "TRANSPORT_SECRETS", _read_secrets, {})
    given = _of(variables, "TRANSPORTS", lambda value: _read_transports(value, secrets), {})
    transports = {
        **{one.name: one for one in _resend_transports(variables, secrets)},
        **_of(variables, "SMTP_CONFIG", _read_smtp_config, {}),
    }
    by_variable = frozenset(transports)
    twice = transports.keys() & given.keys()
    if twice:
        problem = f"; another variable has already made {_listed(twice)}"
        raise UnreadableSetting("TRANSPORTS", f"{_TRANSPORTS} with new names{problem}")
    transports |= given
    unknown = secrets.keys() - transports.keys()
    if unknown:
        problem = f"; there is no transport {_listed(unknown)}"
        raise UnreadableSetting("TRANSPORT_SECRETS", _SECRETS + problem)
    routes = _of(variables, "ROUTES", lambda value: _read_routes(value, transports), {})
    if not transports and not routes:
        return None
    return Routing(
        transports=transports,
        routes=routes,
        binding_domains=binding_domains,
        by_variable=by_variable,
    )


def _of(variables: Mapping[str, Any], name: str, read: Any, otherwise: Any) -> Any:
    value = variables.get(name)
    if value is None or value == "":
        return otherwise
    try:
        return read(value)
    except Unreadable as error:
        raise UnreadableSetting(name, str(error)) from None


def _read_secrets(value: Any) -> dict[str, dict[str, str]]:
    secrets = json_object(value)
    for name, fields in secrets.items():
        if not isinstance(fields, dict):
            raise Unreadable(f'{_SECRETS}; that of "{name}" must be a JSON object')
        for field, secret in fields.items():
            if field not in _SECRET_FIELDS or not isinstance(secret, str) or not secret:
                known = ", ".join(_SECRET_FIELDS)
                raise Unreadable(f'{_SECRETS}; "{name}" may have only these texts: {known}')
    return secrets


def _read_transports(
    value: Any, secrets: Mapping[str, dict[str, str]]
) -> dict[str, TransportConfig]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise Unreadable(_TRANSPORTS) from error
    if not isinstance(value, list):
        raise Unreadable(_TRANSPORTS)
    transports: dict[str, TransportConfig] = {}
    for number, entry in enumerate(value, start=1):
        transport = _read_transport(entry, number, secrets)
        if transport.name in transports:
            raise Unreadable(f"{_TRANSPORTS} with different names; two are {transport.name}")
        transports[transport.name] = transport
    return transports


def _read_transport(
    entry: Any, number: int, secrets: Mapping[str, dict[str, str]]
) -> TransportConfig:
    problem = f"{_TRANSPORTS}; entry {number}"
    if not isinstance(entry, dict):
        raise Unreadable(f"{problem} must be a JSON object")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == BINDING:
        raise Unreadable(
            f"{problem} must have a name: lower-case letters, digits and _ . -, but not {BINDING}"
        )
    problem = f'{_TRANSPORTS}; "{name}"'
    secret = next((field for field in _SECRET_FIELDS if field in entry), None)
    if secret:
        raise Unreadable(f"{problem} must have its {secret} in the secret TRANSPORT_SECRETS")
    return _config({**entry, **secrets.get(name, {})}, problem)


def _config(fields: Mapping[str, Any], problem: str) -> TransportConfig:
    kinds: Any = TransportConfig
    try:
        config: TransportConfig = msgspec.convert(fields, kinds)
    except msgspec.ValidationError as error:
        missing = _MISSING.search(str(error))
        where = " in TRANSPORT_SECRETS" if missing and missing[1] in _SECRET_FIELDS else ""
        raise Unreadable(f"{problem} is invalid: {error}{where}") from None
    unknown = fields.keys() - {"type", *config.__struct_fields__}
    if unknown:
        raise Unreadable(f"{problem} has unknown fields: {_listed(unknown)}")
    if isinstance(config, SmtpConfig):
        if not 0 < config.port < 65_536:
            raise Unreadable(f"{problem} must have a port from 1 to 65535")
        if (config.username is None) != (config.password is None):
            raise Unreadable(
                f"{problem} must have a username and, in TRANSPORT_SECRETS, a password, or neither"
            )
    return config


def _resend_transports(
    variables: Mapping[str, Any], secrets: Mapping[str, dict[str, str]]
) -> Iterator[ResendConfig]:
    for variable, token in variables.items():
        if variable != TOKEN and not variable.startswith(_TOKEN_OF_DOMAIN):
            continue
        if token is None or token == "":
            continue
        if not isinstance(token, str):
            raise UnreadableSetting(variable, "an API key of Resend")
        name = variable.removeprefix("RESEND_TOKEN").lower()
        name = f"resend{name}"
        others = {key: one for key, one in secrets.get(name, {}).items() if key != "api_key"}
        yield ResendConfig(name=name, api_key=token.strip(), **others)


def _read_smtp_config(value: Any) -> dict[str, SmtpConfig]:
    transports = {}
    for given, entry in json_object(value).items():
        problem = f'{_SMTP}; "{given}"'
        try:
            domain = ascii_domain(given.strip())
        except InvalidAddress as error:
            raise Unreadable(f"{problem} is no domain") from error
        if not isinstance(entry, dict):
            raise Unreadable(f"{problem} must be a JSON object")
        name = f"smtp_{suffix_of(domain)}"
        transports[name] = _reference_smtp(name, entry, problem)
    return transports


def _reference_smtp(name: str, entry: Mapping[str, Any], problem: str) -> SmtpConfig:
    """The SMTP server in the form of the reference service. Other members are ignored."""
    credentials = entry.get("credentials")
    login = credentials if isinstance(credentials, dict) else entry
    given = entry.get("authType") or _MECHANISMS
    mechanisms = [given] if isinstance(given, str) else given
    if not isinstance(mechanisms, list | tuple) or not {*mechanisms} & {*_MECHANISMS}:
        raise Unreadable(f"{problem} must have an authType of plain or login")
    port = entry.get("port")
    fields = {
        "type": "smtp",
        "name": name,
        "host": entry.get("host"),
        "port": int(port) if isinstance(port, str) and port.isdecimal() else port,
        "security": _security(entry),
        "username": login.get("username"),
        "password": login.get("password"),
        "auth": [one for one in mechanisms if one in _MECHANISMS],
    }
    config = _config(fields, problem)
    assert isinstance(config, SmtpConfig)
    return config


def _security(entry: Mapping[str, Any]) -> str:
    if entry.get("secure") is True:
        return "tls"
    return "none" if entry.get("startTls") is False else "starttls"


def _read_routes(
    value: Any, transports: Mapping[str, TransportConfig]
) -> dict[str, tuple[str, ...]]:
    routes = {}
    for given, names in json_object(value).items():
        problem = f'{_ROUTES}; "{given}"'
        try:
            domain = given if given == ANY_DOMAIN else ascii_domain(given.strip())
        except InvalidAddress as error:
            raise Unreadable(f"{problem} is neither a domain nor *") from error
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            raise Unreadable(f"{problem} must have a list of at least one name")
        unknown = {*names} - {BINDING, *transports}
        if unknown:
            raise Unreadable(f"{problem} names {_listed(unknown)}, which is no transport")
        if len({*names}) < len(names):
            raise Unreadable(f"{problem} names a transport twice")
        routes[domain] = tuple(names)
    return routes


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
