"""The TLS certificate: loaded at start, and again when its files change."""

import asyncio
import ssl
from pathlib import Path

from smtp_relay.log import log
from smtp_relay.settings import SettingsError

_CHECK_SECONDS = 1.0


class Certificate:
    """A certificate with its key. A reload changes ``context`` and does not replace it."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Load the certificate.

        :raises SettingsError: the files are not a certificate and its key.
        """
        self._files = (cert, key)
        self._seen = self._state()
        try:
            self.context = self._load(new_context())
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"SMTP_TLS_CERT={cert} and SMTP_TLS_KEY={key} are not a certificate in PEM format "
                f"and its key without a passphrase: {error}"
            ) from error

    async def follow(self) -> None:
        """Reload the files whenever they change, until the task is cancelled."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            self.reload_if_changed()

    def reload_if_changed(self) -> None:
        """Reload the files if they have changed. If they are invalid, keep the old certificate."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            # Try a new context first: a failed load makes a context unusable.
            self._load(new_context())
            self._load(self.context)
        except (OSError, ValueError) as error:
            log("certificate_rejected", problem=str(error))
        else:
            log("certificate_reloaded")

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        cert, key = self._files
        # Without a callback OpenSSL would ask for the passphrase on the terminal.
        context.load_cert_chain(cert, key, password=lambda: "")
        return context

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in self._files]


def new_context() -> ssl.SSLContext:
    """A context for a server with TLS 1.2 or newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
