"""The mails that the provider's stand-in has taken, kept outside of the processes under test."""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.faults.listener import Listener


class Ledger(Listener):
    """Writes each mail posted to it to disk before it responds."""

    def __init__(self) -> None:
        super().__init__()
        self._file = tempfile.NamedTemporaryFile("ab", buffering=0, suffix=".ledger")  # noqa: SIM115

    def close(self) -> None:
        """Stop listening, and remove the file."""
        super().close()
        self._file.close()

    def response_body(self, posted: bytes) -> bytes:
        """Append the mail ``posted`` to the file as one line, in one write."""
        self._file.write(json.dumps(json.loads(posted)).encode() + b"\n")
        return b""

    @property
    def mails(self) -> list[dict[str, Any]]:
        """All mails taken so far, oldest first."""
        return [json.loads(line) for line in Path(self._file.name).read_bytes().splitlines()]

    def mails_of(self, address: str) -> list[dict[str, Any]]:
        """The mails taken from the sender ``address``."""
        return [mail for mail in self.mails if address in json.dumps(mail["from"])]
