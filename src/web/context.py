"""The context of one request: what its handler needs."""

from dataclasses import dataclass, field

from accounts.actor import Actor
from accounts.credentials import Credential, issue
from errors import FieldError, ServerFault
from locales import language_of
from services import Services
from settings import ERROR_FORMATS, Settings
from store.database import Database
from web.auth import administrator_name
from web.request import MAX_BODY_BYTES, Request
from web.responses import prefers_plain_text


@dataclass(slots=True)
class RequestContext:
    """A request, the named ``parameters`` of its path, and what is collected for its response.

    ``verified`` is the address credential after the access rule has checked its signature; None if
    the rule requires none. Only the database knows whether the credential is still valid.
    ``message_ids`` collects ids of messages for the access log. ``warnings`` collects the fields
    that were accepted otherwise than given. ``headers`` collects headers of the response, also if
    it is an error.
    """

    request: Request
    services: Services
    parameters: dict[str, str]
    verified: Credential | None = None
    message_ids: list[str] = field(default_factory=list)
    warnings: list[FieldError] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The deployment's settings."""
        return self.services.settings

    @property
    def database(self) -> Database:
        """The deployment's database. ``check_access`` rejects all requests if there is none."""
        assert self.services.database is not None
        return self.services.database

    @property
    def language(self) -> str:
        """The language of error sentences: that of ``x-lang``, by default that of the settings."""
        try:
            default = self.settings.default_lang
        except ServerFault:  # the settings can't be read
            default = "en"
        return language_of(self.request.header("x-lang"), otherwise=default)

    @property
    def wants_text_errors(self) -> bool:
        """Whether the body of an error is only its sentence."""
        request = self.request
        requested = request.header("x-error-format").strip().lower()
        if requested in ERROR_FORMATS:
            return requested == "text"
        return self._error_format == "text" or prefers_plain_text(request.header("accept"))

    @property
    def _error_format(self) -> str:
        try:
            return self.settings.error_format
        except ServerFault:  # the settings can't be read
            return "json"

    @property
    def credential(self) -> Credential:
        """The verified address credential.

        :raises LookupError: the route does not require a credential; this is a bug.
        """
        if self.verified is None:
            raise LookupError("this route does not require an address credential")
        return self.verified

    @property
    def owner(self) -> Actor:
        """The owner of the address of the credential, as an actor in the audit log."""
        return Actor(self.credential.address, self.request.client_ip)

    @property
    def administrator(self) -> Actor:
        """The administrator, as an actor in the audit log, named by ``administrator_name``."""
        given = self.request.header("x-admin-auth")
        name = administrator_name(given, self.settings.admin_passwords)
        return Actor(name, self.request.client_ip, is_administrator=True)

    async def take_memory(self, size: int) -> None:
        """Wait until there is memory for work on a stored message with ``size`` bytes.

        :raises Unavailable: as ``Memory.take`` does.
        """
        # JSON escapes a control character with six bytes. But the message was submitted within a
        # body.
        most = min(6 * size, MAX_BODY_BYTES)
        await self.services.memory.take(most, self.request.memory_client)

    def now(self) -> int:
        """The current time in Unix milliseconds."""
        return self.services.clock()

    def token(self, credential: Credential) -> str:
        """The address JWT for ``credential``, signed with the deployment's secret."""
        return issue(
            credential,
            secret=self.settings.jwt_secrets[0],
            now=self.now() // 1000,
            lifetime_days=self.settings.credential_ttl_days,
        )
