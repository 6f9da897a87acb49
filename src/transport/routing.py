"""The transports of a deployment, and which of them a sender's domain uses.

Loaded only if a deployment has other transports than the ``send_email`` binding.
"""

from typing import Literal

import msgspec

from transport.outcome import BINDING

# The key in a table of routes for the domains that have no entry of their own.
ANY_DOMAIN = "*"


class ResendConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="resend"):
    """A transport that sends by the API of Resend, or by one that is compatible with it.

    ``webhook_secret`` checks the provider's webhooks; without it, they are rejected.
    """

    name: str
    api_key: str
    webhook_secret: str | None = None
    url: str = "https://api.resend.com"


class SmtpConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="smtp"):
    """A transport that submits mail to an SMTP server.

    ``security`` is ``tls`` for TLS from the first byte, ``starttls`` to require STARTTLS, ``none``
    to send in clear text. Without ``username`` the server is used without a login. ``auth`` has the
    mechanisms that may be used.
    """

    name: str
    host: str
    port: int
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str | None = None
    password: str | None = None
    auth: tuple[Literal["plain", "login"], ...] = ("plain", "login")


class SesConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="ses"):
    """A transport that sends by Amazon SES. ``topic`` is the ARN of the SNS topic of its events."""

    name: str
    region: str
    access_key_id: str
    secret_access_key: str
    configuration_set: str | None = None
    topic: str | None = None
    url: str | None = None


TransportConfig = ResendConfig | SmtpConfig | SesConfig


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """The transports besides the binding, by name, and the routes.

    ``routes`` maps a domain, or ``*``, to the names of its transports in the order in which they
    are tried. Other domains have those of the transports in ``by_variable`` that are made for them,
    and the binding. ``binding_domains`` are the domains that the binding serves, empty for all.
    """

    transports: dict[str, TransportConfig]
    routes: dict[str, tuple[str, ...]]
    binding_domains: tuple[str, ...]
    by_variable: frozenset[str] = frozenset()
    has_binding: bool = False

    def route(self, domain: str) -> tuple[str, ...]:
        """The names of the transports for a sender's domain, the usual one first."""
        names = self.routes.get(domain) or self.routes.get(ANY_DOMAIN) or self._usual(domain)
        return tuple(name for name in names if name != BINDING or self._has_binding(domain))

    def has_route(self, domain: str) -> bool:
        """Whether any transport sends the mail of a sender's domain."""
        return bool(self.route(domain))

    def has(self, name: str) -> bool:
        """Whether the deployment has the transport ``name``."""
        return name in self.transports or (name == BINDING and self.has_binding)

    def verified_route(self, domain: str) -> tuple[str, ...]:
        """The route of mail to verified recipients: by the binding, if there is one."""
        others = tuple(name for name in self.route(domain) if name != BINDING)
        return (BINDING, *others) if self.has_binding else others

    @property
    def keyed(self) -> tuple[str, ...]:
        """The names of the transports whose provider has idempotency keys."""
        return tuple(name for name, one in self.transports.items() if isinstance(one, ResendConfig))

    @property
    def unused(self) -> tuple[str, ...]:
        """The names of the transports that are in no route."""
        routed = {name for names in self.routes.values() for name in names}
        return tuple(sorted(self.transports.keys() - routed - self.by_variable))

    def _usual(self, domain: str) -> tuple[str, ...]:
        suffix = suffix_of(domain)
        resend = next((one for one in (f"resend_{suffix}", "resend") if self._is_usual(one)), None)
        smtp = f"smtp_{suffix}"
        return (*([resend] if resend else []), *([smtp] if self._is_usual(smtp) else []), BINDING)

    def _is_usual(self, name: str) -> bool:
        return name in self.by_variable

    def _has_binding(self, domain: str) -> bool:
        served = self.binding_domains
        return self.has_binding and (not served or domain in served)


def ses_message_id_domain(region: str) -> str:
    """The domain of the Message-IDs that Amazon SES assigns in a region."""
    return "email.amazonses.com" if region == "us-east-1" else f"{region}.amazonses.com"


def kind_of(config: TransportConfig) -> Literal["resend", "smtp", "ses"]:
    """The type of a transport, as in ``TRANSPORTS``."""
    match config:
        case ResendConfig():
            return "resend"
        case SmtpConfig():
            return "smtp"
    return "ses"


def suffix_of(domain: str) -> str:
    """The form of a domain in the names of its transports.

    >>> suffix_of("mail.example.com")
    'mail_example_com'
    """
    return domain.replace(".", "_")
