"""The operations, one file a resource, in the order in which the page shows them.

Whoever adds a route adds its operation to one of these files, or a file with the next resource.
"""

from tools.openapi.operation import Operation
from tools.openapi.operations import (
    addresses,
    administration,
    emails,
    health,
    logins,
    sendbox,
    sending,
    settings,
    usage,
)

# By tag: its name, and what it is about.
TAGS = {
    "Addresses": "Mail addresses, and the credentials that go with them.",
    "Sending": "Mail that leaves.",
    "Sendbox": "What an address has sent, what became of it, and sending it again.",
    "Emails": "The API of Resend, so that its official SDKs work here: give them this service as "
    "base URL, and an address credential as API key. What can't be honoured here is refused.",
    "Administration": "Running it for others: addresses, balances, lists, limits, who did what.",
    "Deployment": "What clients may know of this deployment.",
}

OPERATIONS: tuple[Operation, ...] = (
    *addresses.OPERATIONS,
    *logins.OPERATIONS,
    *sending.OPERATIONS,
    *sendbox.OPERATIONS,
    *emails.OPERATIONS,
    *administration.OPERATIONS,
    *usage.OPERATIONS,
    *settings.OPERATIONS,
    *health.OPERATIONS,
)
