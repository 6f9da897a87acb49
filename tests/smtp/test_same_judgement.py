"""The relay and the API judge names and headers in the same way.

What the relay makes of a header, the API accepts. What the API accepts, the relay does not change.
"""

import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from errors import BadRequest
from mail import characters, mailbox
from mail import headers as api_headers
from mail import joiners as api_joiners
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import SendMail
from mail.limits import MAX_SUBJECT_CHARACTERS
from mail.message import Message
from sending import submission
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.convert import convert
from smtp_relay.message.errors import CannotRelay
from smtp_relay.message.header_text import header_text
from smtp_relay.message.headers import MAX_KEY_CHARACTERS, OMITTED
from smtp_relay.message.rules import headers, joiners, names, texts, values

SENDER = "sender@example.com"
POLICY = SenderPolicy(domains=("example.com",), binding_domains=())
TO = ("recipient@example.net",)

# Characters and pieces that one of the two sides treats in a special way.
ODD = [
    *("\u200d", "\u200c", "\ufe0f", "\u200f", "\u202e", "\ufeff", "\u00ad", "\U000e0041", "\u2028"),
    *("\x00", "\t", "\r\n", "\n", "\x7f", "\x85", " ", "\u00a0", "\u3000", "@", "\uff20", "."),
    *("\u3002", "<", ">", '"', ",", "(", "\\", "=?utf-8?q?a?=", "=?é?b?a?=", "a@b.example", SENDER),
    *("\u0dca", "\u094d", "\u0645", "\u0646", "\u064b", "\U0001f469", "\U0001f3fd", "\u2764"),
    *("\U0001f525", "\U0001f1e6", "a", "B", "é", "\u0301", "中", "x" * 70),
]
ODD_TEXTS = st.lists(st.sampled_from(ODD), max_size=8).map("".join)
TEXTS = ODD_TEXTS | st.text(max_size=12)


def api_name(name: str) -> str | None:
    """The name that the API makes of ``name``.

    :raises InvalidName: the API rejects it.
    """
    return mailbox.display_name(name)


@given(TEXTS)
@example("a\u200d" * 150)
@example("\u0646" + "\u200c\u0646" * 120)
@example("a" * 201)
@example("a\u200bb")
def test_the_api_accepts_each_name_of_the_relay(name: str) -> None:
    found = names.display_name(name, "To", Adaptations())
    assert api_name(found or "") == found


@given(TEXTS)
@example("a" * 200)
@example("\U0001f469\U0001f3fd\u200d\u2764\ufe0f\u200d\U0001f525")
def test_the_relay_keeps_each_name_that_the_api_accepts(name: str) -> None:
    try:
        expected = api_name(name)
    except mailbox.InvalidName:
        return
    adaptations = Adaptations()
    assert names.display_name(name, "To", adaptations) == expected
    assert adaptations.sentences() == []


@given(TEXTS, st.sampled_from([SENDER, "a@b.example"]))
def test_the_same_names_show_another_address(name: str, own: str) -> None:
    assert names.shows_other_address(name, own) == characters.shows_other_address(name, own)


def test_the_limits_are_the_same() -> None:
    assert names.MAX_NAME_CHARACTERS == mailbox.MAX_NAME_CHARACTERS
    assert texts.MAX_SUBJECT_CHARACTERS == MAX_SUBJECT_CHARACTERS
    assert values.MAX_VALUE_BYTES == api_headers.MAX_VALUE_BYTES
    assert headers.MAX_HEADERS == api_headers.MAX_HEADERS
    assert headers.MAX_NAME_BYTES == api_headers.MAX_NAME_BYTES
    assert headers.MAX_TOTAL_BYTES == api_headers.MAX_TOTAL_BYTES
    assert MAX_KEY_CHARACTERS == submission._MAX_KEY_CHARACTERS


def test_the_lists_are_the_same() -> None:
    assert headers.ACCEPTED == api_headers._ALLOWED
    assert values.RESTRICTED == api_headers._VALUES
    assert joiners._PICTOGRAPHIC == api_joiners._PICTOGRAPHIC


# Whole headers

NAMES = st.one_of(
    st.sampled_from(sorted(headers.ACCEPTED)),
    st.sampled_from(
        [
            *("From", "To", "Cc", "Bcc", "Sender", "Reply-To", "Subject", "Message-ID", "Date"),
            *("Reply_To", "List_Id", "Message.ID", "X_a", "X-a.b", "X-", "x--", "X", "X-A", "x-a"),
            *("User-Agent", "X-User-Agent", "Resent-To", "ARC-Seal", "msip_labels", "X400-Content"),
            *("X-Original-From", "X-Original-Message-ID", "X-References", "Idempotency-Key"),
            *("Disposition-Notification-To", "Errors-To", "Content-MD5", "!", "a" * 99, "b" * 100),
            *("x-" + "c" * 98, "x-" + "d" * 99),
        ]
    ),
    st.text(alphabet="aX-_.!", min_size=1, max_size=4),
)
VALUES = st.one_of(
    st.sampled_from(
        [
            *("", " ", "bulk", "Bulk;", "auto-generated (cron)", "HIGH", "medium"),
            *("=?utf-8?q?=20?=", "normal"),
            *("<https://a.example/u>", "<http://a.example/u>, <mailto:u@a.example>", "<mailto:>"),
            *("https://a.example/u", "(x) <HTTPS://a.example/ u >", "List-Unsubscribe=One-Click"),
            *("list-unsubscribe = one-click", "<1@x> <2@x>", "<1@x>" * 600, "<1@x>\t" * 600),
            *("x" * 2048, "x" * 2049, "é" * 1025, "<" + "1" * 2048 + "> <2@x>", "1@x " * 513),
            *("root (Cron Daemon)", "root@nas", "a@b.example, c@d.example", "A <a@b.example>"),
            *("<a@b.example> <c@d.example>", '"A <a@b.example>', "undisclosed:;", '"q"@b.example'),
            *("=?utf-8?q?a=0D=0AX-Evil:_b?=", "=?x?q?=FF?=", "=?utf-8?b?!?=", "=?utf-8?q?=F0?="),
        ]
    ),
    TEXTS.map(lambda text: text.replace("\r", "").replace("\n", "").replace("\0", "")),
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=12)
MANY = st.lists(st.tuples(NAMES, st.sampled_from(["x" * 1500, "a", "normal"])), max_size=60)


def message(fields: list[tuple[str, str]]) -> bytes:
    lines = [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*lines, "", "text"]).encode(errors="replace")


def converted(fields: list[tuple[str, str]], *, is_strict: bool = False) -> dict[str, Any]:
    request = convert(message(fields), TO, sender=SENDER, max_hops=30, is_strict=is_strict)
    body: dict[str, Any] = json.loads(request.body)
    return body


def composed(body: dict[str, Any], sender: str = SENDER) -> Message:
    """The message that the API would send.

    :raises BadRequest: the API rejects it.
    """
    fields = msgspec.convert(body, SendMail)
    return compose(fields, Origin(address=sender, name=fields.from_name), POLICY)


@given(FIELDS | MANY)
@example([(name, "x" * 1500) for name in headers.ACCEPTED if name not in values.RULES])
@example([*((name, "a") for name in sorted(headers.ACCEPTED)), ("X-Thread-Topic", "b")])
@example([("List-Unsubscribe", "<http://a.example>"), ("List-Unsubscribe-Post", "a")])
@example([("From", "a" * 300 + " <root@nas>"), ("X-Original-From", "b")])
@example([("Message-ID", "<" + "1" * 3000 + ">")])
def test_the_api_accepts_each_header_of_the_relay(fields: list[tuple[str, str]]) -> None:
    body = converted(fields)
    composed(body)
    assert body.get("to", []) + body.get("bcc", []) == [{"email": TO[0]}]
    for sentence in body.get("adaptations", ()):
        assert sentence.isprintable()
    check_that_nothing_is_lost(fields, body)


def check_that_nothing_is_lost(fields: list[tuple[str, str]], body: dict[str, Any]) -> None:
    """Each field is in the request, or a sentence names it."""
    sentences = " ".join(body.get("adaptations", ())).lower()
    sent = " ".join(body.get("headers", {}).values()).lower()
    for name, value in fields:
        is_named = name.lower()[:40] in sentences or "more changes" in sentences
        if name.lower() not in OMITTED and not is_named:
            text = header_text(value.encode(errors="replace"), name, Adaptations())
            bare = text.strip().strip(" ;" if name.lower() in values.RESTRICTED else None)
            kept = "".join(bare.split()) if name.lower() == "list-unsubscribe-post" else bare
            assert kept.lower() in sent


@given(FIELDS)
def test_a_strict_relay_changes_nothing(fields: list[tuple[str, str]]) -> None:
    try:
        strict = converted(fields, is_strict=True)
    except CannotRelay:
        return
    assert "adaptations" not in strict
    body = converted([*fields, ("Subject", "a")] if not strict["subject"] else fields)
    for name in ("X-Original-Message-ID", "X-Original-From"):
        body.get("headers", {}).pop(name, None)
        strict.get("headers", {}).pop(name, None)
    assert body.get("headers", {}) == strict.get("headers", {})
    for name in ("from_name", "reply_to", "subject", "to", "cc", "bcc"):
        assert body.get(name) == strict.get(name)


PLAIN_VALUES = st.one_of(
    st.sampled_from(["bulk", "high", "normal", "x" * 2048, "<https://a.example/u>", "<1@x> <2@x>"]),
    st.sampled_from(["<mailto:a@b.example>, <https://c.example>", "List-Unsubscribe=One-Click"]),
    st.text(alphabet="aé中 \u200d<>@.,", max_size=8).map(str.strip),
)
PLAIN_NAMES = st.sampled_from(sorted(headers.ACCEPTED)) | st.text(alphabet="xX-_a1", max_size=4)


@given(st.dictionaries(PLAIN_NAMES, PLAIN_VALUES, max_size=25))
@example(dict.fromkeys(sorted(headers.ACCEPTED - set(values.RULES)), "a"))
def test_the_relay_keeps_each_header_that_the_api_accepts(given_headers: dict[str, str]) -> None:
    try:
        api_headers.read_headers(given_headers)
    except BadRequest:
        return
    body = converted([("Subject", "a"), *given_headers.items()])
    assert body.get("headers", {}) == given_headers
    assert "adaptations" not in body
