"""One call of the API: what its handler works with."""

from dataclasses import dataclass, field

from accounts.credentials import Credential
from delivery import Alarm, Outlive
from runtime.request import Request
from settings import Settings
from store.audit import Actor
from store.database import Database
from transport.outcome import Transport


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed its guard.

    ``credential`` is there for routes guarded by an address credential; its signature is checked,
    its row is not. ``transport`` is None where no way to send is configured, ``alarm`` where there
    is no queue. ``parameters`` are the named parts of the path, ``message_ids`` the messages that
    the call turned out to be about, for the log; ``headers`` go with its answer, be it a refusal.
    """

    request: Request
    settings: Settings
    database: Database
    transport: Transport | None
    alarm: Alarm | None
    outlive: Outlive
    parameters: dict[str, str]
    verified: Credential | None = None
    message_ids: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def credential(self) -> Credential:
        if self.verified is None:
            raise LookupError("this route is not guarded by an address credential")
        return self.verified

    @property
    def owner(self) -> Actor:
        """Whose credential it is, as the audit trail names him."""
        return Actor(self.credential.address, self.request.client_ip)
