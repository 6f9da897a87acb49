"""Conversion of generated messages: every part is converted, or the error names it.

A relay that is not strict converts these parts too, see ``test_real_mails.py``.
"""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay
from tests.smtp.generated import File, Mail, generated


def converted(
    content: bytes,
    recipients: tuple[str, ...] = ("recipient@example.net",),
    *,
    is_strict: bool = False,
) -> Request:
    return convert(
        content, recipients, sender="sender@example.com", max_hops=30, is_strict=is_strict
    )


def body_of(content: bytes, *recipients: str) -> dict[str, Any]:
    request = converted(content, recipients or ("recipient@example.net",))
    body: dict[str, Any] = json.loads(request.body)
    return body


def check_file(found: dict[str, Any], expected: File) -> None:
    assert base64.b64decode(found["content"]) == expected.content
    assert found["content_type"] == expected.kind
    assert found.get("content_id") == expected.content_id
    if expected.name is None:
        is_calendar = expected.kind.startswith("text/calendar")
        assert found["filename"].startswith("invite.ics" if is_calendar else "part-")
    else:
        assert found["filename"] == expected.name


def check_mail(mail: Mail) -> None:
    if mail.error is not None:
        with pytest.raises(CannotRelay) as caught:
            converted(mail.content, is_strict=True)
        assert mail.error in str(caught.value)
        return
    for is_strict in (False, True):
        request = converted(mail.content, is_strict=is_strict)
        check_body(mail, json.loads(request.body))
        sentences = request.adaptations.sentences()
        # Only a text of another type is noted: mail programs would show it.
        noted = [one for one in sentences if one.startswith("text/") and " attached as " in one]
        assert sentences == ([] if is_strict else noted)


def check_body(mail: Mail, body: dict[str, Any]) -> None:
    assert body["subject"] == mail.subject
    without_any = not mail.text and not mail.html
    assert body["text"] == ("\r\n" if without_any else mail.text or "")
    assert body.get("html") == mail.html
    assert len(body.get("attachments", ())) == len(mail.files)
    for found, expected in zip(body.get("attachments", ()), mail.files, strict=True):
        check_file(found, expected)


@pytest.mark.parametrize("hundred", range(20))
def test_every_part_is_converted(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * (hundred + 1)):
        try:
            check_mail(generated(seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


@given(st.binary(max_size=300))
def test_conversion_of_random_bytes_raises_no_other_error(content: bytes) -> None:
    with contextlib.suppress(CannotRelay):
        converted(content)


@given(st.integers(0, 300), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), max_size=6))
def test_conversion_of_a_changed_mail_raises_no_other_error(
    seed: int, changes: list[tuple[float, bytes]]
) -> None:
    content = generated(seed).content
    for place, other in changes:
        at = int(place * len(content))
        content = content[:at] + other + content[at + len(other) // 2 :]
    with contextlib.suppress(CannotRelay):
        converted(content)
