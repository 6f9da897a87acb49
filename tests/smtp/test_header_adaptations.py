"""What the relay changes in the header of a message, and the sentence for each change.

``tests/cases/relay`` has whole messages.
"""

import json
from typing import Any

import pytest

from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay

SENDER = "sender@example.com"  # the credential's address
TO = "recipient@example.net"


def request(*fields: str, is_strict: bool = False) -> Request:
    """The request for a message with these ``fields``, and To and Subject if they have none."""
    names = {field.partition(":")[0].lower() for field in fields}
    usual = {"to": f"To: {TO}", "subject": "Subject: A subject"}
    lines = [*(field for name, field in usual.items() if name not in names), *fields]
    content = "\r\n".join([*lines, "", "text"]).encode()
    return convert(content, [TO], sender=SENDER, max_hops=30, is_strict=is_strict)


def body_of(*fields: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request(*fields).body)
    return body


def check(fields: list[str], expected: dict[str, Any], sentences: list[str]) -> None:
    """Check ``expected`` members of the request, and ``sentences``. They fail a strict relay."""
    body = body_of(*fields)
    assert {name: body.get(name) for name in expected} == expected
    assert body.get("adaptations", []) == sentences
    if sentences:
        with pytest.raises(CannotRelay):
            request(*fields, is_strict=True)


def check_beginnings(body: dict[str, Any], beginnings: list[str]) -> None:
    """Check that the request has as many sentences, which begin like this."""
    found = body.get("adaptations", [])
    assert len(found) == len(beginnings), found
    assert all(map(str.startswith, found, beginnings)), found


# From, Sender and Reply-To


@pytest.mark.parametrize(
    "original",
    [
        *("root@nas", "webmaster@localhost", "Box <box@[192.0.2.7]>", "a@-b.example", "a@b.1"),
        *("Ä <ä@b.example>", '"a b"@c.example', "Nightly <>", "a@b_c.example"),
    ],
)
def test_from_without_an_address_for_replies(original: str) -> None:
    body = body_of(f"From: {original}")
    assert (body.get("reply_to"), body["headers"]) == (None, {"X-Original-From": original})
    sentence = "From kept as X-Original-From: replies can't go to its address"
    assert body["adaptations"] == [sentence]


def test_from_without_any_address() -> None:
    """A strict relay accepts it too, because the API gets nothing of it."""
    fields = ["From: =?utf-8?q?J=C3=BCrgen?= (Backup)"]
    body = body_of(*fields)
    assert body["from_name"] == "Backup"
    assert body["headers"] == {"X-Original-From": "Jürgen (Backup)"}
    assert len(body["adaptations"]) == 1
    assert "headers" not in json.loads(request(*fields, is_strict=True).body)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("Me <me@else.example>", {"email": "me@else.example", "name": "Me"}),
        ('"me"@else.example', {"email": "me@else.example"}),
        ("me@bücher.example", {"email": "me@xn--bcher-kva.example"}),
    ],
)
def test_a_foreign_from_becomes_reply_to_without_a_sentence(
    original: str, expected: dict[str, str]
) -> None:
    check([f"From: {original}"], {"reply_to": [expected], "headers": None}, [])


@pytest.mark.parametrize(
    ("given", "reply_to", "sentences"),
    [
        ("a@b.example, c@d.example", "a@b.example", ["All but the first valid address"]),
        ("root@nas, c@d.example", "c@d.example", ["All but the first valid address"]),
        ("root@nas, x@localhost", "me@else.example", ["All invalid addresses"]),
        ("noreply", "me@else.example", ["Reply-To left out: its address is not valid"]),
        ("a@b.example, <A@B.example>", "a@b.example", []),
        ("A <a@b.example> <c@d.example>", "me@else.example", ["Reply-To left out: it is not a"]),
        ("a@b.example, (", "a@b.example", ["The rest of Reply-To left out: it is not a"]),
        ("undisclosed:;", "me@else.example", []),
        ("Desk a@b.example", "a@b.example", ["Reply-To read with the missing angle brackets"]),
        (
            "a@b.example c@d.example",
            "a@b.example",
            ["Reply-To read with the missing commas", "All but the first valid address"],
        ),
        ("Acme, Inc. <a@b.example>", "a@b.example", ["Commas in Reply-To read as part"]),
        ("Re: orders <a@b.example>", "a@b.example", ["Colons in Reply-To read as part"]),
        ("<mailto:a@b.example>", "a@b.example", ["mailto: in Reply-To left out"]),
        ("", "me@else.example", []),
    ],
)
def test_reply_to(given: str, reply_to: str, sentences: list[str]) -> None:
    body = body_of("From: me@else.example", f"Reply-To: {given}")
    if reply_to != "me@else.example":
        sentences = [*sentences, "From kept as X-Original-From: replies go to Reply-To"]
        assert body["headers"] == {"X-Original-From": "me@else.example"}
    assert [mailbox["email"] for mailbox in body["reply_to"]] == [reply_to]
    check_beginnings(body, sentences)


def test_reply_to_in_two_fields() -> None:
    check(
        ["Reply-To: a@b.example", "Reply-To: c@d.example"],
        {"reply_to": [{"email": "a@b.example"}]},
        ["All but the first valid address in Reply-To left out"],
    )
    check(["Reply-To: a@b.example"], {"reply_to": [{"email": "a@b.example"}]}, [])


@pytest.mark.parametrize(
    ("fields", "name", "sentences"),
    [
        (
            [f"From: A <{SENDER}>, B <b@else.example>"],
            "A",
            ["All but the first sender in From left out"],
        ),
        (
            [f"From: A <{SENDER}>", "From: b@else.example"],
            "A",
            ["All but the first sender in From left out"],
        ),
        (
            [f"From: Acme, Inc. <{SENDER}>"],
            "Acme, Inc.",
            ["Commas in From read as part of the name"],
        ),
        (
            [f'From: Build 7: "a, b" <{SENDER}>'],
            "Build 7: a, b",
            ["Colons in From read as part of the name"],
        ),
        (
            [f"From: x; y <{SENDER}>"],
            "x; y",
            ["Semicolons in From read as part of the name"],
        ),
        (
            [f"From: =?utf-8?q?Acm=C3=A9?=, Tools, Inc. <{SENDER}>"],
            "Acmé, Tools, Inc.",
            ["Commas in From read as part of the name"],
        ),
        (
            [f"From: A <{SENDER}>, ("],
            "A",
            ["The rest of From left out: it is not a list"],
        ),
    ],
)
def test_several_senders(fields: list[str], name: str | None, sentences: list[str]) -> None:
    body = body_of(*fields)
    assert (body.get("from_name"), body.get("reply_to")) == (name, None)
    check_beginnings(body, sentences)


@pytest.mark.parametrize(
    "sender", ["agent@else.example", "www-data <www-data@web1>", "A <a@b.example> <c@d.example>"]
)
def test_a_sender_other_than_from_is_left_out(sender: str) -> None:
    body = body_of(f"From: Me <{SENDER}>", f"Sender: {sender}")
    assert (body["from_name"], body.get("headers")) == ("Me", None)
    check_beginnings(body, ["Sender left out: it "])


def test_a_strict_relay_rejects_only_a_bad_address_in_from() -> None:
    with pytest.raises(CannotRelay, match="The address in From is not valid"):
        request("From: Box <a@b_c.example>", is_strict=True)
    good = request("From: me@else.example", "Reply-To: a@b.example", is_strict=True)
    assert "headers" not in json.loads(good.body)


def test_a_sender_that_is_in_from_or_alone() -> None:
    body = body_of("From: me@else.example", "Sender: Me <ME@else.example>")
    assert "adaptations" not in body
    check([f"Sender: {SENDER}"], {"headers": None}, [])
    check_beginnings(body_of("Sender: a@else.example"), ["Sender left out: it "])


def test_the_first_of_two_from_fields_is_kept_with_any_bytes() -> None:
    content = b"From: a\xfc@web1\r\nFrom: b@web1\r\nSubject: A subject\r\n\r\ntext"
    body = json.loads(convert(content, [TO], sender=SENDER, max_hops=30).body)
    assert body["headers"]["X-Original-From"] == "aü@web1"


# Names


@pytest.mark.parametrize(
    ("name", "expected", "sentence"),
    [
        ("\u200fדנה", "דנה", "Invisible characters of a name in To left out"),
        ("a\u200bb\u202ec", "abc", "Invisible characters of a name in To left out"),
        ("a\u200db", "ab", "Invisible characters of a name in To left out"),
        ("\u0378\u200db", "\u0378b", "Invisible characters of a name in To left out"),
        ("a\u3164b", "ab", "Invisible characters of a name in To left out"),
        ("\u200b", None, "Invisible characters of a name in To left out"),
        ("=?utf-8?q?two=0D=0Alines=09?=", "two lines", "Line ends and tabs in a name in To"),
        ("=?utf-8?q?a=00b=C2=9F?=", "ab", "Control characters in a name in To left out"),
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=", None, "A name in To left out: it is encoded"),
        ("x" * 201, "x" * 200, "A name in To shortened to 200 characters"),
        ("m" * 199 + "\u0646\u200c\u0646", "m" * 199 + "\u0646", "A name in To shortened to 200"),
    ],
)
def test_names(name: str, expected: str | None, sentence: str) -> None:
    body = body_of(f"To: {name} <{TO}>")
    assert body["to"][0].get("name") == expected
    check_beginnings(body, [sentence])


@pytest.mark.parametrize(
    "name",
    [
        "Night shift 👩‍🚒",
        "👩🏽‍❤️‍👩🏻",
        "🏳️‍🌈",
        "می‌خواهم",  # Persian, with a non-joiner between joining letters
        "ශ්‍රී ලංකා",  # Sinhala, with a joiner after a virama
        "क्‍ष",
        'Zoë O\'Neil, \\"Z\\"',
        *("x" * 200, "é" * 200, "ن\u200cن"),
    ],
)
def test_names_that_stay(name: str) -> None:
    expected = name.replace("\\", "")
    quoted = f'"{name}" <{TO}>'
    check([f"To: {quoted}"], {"to": [{"email": TO, "name": expected}]}, [])


def test_a_name_that_shows_another_address() -> None:
    check(
        [f'From: "Visitor visitor@else.example" <{SENDER}>'],
        {"from_name": None},
        ["The name in From left out: it shows another address"],
    )
    check([f'From: "Me ({SENDER})" <{SENDER}>'], {"from_name": f"Me ({SENDER})"}, [])


# Subject

NO_SUBJECT = 'Empty Subject replaced by "(no subject)"'


@pytest.mark.parametrize(
    ("given", "expected", "sentences"),
    [
        ("", "(no subject)", [NO_SUBJECT]),
        ("=?utf-8?q?=20?=", "(no subject)", [NO_SUBJECT]),
        (
            "=?utf-8?q?=0A?=",
            "(no subject)",
            ["Line ends and tabs in Subject replaced by spaces", NO_SUBJECT],
        ),
        (
            "=?utf-8?q?a=0D=0AX-Evil:_b?=",
            "a X-Evil: b",
            ["Line ends and tabs in Subject replaced by spaces"],
        ),
        ("a\x07b", "ab", ["Control characters in Subject left out"]),
        ("x" * 998, "x" * 998, []),
        ("x" * 999, "x" * 998, ["Subject shortened to 998 characters"]),
        ("=?x-klingon?q?=FC?=", "ü", ["Subject read as windows-1252"]),
        ("=?utf-8?q?a=FCb?=", "a\ufffdb", ["Subject: bytes invalid in its charset replaced"]),
        (
            "=?utf-8?b?w7w_!?=",
            "ü",
            ["Characters in an encoded word of Subject that are not base64 left out"],
        ),
        ("folded\r\n\tin two", "folded in two", []),
        ("Re: =?utf-8?q?=C3=BC?= x =?utf-8?q?=C3=A9?= y", "Re: ü x é y", []),
        ("=?utf-8?q?=C3=BC?= =?iso-8859-1*de?q?=E9?=", "üé", []),
        ("a =?utf-8?q?b c", "a =?utf-8?q?b c", []),
    ],
)
def test_subject(given: str, expected: str, sentences: list[str]) -> None:
    check([f"Subject: {given}"], {"subject": expected}, sentences)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("QUFB!", "AAA"),
        ("QUFB!Q", "AAA"),
        ("QUFBQQ!", "AAAA"),
        ("QUFBQUE!", "AAAAA"),
        ("QUFBQUFBQQ!", "AAAAAAA"),
    ],
)
def test_an_encoded_word_with_characters_that_are_not_base64(word: str, expected: str) -> None:
    sentence = "Characters in an encoded word of Subject that are not base64 left out"
    check([f"Subject: =?utf-8?b?{word}?="], {"subject": expected}, [sentence])


def test_the_first_of_two_subjects_counts() -> None:
    check(["Subject: a", "Subject: b"], {"subject": "a"}, ["All but the first Subject left out"])
    assert body_of("Subject: a", "Subject: a")["subject"] == "a"


def test_raw_8_bit_text() -> None:
    content = b"To: J\xfcrgen <recipient@example.net>\r\nSubject: \x80 5\r\nX-A: \xff\r\n\r\ntext"
    body = json.loads(convert(content, [TO], sender=SENDER, max_hops=30).body)
    assert (body["to"][0]["name"], body["subject"]) == ("Jürgen", "€ 5")
    assert body["headers"] == {"X-A": "ÿ"}
    assert body["adaptations"] == [
        f"{name} read as windows-1252" for name in ("To", "Subject", "X-A")
    ]


def test_raw_iso_2022_jp() -> None:
    content = (
        b"To: \x1b$B;3\x1b(B <recipient@example.net>\r\nSubject: \x1b$B%F%9%H\x1b(B 5\r\n"
        b"X-A: \x1b(B\x1b[m\x1b$x\r\n\r\n\x1b$BK\\\x1b(B"
    )
    body = json.loads(convert(content, [TO], sender=SENDER, max_hops=30).body)
    assert (body["to"][0]["name"], body["subject"], body["text"]) == ("山", "テスト 5", "本")
    assert body["adaptations"] == [
        "To read as ISO-2022-JP",
        "Subject read as ISO-2022-JP",
        "The text read as ISO-2022-JP",
        "Control characters in X-A left out",
    ]
    with pytest.raises(CannotRelay, match="ISO-2022-JP"):
        convert(content, [TO], sender=SENDER, max_hops=30, is_strict=True)


def test_iso_2022_jp_in_an_encoded_word_of_us_ascii() -> None:
    content = (
        b"To: =?us-ascii?B?GyRCOzMbKEI=?= <recipient@example.net>\r\n"
        b"Subject: =?US-ASCII?Q?=1B$B%F%9%H=1B(B?= =?us-ascii?Q?_5?=\r\n"
        b"X-A: =?us-ascii?Q?=1B[m=1B$x?=\r\n\r\nx"
    )
    body = json.loads(convert(content, [TO], sender=SENDER, max_hops=30).body)
    assert (body["to"][0]["name"], body["subject"]) == ("山", "テスト 5")
    assert body["adaptations"] == [
        "To read as ISO-2022-JP",
        "Subject read as ISO-2022-JP",
        "Control characters in X-A left out",
    ]
    with pytest.raises(CannotRelay, match="ISO-2022-JP"):
        convert(content, [TO], sender=SENDER, max_hops=30, is_strict=True)


# Hidden recipients

HIDING = "To: recipient@example.net\r\nFrom: desk@harbour.example\r\nSubject: x\r\n"


@pytest.mark.parametrize(
    "value",
    [
        *("hidden@example.net", "for <Hidden@Example.NET>.", '{"to":["hidden@example.net"]}'),
        *("=?utf-8?q?hidden=40example=2Enet?=", "<mailto:u@x.example?subject=hidden@example.net>"),
        *("hidden@bücher.example", "a=hidden@xn--bcher-kva.example&b"),
    ],
)
def test_no_field_names_a_hidden_recipient(value: str) -> None:
    content = f"{HIDING}X-Other: {value}\r\n\r\nx".encode()
    to = ["recipient@example.net", "hidden@example.net", "hidden@xn--bcher-kva.example"]
    body = json.loads(convert(content, to, sender=SENDER, max_hops=30).body)
    assert "headers" not in body
    assert body["adaptations"] == ["X-Other left out: it names a hidden recipient"]
    with pytest.raises(CannotRelay, match="X-Other names a hidden recipient"):
        convert(content, to, sender=SENDER, max_hops=30, is_strict=True)


@pytest.mark.parametrize(
    ("fields", "to"),
    [
        # It is a part of the address of another recipient, the only recipient, or the originator.
        (HIDING, ["recipient@example.net", "other-hidden@example.net"]),
        ("To: list@example.net\r\n", ["hidden@example.net"]),
        (
            f"{HIDING}Reply-To: hidden@example.net\r\n",
            ["recipient@example.net", "hidden@example.net"],
        ),
        ("To: hidden@example.net, a@example.net\r\n", ["hidden@example.net", "a@example.net"]),
    ],
)
def test_a_field_may_name_who_is_not_hidden(fields: str, to: list[str]) -> None:
    content = f"{fields}X-Other: hidden@example.net\r\n\r\nx".encode()
    body = json.loads(convert(content, to, sender=SENDER, max_hops=30).body)
    assert body["headers"]["X-Other"] == "hidden@example.net"


# Recipients


@pytest.mark.parametrize("field", ["From", "Reply-To", "To"])
def test_mailboxes_that_are_encoded_as_a_whole(field: str) -> None:
    """As Python does if a name is not ASCII."""
    value = "=?utf-8?q?J=C3=B6rg_=3Cdesk=40harbour=2E?= =?utf-8?b?ZXhhbXBsZT4=?="
    content = f"{field}: {value}\r\n\r\nx".encode()
    to = ["desk@harbour.example"]
    body = json.loads(convert(content, to, sender=SENDER, max_hops=30).body)
    shown = body["to" if field == "To" else "reply_to"]
    assert shown == [{"email": "desk@harbour.example", "name": "Jörg"}]
    assert f"{field}, which is encoded as a whole, decoded" in body["adaptations"]
    with pytest.raises(CannotRelay, match=f"{field} is encoded as a whole"):
        convert(content, to, sender=SENDER, max_hops=30, is_strict=True)


@pytest.mark.parametrize(
    ("fields", "to", "sentences"),
    [
        ([f'To: "Bob <{TO}>'], None, ["To left out: it is not a list of mail addresses"]),
        (
            [f"To: {TO}, <a@b.example> <c@d.example>"],
            [{"email": TO}],
            ["The rest of To left out: it is not a list of mail addresses"],
        ),
        ([f"To: {TO}", "Cc: (open"], [{"email": TO}], ["Cc left out: it is not a list of"]),
        (["To: =?x?q?undisclosed?=:;"], None, []),
    ],
)
def test_recipients_that_cant_be_parsed(
    fields: list[str], to: list[dict[str, str]] | None, sentences: list[str]
) -> None:
    body = body_of(*fields)
    assert body.get("to") == to
    assert body.get("to", []) + body.get("bcc", []) == [{"email": TO}]
    check_beginnings(body, sentences)


@pytest.mark.parametrize(
    ("field", "to"),
    [
        (f"To: Bob Vale {TO}", [{"email": TO, "name": "Bob Vale"}]),
        (f'To: "Vale, Bob" {TO} , ', [{"email": TO, "name": "Vale, Bob"}]),
        (f"To: Bob {TO} (friend), stranger@else.example", [{"email": TO, "name": "Bob"}]),
    ],
)
def test_an_address_without_angle_brackets(field: str, to: list[dict[str, str]]) -> None:
    body = body_of(field)
    assert (body["to"], body["adaptations"]) == (to, ["To read with the missing angle brackets"])
    with pytest.raises(CannotRelay, match="To"):
        request(field, is_strict=True)


@pytest.mark.parametrize("field", ["root", f"a{TO}", f"root, a{TO}", "undisclosed-recipients"])
def test_addresses_in_to_that_are_not_in_the_envelope(field: str) -> None:
    body = body_of(f"To: {field}")
    assert (body.get("to"), body["bcc"]) == (None, [{"email": TO}])
    assert "adaptations" not in body


@pytest.mark.parametrize("name", ["To", "Cc"])
@pytest.mark.parametrize(
    "value",
    [
        *(f'"bob {TO}"', '"bob recipient"@example.net', "Bob <bob at example.net>", f"{TO}>"),
        *("Bob of Vale", "Bob @example.net", f'A "Bob"{TO}', "Ann, a@else.example"),
    ],
)
def test_what_is_not_an_address_in_to(name: str, value: str) -> None:
    """It could mean the recipient, who is hidden otherwise."""
    body = body_of("To: a@else.example", f"{name}: {value}")
    assert (body.get("to"), body.get("cc"), body["bcc"]) == (None, None, [{"email": TO}])
    assert len(body["adaptations"]) == 1
    # The recipient is in To.
    assert "adaptations" not in body_of(f"To: {TO}", 'Cc: "bob recipient"@example.net')


@pytest.mark.parametrize(
    ("value", "what"),
    [("a@else.example b@else.example", "commas"), ("Bob b@else.example", "angle brackets")],
)
def test_missing_marks_between_addresses_that_are_not_in_the_envelope(
    value: str, what: str
) -> None:
    body = body_of(f"To: {value}")
    assert (body["bcc"], body["adaptations"]) == (
        [{"email": TO}],
        [f"To read with the missing {what}"],
    )


@pytest.mark.parametrize(
    ("value", "name", "sentences"),
    [
        (f"Acme, Inc. <{TO}>", "Acme, Inc.", ["Commas in To read as part of the name"]),
        (f"Vale; Bob <{TO}>", "Vale; Bob", ["Semicolons in To read as part of the name"]),
        (f"root, Bob <{TO}>", "Bob", []),
        (f"a@else.example, Bob <{TO}>", "Bob", []),
        (f"Crew: Ann, Bob <{TO}>;", "Bob", []),
        (f"Crew: Bob <{TO}>; Ann <a@else.example>", "Bob", []),
        (f"Build 7: failed <{TO}>", "Build 7: failed", ["Colons in To read as part of the name"]),
        (f"Sales (EU) <{TO}>", "Sales (EU)", []),
        (f"Sales (EU) Team <{TO}> (Lyon)", "Sales (EU) Team (Lyon)", []),
        (f"(EU) <{TO}>", "EU", []),
        (
            f"Sales (a@else.example) <{TO}>",
            "Sales",
            ["A comment with an address in To left out"],
        ),
        (f"<MAILTO:{TO}>", None, ["mailto: in To left out"]),
        (f"=?utf-8?Q?Doe,_John?= <{TO}>", "Doe, John", []),
        (f"=?utf-8?q?M=C3=BCller,Karl?= <{TO}>", "Müller,Karl", []),
        (f"=?utf-8?q?Re:_A;_B_(C)?= =?utf-8?q?,D?= <{TO}>", "Re: A; B (C),D", []),
        (f"=?utf-8?q?Doe,_John?=<{TO}>, =?utf-8?q?Roe,_Ann?= <a@else.example>", "Doe, John", []),
        (f"=?utf-8?q?Doe <{TO}>, =?utf-8?q?Ann?= <a@else.example>", "=?utf-8?q?Doe", []),
        (f"{TO} a@else.example", None, ["To read with the missing commas"]),
        (f"{TO} a@else.example b@else.example", None, ["To read with the missing commas"]),
        (f"<@relay.example,@b.example:{TO}>", None, []),
        (f"Bob (a (b (c)) \\) d) <{TO}>", "Bob (a (b (c)) ) d)", []),
    ],
)
def test_names_without_the_necessary_quotes(
    value: str, name: str | None, sentences: list[str]
) -> None:
    body = body_of(f"To: {value}")
    assert body["to"] == [{"email": TO} | ({"name": name} if name else {})]
    assert body.get("adaptations", []) == sentences


@pytest.mark.parametrize(
    ("fields", "original", "sentences"),
    [
        (["From: Bob <a@b"], "Bob <a@b", ["From kept"]),
        (["From: root@web1, ("], "root@web1, (", ["From kept"]),
        (["From: a@web1, b@web1"], "a@web1, b@web1", ["From kept"]),
        (["From:", "From: root@web1"], "root@web1", ["From kept"]),
        (["From: (x)", "From: root@web1"], "root@web1", ["All but the first sender", "From kept"]),
        (["From: root@web1", "Reply-To: a@b.example"], "root@web1", ["From kept"]),
        (["From: A <a@web1>", "Reply-To: a@b.example"], "A <a@web1>", ["From kept"]),
        (["From: Bob <a@b", "Reply-To: a@b.example"], "Bob <a@b", ["From kept"]),
        (["From: Me <a@b.example>", "Reply-To: A@b.example"], None, []),
        ([f"From: Me <{SENDER}>", "Reply-To: A@b.example"], None, []),
    ],
)
def test_from_is_never_lost(fields: list[str], original: str | None, sentences: list[str]) -> None:
    body = body_of(*fields)
    assert body.get("headers", {}).get("X-Original-From") == original
    check_beginnings(body, sentences)


# Other fields


@pytest.mark.parametrize(
    "name",
    [
        *("Delivered-To", "Authentication-Results", "ARC-Seal", "ARC-Message-Signature"),
        *("Received-SPF", "Envelope-To", "Delivery-Date", "X400-Received", "msip_labels"),
        *("Feedback-ID", "TLS-Required", "Apparently-To", "Resent-From", "Resent-Message-ID"),
        *("Content-Location", "Content-MD5", "Content-Description"),
        # They can name hidden recipients.
        *("X-Bcc", "Bcc_", "X_BCC", "X-Auto-Bcc", "Original-Recipient", "X-Envelope-Recipients"),
        *("X-Original-To", "X-Envelope-To", "X_Envelope_To", "X-Delivered-To", "X-Rcpt-To"),
        *("X-Gm-Original-To", "X-Forwarded-To", "X-Real-To", "Delivered.To"),
    ],
)
def test_fields_that_are_left_out(name: str) -> None:
    check([f"{name}: a"], {"headers": None}, [f"{name} left out"])
    check([f"{name}: "], {"headers": None}, [])


def test_bcc_is_left_out_by_a_strict_relay_too() -> None:
    body = body_of("Bcc: secret@else.example")
    assert body["adaptations"] == ["Bcc left out"]
    strict = json.loads(request("Bcc: secret@else.example", is_strict=True).body)
    assert "secret" not in f"{body}{strict}"
    assert "adaptations" not in strict


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("Disposition-Notification-To", "X-Disposition-Notification-To"),
        ("Accept-Language", "X-Accept-Language"),
        ("List_Id", "List-Id"),
        ("my.own_field", "X-my-own-field"),
        ("Original-Reply-To", "X-Original-Reply-To"),
        ("Undelivered-To", "X-Undelivered-To"),
        ("X-a.b_c", "X-a-b_c"),
        ("Reply_To", "X-Reply-To"),
        ("X", "X-X"),
        ("X.", "X-X-"),
        ("x" * 90, "X-" + "x" * 90),
    ],
)
def test_fields_that_are_renamed(given: str, sent: str) -> None:
    assert body_of(f"{given}: a")["headers"] == {sent: "a"}
    assert body_of(f"{given}: a")["adaptations"] == [f"{given} sent as {sent}"]


@pytest.mark.parametrize("name", ["x" * 99, "X-" + "x" * 99, "X-"])
def test_a_name_that_is_too_long_or_too_short(name: str) -> None:
    sentence = f"{name[:40]} left out: the length of its name"
    check([f"{name}: a"], {"headers": None}, [sentence])


@pytest.mark.parametrize(
    ("fields", "expected", "sentences"),
    [
        (["X-A: 1", "x-a: 2", "X-A: 1"], {"X-A": "1, 2"}, ["2 X-A fields joined"]),
        (["Comments: 1", "Comments: 2"], {"Comments": "1, 2"}, ["2 Comments fields joined"]),
        (["List-ID: 1", "List-ID: 2"], {"List-ID": "1"}, ["All but the first List-ID left out"]),
        (["User-Agent: 1", "X-User-Agent: 2"], {"X-User-Agent": "1, 2"}, ["2 X-User-Agent fields"]),
        (["List-ID: 1", "List-Id: 1"], {"List-ID": "1"}, []),
        (["X-A: 1", "X-A: ", "X-B: \t"], {"X-A": "1"}, []),
        (["X-A: " + "a" * 1500, "X-A: b"], {"X-A": "a" * 1500 + ", b"}, ["2 X-A fields joined"]),
        (
            ["X-A: a", *(f"X-A: {letter * 1030}" for letter in "bcd"), "X-A: e"],
            {"X-A": "a, " + "b" * 1030 + ", e"},
            ["2 of 5 X-A fields left out: too long"],
        ),
        (["X-A: " + "a" * 2049, "X-A: b"], {"X-A": "b"}, ["1 of 2 X-A fields left out: too long"]),
        (
            [f"X-A: {letter * 2049}" for letter in "ab"],
            None,
            ["X-A left out: it is too long"],
        ),
        (["X-A: a\x01b=?utf-8?q?=09?="], {"X-A": "ab "}, ["Line ends and tabs", "Control char"]),
    ],
)
def test_repeated_and_empty_fields(
    fields: list[str], expected: dict[str, str], sentences: list[str]
) -> None:
    body = body_of(*fields)
    assert body.get("headers") == expected
    check_beginnings(body, sentences)


def test_joined_values_have_a_maximum_size() -> None:
    first, second = "a" * 1000, "b" * 1046
    joined = {"headers": {"X-A": f"{first}, {second}"}}
    check([f"X-A: {first}", f"X-A: {second}"], joined, ["2 X-A fields joined"])
    one = {"headers": {"X-A": first}}
    sentence = "1 of 2 X-A fields left out: too long"
    check([f"X-A: {first}", f"X-A: {second}b"], one, [sentence])


ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("value", "expected", "sentences"),
    [
        ("<https://a.example>, <mailto:b@c.example>", None, []),
        (
            "<http://a.example>, <mailto:b@c.example>",
            "<mailto:b@c.example>",
            ["List-Unsubscribe: all but https and mailto URIs left out"],
        ),
        (
            "<https://a.example/u> (by web)",
            "<https://a.example/u>",
            ["List-Unsubscribe: all but https and mailto URIs left out"],
        ),
        (
            "<https://a.example/\r\n u>",
            "<https://a.example/u>",
            ["List-Unsubscribe written as URIs in angle brackets"],
        ),
        (
            "mailto:b@c.example, https://d.example",
            "<mailto:b@c.example>, <https://d.example>",
            ["List-Unsubscribe written as URIs in angle brackets"],
        ),
        (
            f"<https://a.example/{'x' * 2048}>, <mailto:b@c.example>",
            "<mailto:b@c.example>",
            ["List-Unsubscribe: URIs left out that are too long"],
        ),
        (
            f"<http://a.example>, <mailto:b@c.example>, <https://a.example/{'x' * 2048}>",
            "<mailto:b@c.example>",
            [
                "List-Unsubscribe: URIs left out that are too long",
                "List-Unsubscribe: all but https and mailto URIs left out",
            ],
        ),
        (f"<https://a.example/{'x' * 2048}>", "", ["List-Unsubscribe left out: it is too long"]),
        (
            "<mailto:b@c.example?subject=leave this list>",
            "<mailto:b@c.example?subject=leave%20this%20list>",
            ["List-Unsubscribe written as URIs in angle brackets"],
        ),
        ("<http://a.example>", "", ["List-Unsubscribe left out: it has no https or mailto URI"]),
        ("<mailto:>", "", ["List-Unsubscribe left out: it has no https or mailto URI"]),
    ],
)
def test_list_unsubscribe(value: str, expected: str | None, sentences: list[str]) -> None:
    expected = value if expected is None else expected
    headers = {"List-Unsubscribe": expected} if expected else None
    check([f"List-Unsubscribe: {value}"], {"headers": headers}, sentences)


def test_the_longest_list_unsubscribe() -> None:
    value = f"<https://a.example/{'x' * 2028}>"
    check([f"List-Unsubscribe: {value}"], {"headers": {"List-Unsubscribe": value}}, [])


def test_one_click() -> None:
    uri = "List-Unsubscribe: <https://a.example>"
    headers = {"List-Unsubscribe": "<https://a.example>", "List-Unsubscribe-Post": ONE_CLICK}
    check([uri, f"List-Unsubscribe-Post: {ONE_CLICK}"], {"headers": headers}, [])
    check([uri, f"List-Unsubscribe-Post: {ONE_CLICK.upper()}"], {"headers": headers}, [])
    del headers["List-Unsubscribe-Post"]
    sentence = f"List-Unsubscribe-Post left out: it is not {ONE_CLICK}"
    check([uri, "List-Unsubscribe-Post: yes"], {"headers": headers}, [sentence])
    sentence = "List-Unsubscribe-Post left out: List-Unsubscribe has no https URI"
    check([f"List-Unsubscribe-Post: {ONE_CLICK}"], {"headers": None}, [sentence])


def test_references() -> None:
    ids = [f"<{number:03}-{'a' * 40}@example.net>" for number in range(60)]
    found = body_of(f"References: {' '.join(ids)}")
    kept = found["headers"]["References"].split()
    assert kept == [ids[0], *ids[1 - len(kept) :]]
    assert 2048 - len(ids[0]) <= len(found["headers"]["References"]) <= 2048
    assert found["adaptations"] == ["References shortened to 2,048 bytes"]
    # Without spaces between the ids, and with a first id that does not fit.
    assert body_of(f"References: {''.join(ids)}")["headers"]["References"].split() == kept
    found = body_of(f"References: <{'a' * 2047}> {ids[0]}")
    assert found["headers"] == {"References": ids[0]}
    check(
        [f"References: {'a' * 2049}"],
        {"headers": None},
        ["References left out: it is too long"],
    )


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([2048], [2048]),
        ([2048, 5], [2048]),
        ([1000, 1500, 1047], [1000, 1047]),
        ([1000, 1500, 1048], [1000]),
        ([100, 600, 600, 745], [100, 600, 600, 745]),
        ([100, 599, 600, 747], [100, 600, 747]),
    ],
)
def test_references_of_each_size(sizes: list[int], kept: list[int]) -> None:
    value = " ".join("a" * size for size in sizes)
    expected = " ".join("a" * size for size in kept)
    sentences = ["References shortened to 2,048 bytes"] if kept != sizes else []
    check([f"References: {value}"], {"headers": {"References": expected}}, sentences)


@pytest.mark.parametrize(
    ("field", "sent", "sentences"),
    [
        ("Precedence: Bulk", "bulk", []),
        ("Precedence: list;", "list", []),
        ("Auto-Submitted: auto-replied (vacation)", "auto-replied", ["shortened to its keyword"]),
        ("Auto-Submitted: auto-generated; type=x", "auto-generated", ["shortened to its keyword"]),
        ("Importance: HIGH", "high", []),
        ("Priority: Non-Urgent", "non-urgent", []),
        ("Sensitivity: Company-Confidential", "company-confidential", []),
        ("Precedence: first-class", None, ["left out: the provider accepts only bulk, list, junk"]),
        ("Auto-Submitted: no", None, ["left out: the provider accepts only auto-generated, "]),
        ("Priority: 1", None, ["left out: the provider accepts only normal, non-urgent, urgent"]),
    ],
)
def test_restricted_values(field: str, sent: str | None, sentences: list[str]) -> None:
    name = field.partition(":")[0]
    body = body_of(field)
    assert body.get("headers") == ({name: sent} if sent else None)
    check_beginnings(body, [f"{name} {sentence}" for sentence in sentences])
    with pytest.raises(CannotRelay, match=name):
        request(field, is_strict=True)


def test_a_value_that_is_too_long() -> None:
    headers = {"X-B": "é" * 1024}
    fields = [f"X-A: {'é' * 1025}", f"X-B: {'é' * 1024}"]
    check(fields, {"headers": headers}, ["X-A left out: it is too long"])


def test_the_largest_header() -> None:
    """The provider counts 16 KiB of lines: names, values, and four characters for each field."""
    fields = {f"X-{number}": f"{number}" * 2041 for number in range(8)}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    check(lines, {"headers": fields}, [])
    one_more = [*lines[:-1], lines[-1] + "7"]
    kept = {name: value for name, value in fields.items() if name != "X-7"}
    check(one_more, {"headers": kept}, ["X-7 left out: the header is too long"])
    del fields["X-0"]
    check(
        [*lines, f"X-8: {'8' * 2041}"],
        {"headers": fields | {"X-8": "8" * 2041}},
        ["X-0 left out: the header is too long"],
    )


@pytest.mark.parametrize(
    ("name", "sent"), [("X-" + "x" * 98, "X-" + "x" * 98), ("x" * 98, "X-" + "x" * 98)]
)
def test_the_longest_name(name: str, sent: str) -> None:
    assert body_of(f"{name}: a")["headers"] == {sent: "a"}


def test_more_than_twenty_fields_without_a_prefix() -> None:
    names = [f"List-{name}" for name in ("Archive", "Help", "ID", "Owner", "Post", "Subscribe")]
    names += ["Archived-At", "Comments", "Content-Language", "Expires", "In-Reply-To", "Keywords"]
    names += ["Organization", "References", "Reply-By", "Require-Recipient-Valid-Since"]
    names += ["Thread-Index", "Thread-Topic"]
    values = {**dict.fromkeys(names, "a"), "Importance": "high", "Priority": "urgent"}
    values |= {"X-Sensitivity": "b", "Sensitivity": "private", "Precedence": "bulk"}
    found = body_of(*(f"{name}: {value}" for name, value in values.items()))
    del values["Sensitivity"], values["Precedence"]
    expected = values | {"X-Sensitivity": "b, private", "X-Precedence": "bulk"}
    assert found["headers"] == expected
    assert found["adaptations"] == [
        "2 X-Sensitivity fields joined",
        "Sensitivity sent as X-Sensitivity",
        "Precedence sent as X-Precedence",
    ]


def test_the_longest_fields_of_a_large_header_are_left_out() -> None:
    fields = [f"X-{number:02}: {'a' * (1900 + number)}" for number in range(9)]
    found = body_of(*fields, "List-ID: " + "b" * 2000)
    kept = [f"X-{number:02}" for number in range(7)]
    assert [*found["headers"]] == [*kept, "List-ID"]
    assert found["adaptations"] == [
        "X-08 left out: the header is too long",
        "X-07 left out: the header is too long",
    ]


@pytest.mark.parametrize(
    ("fields", "headers", "sentences"),
    [
        ([f"Alarm: {'a' * 2049}"], None, ["Alarm left out: it is too long"]),
        (["Delivered-To: =?utf-8?q?a=09=FF?="], None, ["Delivered-To left out"]),
        (
            [f"Alarm: {'a' * 2049}", f"X-Alarm: {'b' * 2049}"],
            None,
            ["Alarm and X-Alarm left out: it is too long"],
        ),
        (
            ["List-ID: a", "List_ID: b\x01"],
            {"List-ID": "a"},
            ["All but the first List-ID and List_ID left out"],
        ),
        (
            ["Alarm: " + "a" * 2049, "X-Alarm: b"],
            {"X-Alarm": "b"},
            ["1 of 2 Alarm and X-Alarm fields left out: too long"],
        ),
        (
            ["X-A: b\x01", "Alarm: =?x-none?q?a?=", "X-Alarm: c"],
            {"X-A": "b", "X-Alarm": "a, c"},
            [
                "Control characters in X-A left out",
                "2 X-Alarm fields joined",
                "Alarm read as UTF-8",
                "Alarm sent as X-Alarm",
            ],
        ),
        (
            [f"From: {'a' * 2049}@web1"],
            None,
            ["X-Original-From left out: it is too long"],
        ),
    ],
)
def test_a_field_that_is_left_out_has_one_sentence(
    fields: list[str], headers: dict[str, str] | None, sentences: list[str]
) -> None:
    check(fields, {"headers": headers}, sentences)


def test_the_original_message_id() -> None:
    check(["Message-ID: <1@x>"], {"headers": {"X-Original-Message-ID": "<1@x>"}}, [])
    found = body_of("Message-ID: <1@x>", "X-Original-Message-ID: <0@x>")
    assert found["headers"] == {"X-Original-Message-ID": "<0@x>, <1@x>"}
    assert found["adaptations"] == ["2 X-Original-Message-ID fields joined"]
    found = body_of(f"Message-ID: <{'1' * 2048}>")
    assert "headers" not in found
    assert found["adaptations"] == ["X-Original-Message-ID left out: it is too long"]


@pytest.mark.parametrize("value", ["<1@x>", f"<{'1' * 3000}>"])
def test_a_strict_relay_adds_no_message_id(value: str) -> None:
    assert "headers" not in json.loads(request(f"Message-ID: {value}", is_strict=True).body)


# Empty fields beside others


@pytest.mark.parametrize(
    ("name", "member"), [("Subject", "subject"), ("From", "from_name"), ("Reply-To", "reply_to")]
)
def test_an_empty_field_does_not_hide_another(name: str, member: str) -> None:
    value = f"{name}: Alarm <a@b.example>"
    expected = body_of(value)[member]
    for fields in ([f"{name}:", value], [value, f"{name}: "]):
        check(fields, {member: expected}, [])
        with pytest.raises(CannotRelay):
            request(*fields, is_strict=True)


def test_an_empty_message_id_does_not_hide_another() -> None:
    assert request("Message-ID:", "Message-ID: <1@x>").key == request("Message-ID: <1@x>").key


def test_an_empty_type_and_encoding_do_not_hide_others() -> None:
    fields = ["Content-Type: text/html", "Content-Transfer-Encoding: base64"]
    expected = body_of(*fields)
    assert expected["html"] != "text"
    assert body_of("Content-Transfer-Encoding:", "Content-Type:", *fields) == expected


# The idempotency key


@pytest.mark.parametrize("key", ["=?utf-8?q?a=0D=0AX-Evil:_b?=", "x" * 257, "=?utf-8?q?=FF?="])
def test_a_key_that_the_api_does_not_accept_is_replaced_by_its_hash(key: str) -> None:
    found = request(f"Idempotency-Key: {key}", "Message-ID: <1@x>")
    assert found.key is not None
    assert found.key == request(f"Idempotency-Key: {key}", "Message-ID: <2@x>").key
    assert found.key != request(f"Idempotency-Key: {key}!", "Message-ID: <1@x>").key
    assert found.key.startswith("smtp-key-")
    assert "Idempotency-Key replaced by its hash" in found.adaptations.sentences()


def test_an_empty_key_is_no_key() -> None:
    found = request("Idempotency-Key: ", "Message-ID: <1@x>")
    assert found.key == request("Message-ID: <1@x>").key
    assert found.adaptations.sentences() == []


# Sentences


def test_a_sentence_is_noted_once_and_has_no_contents() -> None:
    found = request("X-A: sec\x01ret", "x-b: sec\x01ret", "X-A: sec\x01ret")
    assert found.adaptations.counts == {"left_out": 2}
    assert "secret" not in str(found.adaptations.sentences())
