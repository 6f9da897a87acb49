"""The time and the memory of each parser for its worst inputs, as large as a body can be.

The length of a field is checked first, so a text of ten megabytes costs no more than a short one.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.clients import client_key
from accounts.credentials import verify
from accounts.lists import LISTS, comparable_entries
from accounts.names import clean_name
from accounts.passwords import is_client_digest
from errors import ApiError
from handlers.new_address import choose_domain
from locales import language_of
from mail.adaptations import read_adaptations
from mail.addresses import InvalidAddress, ascii_domain, comparable, parse_address
from mail.attachments import read_attachments
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import Base64Attachment, MailboxField, SendMail
from mail.headers import read_headers
from mail.mailbox import display_name, parse_mailbox
from mail.recipients import all_recipients, one_recipient
from mail.reply_to import read_reply_to
from mail.schedule import parse_scheduled_at
from mail.tags import read_tags
from routes import match
from settings import read_settings
from tests.measured import cost_of, is_quick
from web.auth import is_one_of
from web.query import address_filter, cursor, one_of, whole_number
from web.responses import prefers_plain_text

SIZE = 9_800_000  # of the longest text in a body of 10 MiB

# Texts for which a parser took much time or memory, and similar texts.
TEXTS = {
    "one atom": "a" * SIZE,
    "atoms": "a." * (SIZE // 2) + "@x.com",
    "labels": "a@" + "x." * (SIZE // 2) + "com",
    "compatibility forms": "a@" + "\ufdfa" * (SIZE // 3),
    "at signs": "@" * SIZE,
    "quoted pairs": '"' + "\\a" * (SIZE // 2) + '" <b@c.de>',
    "unfinished quote": '"' + "\\" * SIZE,
    "angle brackets": "<" * SIZE,
    "encoded words": "=?a?q? " * (SIZE // 7),
    "spaces": " " * SIZE + "x",
    "digits": "9" * SIZE,
    "emoji": "a" * (SIZE - 4) + "\U0001f600",
    "controls": "\x01" * SIZE,
    "line ends": "A\n" * (SIZE // 2),
    "commas": "a," * (SIZE // 2),
    "weights": "text/plain;q=0.1," * (SIZE // 17),
    "padding": "=" * SIZE,
    "slashes": "/" * SIZE,
    "dots": "a" + "." * SIZE,
    "type": "a/b" + "; a=b" * (SIZE // 5),
    "uris": "<https://a>" + ", <https://a>" * (SIZE // 13),
    "dashes": "xn--" * (SIZE // 4) + ".com",
}

SETTINGS = read_settings({"DOMAINS": "example.com"})
POLICY = SenderPolicy(("example.com",), ())


def mail(**fields: Any) -> object:
    given: dict[str, Any] = {"to_mail": "b@example.org", "subject": "s", "content": "c", **fields}
    name = given.pop("from_name", None)
    return compose(SendMail(**given), Origin(address="a@example.com", name=name), POLICY)


def attached(**fields: str) -> object:
    return read_attachments([Base64Attachment(**{"filename": "a", "content": "", **fields})])


PARSERS: dict[str, Callable[[str], object]] = {
    "parse_address": parse_address,
    "ascii_domain": ascii_domain,
    "parse_mailbox": parse_mailbox,
    "parse_mailbox of an object": lambda text: parse_mailbox(MailboxField(text, text)),
    "name of an object": lambda text: parse_mailbox(MailboxField("a@example.com", text)),
    "display_name": display_name,
    "one_recipient": lambda text: one_recipient("to_mail", text),
    "all_recipients": lambda text: all_recipients(None, to=[text], cc=text, bcc=None, path=""),
    "reply_to": lambda text: read_reply_to("reply_to", text, {}),
    "reply_to in a list": lambda text: read_reply_to("reply_to", ["a@example.com", text], {}),
    "Reply-To": lambda text: read_reply_to("reply_to", None, {"Reply-To": text}),
    "short Reply-To": lambda text: read_reply_to("reply_to", None, {"Reply-To": text[-2000:]}),
    "header value": lambda text: read_headers({"X-A": text}),
    "header name": lambda text: read_headers({text: "a"}),
    "list_unsubscribe": lambda text: read_headers({"List-Unsubscribe": text}),
    "name of the only member of a tag": lambda text: read_tags([{text: "a"}], []),
    "adaptation": lambda text: read_adaptations([text]),
    "tag": lambda text: read_tags([{"name": text, "value": text}], []),
    "value of a tag": lambda text: read_tags([{"name": "a", "value": text}], []),
    "filename": lambda text: attached(filename=text),
    "content_type": lambda text: attached(content_type=text),
    "content_id": lambda text: attached(content_id=text),
    "scheduled_at": parse_scheduled_at,
    "subject": lambda text: mail(subject=text),
    "from_name": lambda text: mail(from_name=text),
    "to_name": lambda text: mail(to_name=text),
    "to_mail": lambda text: mail(to_mail=text),
    "to": lambda text: mail(to_mail=None, to=text),
    "clean_name": lambda text: clean_name(text, SETTINGS.public_name_rules),
    "choose_domain": lambda text: choose_domain(text, ("example.com",), first=True),
    **{
        field: lambda text, field=field: comparable_entries(field, [text])  # type: ignore[misc]
        for field in LISTS
    },
    "is_client_digest": is_client_digest,
    "token": lambda text: verify(text, secrets=("secret",)),
    "password": lambda text: is_one_of(text, ("secret", "password")),
    "client": client_key,
    "x-lang": lambda text: language_of(text, otherwise="en"),
    "accept": prefers_plain_text,
    "path": lambda text: match(text[:20_000]),  # the platform accepts no longer URLs
    "limit": lambda text: whole_number(text, "limit", 1, 1, 100),
    "cursor": lambda text: cursor(text, 0),
    "sort_order": lambda text: one_of({"sort_order": text}, "sort_order", ("asc", "desc"), "asc"),
    "email": comparable,
    "address": lambda text: address_filter({"address": text}),
}


@pytest.mark.parametrize("parser", PARSERS)
def test_no_text_of_ten_megabytes_costs_more_than_a_short_one(parser: str) -> None:
    def parse(text: str) -> None:
        with contextlib.suppress(ApiError, InvalidAddress):
            PARSERS[parser](text)

    parse("a")  # so that imports and tables are not measured
    with contextlib.suppress(ApiError, InvalidAddress):
        PARSERS[parser]("ä@ö.example")
    calls = {name: partial(parse, text) for name, text in TEXTS.items()}
    slow = [name for name, call in calls.items() if not is_quick(call, seconds=0.02)]
    large = [name for name, call in calls.items() if cost_of(call).bytes > 200_000]
    assert (slow, large) == ([], [])
