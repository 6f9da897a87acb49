"""The cases of the relay, read from their files."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SENDER = "app"  # at example.com
_FOLDER = Path(__file__).parent / "relay"
_PLACEHOLDER = b"@@"

NAMES = sorted(path.stem for path in _FOLDER.glob("*.json"))


@dataclass(frozen=True)
class Case:
    """One message, and what must come of it: the members of its JSON file."""

    content: bytes
    members: dict[str, Any]

    def original_words(self, name: str) -> list[str]:
        """The words of the header field ``name`` of the message."""
        header = self.content.partition(b"\r\n\r\n")[0]
        unfolded = header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").decode("latin-1")
        fields = (line.partition(":") for line in unfolded.split("\r\n"))
        return [
            word
            for key, _, value in fields
            if key.lower() == name.lower()
            for word in value.split()
        ]


def read_case(name: str) -> Case:
    """The case ``name``, with a new word for the placeholder."""
    word = secrets.token_hex(4).encode()
    content, members = (
        (_FOLDER / f"{name}.{ending}").read_bytes().replace(_PLACEHOLDER, word)
        for ending in ("eml", "json")
    )
    return Case(content, json.loads(members))
