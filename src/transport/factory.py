"""Make the transports of a deployment from their configurations. Each loads only if it is used."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from transport.outcome import RESPONSE_SECONDS, Transport
from transport.posting import Response
from transport.routing import ResendConfig, SesConfig, SmtpConfig, TransportConfig

if TYPE_CHECKING:
    from transport.smtp_submission import Connect

_MAX_RESPONSE_BYTES = 64 * 1024


class Fetch(Protocol):
    """Sends a POST request, as ``services.Fetch`` does."""

    def __call__(
        self, url: str, headers: dict[str, str], body: bytes | None, *, seconds: int, most: int
    ) -> Awaitable[Response]: ...


def make_transport(
    config: TransportConfig,
    key: str,
    *,
    fetch: Fetch,
    connect: "Connect",
    clock: Callable[[], int],
) -> Transport:
    """The transport with this configuration, for one message.

    :param key: the id of the message.
    :param fetch: sends requests.
    :param connect: connects with SMTP servers.
    :param clock: the time in Unix milliseconds.
    """

    def post(url: str, headers: dict[str, str], body: bytes) -> Awaitable[Response]:
        return fetch(url, headers, body, seconds=RESPONSE_SECONDS, most=_MAX_RESPONSE_BYTES)

    match config:
        case ResendConfig():
            from transport.resend import ResendTransport

            return ResendTransport(config, key, post)
        case SmtpConfig():
            from transport.smtp_submission import SmtpTransport

            return SmtpTransport(config, key, connect, clock)
        case SesConfig():
            from transport.ses import SesTransport

            return SesTransport(config, key, post, clock)
