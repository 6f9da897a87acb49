"""One call of the API: what its handler works with."""

from dataclasses import dataclass

from accounts.credentials import Credential
from delivery import Outlive
from runtime.d1 import D1Database
from runtime.request import Request
from settings import Settings
from transport.outcome import Transport


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed its guard.

    ``credential`` is there for routes guarded by an address credential; its signature is checked,
    its row is not. ``transport`` is None where no way to send is configured.
    """

    request: Request
    settings: Settings
    database: D1Database
    transport: Transport | None
    outlive: Outlive
    verified: Credential | None = None

    @property
    def credential(self) -> Credential:
        if self.verified is None:
            raise LookupError("this route is not guarded by an address credential")
        return self.verified
