"""Generated messages with odd parts: each is sent with all its content, or rejected with a reason.

What differs from the parts of the message has a sentence. The API accepts each request.
"""

import base64
import contextlib
import json
import re
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_relay.message.adaptations import MAX_SENTENCES
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay
from tests.smtp.real_mails import RECIPIENTS, Leaf, RealMail, real_mail
from tests.smtp.test_same_judgement import composed

SENDER = "app@example.com"


def converted(mail: RealMail, *, is_strict: bool = False) -> Request:
    return convert(mail.content, RECIPIENTS, sender=SENDER, max_hops=30, is_strict=is_strict)


def check_complete(mail: RealMail, request: Request) -> None:
    """Check that each part is in the request, or that a sentence tells that it was left out."""
    body = json.loads(request.body)
    files = [base64.b64decode(file["content"]) for file in body.get("attachments", ())]
    shown = body.get("text", "") + body.get("html", "")
    missing = [
        leaf
        for leaf in mail.leaves
        if leaf.word not in shown and not any(leaf.word.encode() in file for file in files)
    ]
    assert len(missing) <= request.adaptations.counts["left_out"]
    whole = [leaf for leaf in mail.leaves if leaf.kind == "file" and leaf not in missing]
    for leaf in whole:
        assert leaf.word in shown or any(leaf.content in file for file in files)


# The request has other members for these, or the provider writes its own.
READ = {"message-id", "received", "reply-to", "return-path", "sender"}


def check_fields(mail: RealMail, body: dict[str, Any], sentences: list[str]) -> None:
    """Check that each field is in the request, or that one sentence tells that it was left out."""
    headers = {_bare(name): value for name, value in body.get("headers", {}).items()}
    sentences = [sentence for sentence in sentences if not sentence.startswith("Part ")]
    for line in mail.fields:
        name, _, value = line.decode("latin-1").partition(": ")
        about = [sentence for sentence in sentences if name in re.split("[ :]", sentence)]
        if not value or name.lower() in READ or any(" fields left out" in one for one in about):
            continue
        sent = headers.get(_bare(name), headers.get(f"x-{_bare(name)}"))
        if any(f"{name} left out" in one for one in about):
            assert len(about) == 1, about
            assert sent is None or not name.startswith("X-"), (name, sent)
        else:
            assert sent is not None, (name, sentences)
            assert about or value.lower() == sent.lower()


def _bare(name: str) -> str:
    return re.sub("[._]", "-", name.lower())


def check_content_ids(mail: RealMail, body: dict[str, Any], sentences: list[str]) -> None:
    """Check that each Content-ID is in the request, or that a sentence tells what became of it."""
    for file in body.get("attachments", ()):
        content = base64.b64decode(file["content"])
        for leaf in mail.leaves:
            if leaf.content_id and leaf.content and leaf.content == content:
                is_kept = file.get("content_id") == leaf.content_id
                assert is_kept or any("Content-ID of" in one for one in sentences)


def check_unchanged(leaves: list[Leaf], body: dict[str, Any]) -> None:
    """Check that each part is where it belongs, with its name."""
    attachments = body.get("attachments", [])
    files = [leaf for leaf in leaves if leaf.kind == "file"]
    assert [base64.b64decode(file["content"]) for file in attachments] == [
        leaf.content for leaf in files
    ]
    for file, leaf in zip(attachments, files, strict=True):
        assert leaf.name in (None, file["filename"])
    for kind in ("text", "html"):
        words = [leaf.word for leaf in leaves if leaf.kind == kind]
        assert len(words) <= 1
        assert all(word in body[kind] for word in words)


@given(st.randoms(use_true_random=False))
@settings(max_examples=400)
def test_a_mail_is_sent_complete_or_rejected_with_a_reason(random: Random) -> None:
    mail = real_mail(random)
    request = converted(mail)
    body = json.loads(request.body)
    sentences = body.pop("adaptations", [])
    assert sentences == request.adaptations.sentences()
    assert all(sentence and len(sentence) <= 200 for sentence in sentences)
    recipients = composed(body, SENDER).recipients
    assert {str(recipient.address) for recipient in recipients} == set(RECIPIENTS)
    check_complete(mail, request)
    if len(sentences) < MAX_SENTENCES:
        check_fields(mail, body, sentences)
        check_content_ids(mail, body, sentences)
    if not sentences:
        check_unchanged(mail.leaves, body)


@given(st.randoms(use_true_random=False))
def test_a_strict_relay_changes_only_what_has_a_sentence(random: Random) -> None:
    mail = real_mail(random)
    with contextlib.suppress(CannotRelay):
        request = converted(mail, is_strict=True)
        check_complete(mail, request)
