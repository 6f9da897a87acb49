"""Attachments, and the rule for alternatives that are attached twice."""

import base64
import hashlib
from dataclasses import dataclass

from smtp_relay.message.adaptations import Adaptations, shown
from smtp_relay.message.errors import Unsupported

_EMPTY = hashlib.sha256().digest()


@dataclass(slots=True)
class File:
    """An attachment. ``content`` is base64. ``digest`` is that of the content without its end.

    ``is_attached`` says that the message declares it as an attachment, ``is_alternative`` that it
    is an alternative to the text, and ``has_name`` that the message names it. ``noted`` are the
    changes of this file.
    """

    filename: str
    content_type: str
    content: str
    digest: bytes
    content_id: str | None
    is_attached: bool
    is_alternative: bool
    has_name: bool
    noted: Adaptations

    def fields(self) -> dict[str, str]:
        """The attachment in the form of the API."""
        fields = {
            "filename": self.filename,
            "content_type": self.content_type,
            "content": self.content,
        }
        return fields | ({"content_id": self.content_id} if self.content_id else {})


def file_with(
    content: bytes,
    filename: str,
    content_type: str,
    noted: Adaptations,
    *,
    content_id: str | None = None,
    is_attached: bool = True,
    is_alternative: bool = False,
    has_name: bool = False,
) -> File:
    """The file with this ``content``. The other arguments are its fields."""
    return File(
        filename,
        content_type,
        base64.b64encode(content).decode("ascii"),
        hashlib.sha256(content.rstrip(b"\r\n")).digest(),
        content_id,
        is_attached,
        is_alternative,
        has_name,
        noted,
    )


def without_copies(files: list[File], adaptations: Adaptations) -> list[File]:
    """``files`` without those that an alternative repeats, as in invitations to an event.

    :raises Unsupported: the relay is strict, and the rule applies.
    """
    kept: list[File] = []
    alternatives: dict[bytes, File] = {}
    seen: dict[bytes, File] = {}
    for file in files:
        first = (seen if file.is_alternative else alternatives).get(file.digest)
        if first is None or file.digest == _EMPTY or _has_own_id(file, first):
            kept.append(file)
            adaptations.include(file.noted)
            seen.setdefault(file.digest, file)
            if file.is_alternative:
                alternatives[file.digest] = file
            continue
        sentence = f"Second file with the content of {shown(first.filename)} left out"
        if file.has_name and not first.has_name:
            if file.filename != first.filename:
                sentence += f", and its name kept: {shown(file.filename)}"
            first.filename, first.has_name = file.filename, True
            adaptations.include(file.noted)  # such as the changes of this name
        # The HTML may show the copy.
        first.content_id = first.content_id or file.content_id
        adaptations.add("left_out", sentence, Unsupported(f"{file.filename} is repeated"))
    return kept


def _has_own_id(file: File, first: File) -> bool:
    """Whether the HTML may show both files."""
    ids = {file.content_id, first.content_id} - {None}
    return len(ids) > 1
