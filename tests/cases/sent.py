"""Compares a sent mail with the member ``sent`` of a case."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.smtp.mails import Left


@dataclass(frozen=True)
class Sent:
    """A mail as the provider received it, and the sentences on what the relay has changed.

    ``original_words`` returns the words of a header field of the original message.
    """

    mail: Left
    adaptations: Sequence[str] = ()
    original_words: Callable[[str], list[str]] = lambda name: []

    @property
    def headers(self) -> dict[str, str]:
        given = self.mail.form.get("headers", {})
        return {name.lower(): value for name, value in given.items()}

    def addresses(self, *fields: str) -> list[str]:
        return sorted(_split(one)[1] for name in fields for one in self.mail.form.get(name, ()))


def described(mail: Left, shown: dict[str, Any]) -> Left:
    """``mail`` with the types and the Content-IDs of its files. ``shown`` is its detail view.

    The log of wrangler has other members than the binding. So they are those of the sendbox.
    """
    files = [
        {"type": stored["content_type"], "contentId": stored["content_id"], **file}
        for file, stored in zip(mail.form.get("attachments", []), shown["attachments"], strict=True)
    ]
    return replace(mail, form={**mail.form, "attachments": files})


def check_sent(sent: Sent, expected: dict[str, Any]) -> None:
    """Check each member of ``expected``. A member without a check is an error."""
    for name, value in expected.items():
        _CHECKS[name](sent, value)


def _subject(sent: Sent, expected: str) -> None:
    assert sent.mail.form["subject"] == expected


def _from_name(sent: Sent, expected: str | None) -> None:
    assert _split(sent.mail.form["from"])[0] == expected


def _reply_to(sent: Sent, expected: str | None) -> None:
    given = sent.mail.form.get("replyTo")
    assert (given and _split(given)[1]) == expected


def _recipients_in(*fields: str) -> Callable[[Sent, list[str]], None]:
    def check(sent: Sent, expected: list[str]) -> None:
        assert sent.addresses(*fields) == sorted(expected)

    return check


def _names(sent: Sent, expected: dict[str, str]) -> None:
    named = (_split(one) for field in ("to", "cc", "bcc") for one in sent.mail.form.get(field, ()))
    names = {address: name for name, address in named}
    assert {address: names.get(address) for address in expected} == expected


def _text(sent: Sent, expected: str) -> None:
    assert _lines(sent.mail.text) == _lines(expected)


def _html(sent: Sent, expected: str) -> None:
    assert _lines(sent.mail.html) == _lines(expected)


def _text_contains(sent: Sent, expected: list[str]) -> None:
    _check_order(sent.mail.text or "", expected)


def _html_contains(sent: Sent, expected: list[str]) -> None:
    _check_order(sent.mail.html or "", expected)


def _headers(sent: Sent, expected: dict[str, str]) -> None:
    wanted = {name.lower(): value for name, value in expected.items()}
    assert {name: sent.headers.get(name) for name in wanted} == wanted


def _headers_contain(sent: Sent, expected: dict[str, list[str]]) -> None:
    for name, pieces in expected.items():
        for piece in pieces:
            assert piece in sent.headers.get(name.lower(), "")


def _header_max_bytes(sent: Sent, expected: dict[str, int]) -> None:
    for name, limit in expected.items():
        assert len(sent.headers[name.lower()].encode()) <= limit


def _header_words_kept(sent: Sent, expected: list[str]) -> None:
    for name in expected:
        original = iter(sent.original_words(name))
        words = sent.headers[name.lower()].split()
        assert words
        assert all(word in original for word in words), "words are new, or in another order"


def _no_headers(sent: Sent, expected: list[str]) -> None:
    assert {name.lower() for name in expected} & set(sent.headers) == set()


def _attachments(sent: Sent, expected: list[dict[str, Any]]) -> None:
    given = sent.mail.form.get("attachments", [])
    assert len(given) == len(expected), given
    for about, content, wanted in zip(given, sent.mail.attachments, expected, strict=True):
        for member, value in wanted.items():
            _check_attachment(about, content, member, value)


def _check_attachment(about: dict[str, Any], content: bytes, member: str, value: Any) -> None:
    if member == "type":
        assert _media_type(value) <= _media_type(about["type"]), about
    elif member == "filename_re":
        assert re.fullmatch(value, about["filename"]), about
    elif member == "filename_max_bytes":
        assert len(about["filename"].encode()) <= value, about
    elif member == "content_id":
        assert about.get("contentId") == value, about
    elif member == "content_sha256":
        assert hashlib.sha256(content).hexdigest() == value, content[:1000]
    elif member == "size":
        assert len(content) == value
    else:
        assert about[member] == value, about


def _adaptations_contain(sent: Sent, expected: list[str]) -> None:
    for choices in expected:
        found = [
            sentence
            for sentence in sent.adaptations
            if any(choice.lower() in sentence.lower() for choice in choices.split("|"))
        ]
        assert found, f"no sentence with {choices!r} in {sent.adaptations}"


def _adaptations(sent: Sent, expected: list[str]) -> None:
    assert list(sent.adaptations) == expected


def _no_adaptations(sent: Sent, expected: bool) -> None:
    assert expected
    assert list(sent.adaptations) == []


_CHECKS: dict[str, Callable[[Sent, Any], None]] = {
    "subject": _subject,
    "from_name": _from_name,
    "reply_to": _reply_to,
    "to": _recipients_in("to"),
    "cc": _recipients_in("cc"),
    "bcc": _recipients_in("bcc"),
    "recipients": _recipients_in("to", "cc", "bcc"),
    "names": _names,
    "text": _text,
    "html": _html,
    "text_contains": _text_contains,
    "html_contains": _html_contains,
    "headers": _headers,
    "headers_contain": _headers_contain,
    "header_max_bytes": _header_max_bytes,
    "header_words_kept": _header_words_kept,
    "no_headers": _no_headers,
    "attachments": _attachments,
    "adaptations": _adaptations,
    "adaptations_contain": _adaptations_contain,
    "no_adaptations": _no_adaptations,
}


def _split(mailbox: str) -> tuple[str | None, str]:
    """The display name, or None, and the address of ``"Name" <address>`` or ``address``."""
    name, bracket, address = mailbox.rpartition(" <")
    if not bracket:
        return None, mailbox
    return name.removeprefix('"').removesuffix('"'), address.removesuffix(">")


def _lines(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").rstrip("\n")


def _check_order(text: str, pieces: list[str]) -> None:
    start = 0
    for piece in pieces:
        start = text.index(piece, start) + len(piece)


def _media_type(written: str) -> set[str]:
    """The type and the parameters of ``written``, without quotes."""
    return {part.strip().replace('"', "").lower() for part in written.split(";")}
