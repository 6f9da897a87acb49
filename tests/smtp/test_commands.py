"""SMTP commands and their parameters."""

import random
from dataclasses import replace

import pytest

from tests.e2e.api import Api, Sender
from tests.smtp.in_process import client, connect
from tests.smtp.mails import left
from tests.smtp.relay import RelayProcess, Talk
from tests.smtp.test_memory import accept

MAIL = b"Subject: A subject\r\n\r\ntext\r\n.\r\n"


def test_extensions(relay: RelayProcess) -> None:
    with relay.talk() as talk:
        assert talk.reply().startswith("220 ")
        talk.send(b"EHLO test\r\nQUIT\r\n")
        extensions = talk.rest().split("\r\n")[1:-2]
    assert [line[4:] for line in extensions] == [
        f"SIZE {5 * 1024 * 1024}",
        "8BITMIME",
        "SMTPUTF8",
        "STARTTLS",
        "AUTH LOGIN PLAIN",
        "PIPELINING",
        "ENHANCEDSTATUSCODES",
        "HELP",
    ]


def test_before_ehlo(relay: RelayProcess) -> None:
    with relay.talk() as talk:
        talk.reply()
        for command in ("AUTH PLAIN AAAA", "MAIL FROM:<a@example.com>", "RCPT TO:<a@example.com>"):
            assert talk.ask(command)[:9] == "503 5.5.1", command
        assert talk.ask("NOOP") == "250 2.0.0 OK"
        assert talk.ask("RSET") == "250 2.0.0 OK"
        assert talk.ask("EHLO").startswith("501 5.5.4 ")
        assert talk.ask("HELO test").startswith("250 ")
        assert talk.ask("MAIL FROM:<a@example.com>").startswith("530 5.7.0 ")
        assert talk.ask("QUIT") == "221 2.0.0 Bye"
        assert talk.reply() == ""


@pytest.mark.parametrize(
    ("arguments", "reply"),
    [
        ("FROM:<>", "250 2.1.0"),
        ("FROM: <a@example.com>", "250 2.1.0"),
        ("FROM:a@example.com", "250 2.1.0"),
        ("from:<@a.example,@b.example:c@example.com> SIZE=1000", "250 2.1.0"),
        ("FROM:<jürgen@example.com> SMTPUTF8 BODY=8BITMIME", "250 2.1.0"),
        ("FROM:<a@example.com> BODY=7BIT AUTH=<>", "250 2.1.0"),
        ("FROM:<a@example.com> auth=a+3Db BODY=7BIT", "250 2.1.0"),
        ("FROM: AUTH=a@example.com", "250 2.1.0"),
        ("FROM:<a@example.com> SIZE=5242880", "250 2.1.0"),
        ("FROM:<a@example.com> SIZE=5242881", "552 5.3.4"),
        ("FROM:<a@example.com> SIZE=" + "9" * 1000, "552 5.3.4"),
        ("FROM:<a@example.com> SIZE", "501 5.5.4"),
        ("FROM:<a@example.com> SIZE=large", "501 5.5.4"),
        ("FROM:<a@example.com> SIZE=\u00b2", "501 5.5.4"),
        ("FROM:<a@example.com> \tSIZE=\u00b2", "501 5.5.4"),
        ("FROM:<a@example.com> \tSIZE=5", "250 2.1.0"),
        ("FROM:<a@example.com> BODY=BINARYMIME", "501 5.5.4"),
        ("FROM:<a@example.com> SMTPUTF8=yes", "501 5.5.4"),
        ("FROM:<a@example.com> RET=HDRS", "250 2.1.0"),
        ("FROM:<a@example.com> SIZE=5 ret=full ENVID=QQ+2B31 BODY=8BITMIME", "250 2.1.0"),
        ("FROM:<a@example.com> RET=FULL SIZE=5242881", "552 5.3.4"),
        ("FROM:<a@example.com> NOTIFY=NEVER", "250 2.1.0"),
        ("FROM:<a@example.com> RET", "555 5.5.4"),
        ("FROM:<a@example.com> RETURN=HDRS", "555 5.5.4"),
        ("FROM:<a@example.com>SIZE=1", "553 5.1.3"),
        ("FROM:<a@example.com", "553 5.1.3"),
        ("FROM:", "553 5.1.3"),
        ("a@example.com", "501 5.5.4"),
    ],
)
def test_mail(talk: Talk, arguments: str, reply: str) -> None:
    assert talk.ask(f"MAIL {arguments}")[:9] == reply
    # A rejected MAIL does not begin a transaction.
    code = "250 2.1.5" if reply.startswith("250") else "503 5.5.1"
    assert talk.ask("RCPT TO:<a@example.net>")[:9] == code


async def test_the_longest_size() -> None:
    """aiosmtpd allows a longer MAIL after each EHLO. Python converts at most 4300 digits."""
    async with client(accept) as smtp:
        for _ in range(150):
            await smtp.ask("EHLO test")
        assert (await smtp.ask("MAIL FROM:<> SIZE=" + "9" * 5000)).startswith("501 5.5.4 ")


@pytest.mark.parametrize(
    ("arguments", "reply"),
    [
        ("TO: <a@example.net>", "250 2.1.5"),
        ("to:a@example.net", "250 2.1.5"),
        ("TO:<@a.example,@b.example:a@example.net>", "250 2.1.5"),
        ("TO:<a+tag=x@example.net>", "250 2.1.5"),
        ("TO:<a@bücher.example>", "250 2.1.5"),
        ("TO:<a@xn--bcher-kva.example>", "250 2.1.5"),
        ("TO:<a@xn--a.example>", "553 5.1.3"),
        ("TO:<a@192.0.2.1>", "553 5.1.3"),
        ("TO:<a@[192.0.2.1]>", "553 5.1.3"),
        ("TO:<jürgen@example.net>", "553 5.6.7"),
        ('TO:<"a b"@example.net>', "553 5.1.3"),
        ('TO:<"a"@example.net>', "250 2.1.5"),
        ('TO:<"a\\.b"@example.net>', "250 2.1.5"),
        ('TO:<@a.example:"a"@example.net> NOTIFY=NEVER', "250 2.1.5"),
        ('TO:"a"@example.net', "250 2.1.5"),
        ('TO:<"a..b"@example.net>', "553 5.1.3"),
        ('TO:<"a\\ b"@example.net>', "553 5.1.3"),
        ('TO:<"a@b"@example.net>', "553 5.1.3"),
        ('TO:<"a@example.net>', "553 5.1.3"),
        ('TO:<""@example.net>', "553 5.1.3"),
        ('TO:<"jürgen"@example.net>', "553 5.6.7"),
        ("TO:<>", "553 5.1.3"),
        ("TO:<Postmaster>", "553 5.1.3"),
        ("TO:<a@example.net> NOTIFY=NEVER", "250 2.1.5"),
        ("TO:<a@example.net> ORCPT=rfc822;a@example.net", "250 2.1.5"),
        ("TO:<a@example.net> notify=SUCCESS,DELAY  orcpt=rfc822;a+2Bb@example.net", "250 2.1.5"),
        ("TO:<a@example.net> NOTIFY", "555 5.5.4"),
        ("TO:<a@example.net> RRVS=2014-04-03T23:01:00Z", "555 5.5.4"),
        ("TO:<a@example.net>,<b@example.net>", "553 5.1.3"),
        ("a@example.net", "501 5.5.4"),
    ],
)
def test_rcpt(talk: Talk, arguments: str, reply: str) -> None:
    talk.ask("MAIL FROM:<a@example.com>")
    assert talk.ask(f"RCPT {arguments}")[:9] == reply


async def test_a_strict_relay_rejects_requests_for_delivery_reports() -> None:
    async with client(accept, SMTP_STRICT="true") as smtp:
        assert (await smtp.ask("MAIL FROM:<> RET=HDRS")).startswith("555 5.5.4 ")
        assert (await smtp.ask("MAIL FROM:<> ENVID=1")).startswith("555 5.5.4 ")
        assert (await smtp.ask("MAIL FROM:<> AUTH=<>")).startswith("250 2.1.0 ")
        for parameter in ("NOTIFY=NEVER", "ORCPT=rfc822;a@example.net"):
            assert (await smtp.ask(f"RCPT TO:<a@b.example> {parameter}")).startswith("555 5.5.4 ")


def test_a_source_route_is_ignored(talk: Talk, api: Api, sender: Sender) -> None:
    talk.begin_data("@a.example,@b.example:recipient@example.net")
    talk.send(MAIL)
    assert talk.reply().startswith("250 2.0.0 ")
    assert [mail.form["bcc"] for mail in left(api, sender)] == [["recipient@example.net"]]


def test_rset_forgets_the_mail(talk: Talk, api: Api, sender: Sender) -> None:
    talk.ask("MAIL FROM:<a@example.com>")
    talk.ask("RCPT TO:<first@example.net>")
    assert talk.ask("RSET") == "250 2.0.0 OK"
    assert talk.ask("DATA").startswith("503 5.5.1 ")
    talk.begin_data("second@example.net")
    talk.send(MAIL)
    assert talk.reply().startswith("250 2.0.0 ")
    assert [mail.form["bcc"] for mail in left(api, sender)] == [["second@example.net"]]


def test_fifty_recipients_and_one(talk: Talk, api: Api, sender: Sender) -> None:
    talk.ask("MAIL FROM:<a@example.com>")
    replies = [talk.ask(f"RCPT TO:<r{number}@example.net>")[:9] for number in range(51)]
    assert replies == ["250 2.1.5"] * 50 + ["452 4.5.3"]
    assert talk.ask("DATA").startswith("354 ")
    talk.send(MAIL)
    assert talk.reply().startswith("250 2.0.0 ")
    (mail,) = left(api, sender)
    assert len(mail.form["bcc"]) == 50


def test_other_commands(talk: Talk) -> None:
    assert talk.ask("NOOP whatever") == "250 2.0.0 OK"
    assert talk.ask("HELP").startswith("250 2.0.0 Supported commands: AUTH DATA ")
    assert talk.ask("HELP MAIL").startswith("250 2.0.0 Syntax: MAIL FROM: <address>")
    assert talk.ask("VRFY a@example.com").startswith("252 2.0.0 ")
    assert talk.ask("EXPN list").startswith("502 5.5.1 ")
    # Extensions that EHLO does not announce.
    assert talk.ask("BDAT 0 LAST").startswith("500 5.5.2 ")
    assert talk.ask("ETRN example.com").startswith("500 5.5.2 ")
    assert talk.ask("QUIT now").startswith("501 5.5.4 ")


def test_commands_out_of_order(talk: Talk) -> None:
    assert talk.ask("RCPT TO:<a@example.net>").startswith("503 5.5.1 ")
    assert talk.ask("DATA").startswith("503 5.5.1 ")
    assert talk.ask("STARTTLS now").startswith("501 5.5.4 ")
    assert talk.ask("MAIL FROM:<a@example.com>").startswith("250 2.1.0 ")
    assert talk.ask("MAIL FROM:<a@example.com>").startswith("503 5.5.1 ")
    assert talk.ask("AUTH PLAIN AAAA").startswith("503 5.5.1 ")
    assert talk.ask("DATA now").startswith("501 5.5.4 ")
    assert talk.ask("DATA") == "554 5.5.1 No recipient was accepted"


WORDS = ["<", ">", "@", "a@b.de", "\u00fc.de", "xn--a", "=", "5", "\u00b2", "9" * 500, "\u017f"]
WORDS += [" ", "\t", "\x1c", "\x85", "\u2003", "\0", "SIZE=", "BODY=", "SMTPUTF8", "PLAIN", "AA=="]
COMMANDS = ["EHLO ", "HELO ", "HELP ", "VRFY ", "AUTH ", "MAIL ", "MAIL FROM:<> ", "RCPT TO:"]


async def test_no_command_is_an_internal_error(capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(1)
    async with client(accept) as logged_in:
        reader, writer = await connect(logged_in.port)
        guest = replace(logged_in, reader=reader, writer=writer)
        await guest.reply()
        for _ in range(1000):
            words = chance.choices(WORDS, k=chance.randrange(5))
            command = chance.choice(COMMANDS) + "".join(words)
            for smtp in (guest, logged_in):
                if (await smtp.ask(command)).startswith("334 "):
                    await smtp.ask("*")
        writer.close()
    assert "internal_error" not in capsys.readouterr().out
