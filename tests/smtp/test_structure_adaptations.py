"""What the relay changes in the parts of a message, and the sentence for each change.

``tests/cases/relay`` has whole messages. ``test_real_mails.py`` generates more.
"""

import base64
import binascii
import json
from typing import Any

import pytest

from mail import plain_text
from smtp_relay.message.adaptations import Adaptations, shown
from smtp_relay.message.convert import Request, convert
from smtp_relay.message.errors import CannotRelay
from smtp_relay.message.rules.inline import MAX_HTML, MAX_TEXTS_IN_HTML, text_version

HEAD = b"To: recipient@example.net\r\nSubject: A subject\r\n"
ICS = "text/calendar; method=REQUEST"


def request(entity: str | bytes, *, is_strict: bool = False) -> Request:
    """The request for a message with this ``entity``: Content- fields and body."""
    content = HEAD + (entity if isinstance(entity, bytes) else entity.encode())
    to = ["recipient@example.net"]
    return convert(content, to, sender="sender@example.com", max_hops=30, is_strict=is_strict)


def part(kind: str, content: str, *fields: str) -> str:
    return "\r\n".join([f"Content-Type: {kind}", *fields, "", content])


def multipart(kind: str, *parts: str, boundary: str = "b") -> str:
    """A multipart. A nested one needs another ``boundary``."""
    inside = "".join(f"--{boundary}\r\n{one}\r\n" for one in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n{inside}--{boundary}--\r\n"


PLAIN, HTML = part("text/plain", "plain"), part("text/html", "<p>html</p>")


def adapted(entity: str | bytes, *sentences: str) -> dict[str, Any]:
    """The request as a dictionary. Check its ``sentences``, which fail a strict relay."""
    body: dict[str, Any] = json.loads(request(entity).body)
    assert body.pop("adaptations", []) == list(sentences)
    return body


def rejected(entity: str | bytes) -> str:
    """Why a strict relay rejects a message."""
    with pytest.raises(CannotRelay) as caught:
        request(entity, is_strict=True)
    return str(caught.value)


def names(body: dict[str, Any]) -> list[str]:
    return [file["filename"] for file in body.get("attachments", ())]


def content_of(file: dict[str, str]) -> str:
    return base64.b64decode(file["content"]).decode()


# Alternatives


@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        (ICS, (), "invite.ics"),
        (ICS, ("Content-Disposition: inline; filename=a.ics",), "a.ics"),
        ("application/pdf", (), "part-3.pdf"),
        ("image/png; name=plan.png", (), "plan.png"),
        ("text/plain", ("Content-Disposition: attachment",), "part-3.txt"),
    ],
)
def test_an_alternative_that_is_no_text_is_attached(
    kind: str, fields: tuple[str, ...], name: str
) -> None:
    entity = multipart("alternative", PLAIN, HTML, part(kind, "content", *fields))
    full = kind.partition(";")[0]
    body = adapted(entity, f"{full} alternative attached as {name}")
    assert (body["text"], body["html"]) == ("plain", "<p>html</p>")
    (file,) = body["attachments"]
    assert (file["filename"], content_of(file)) == (name, "content")
    assert "method=REQUEST" in file["content_type"] or kind != ICS
    assert "supported as alternatives" in rejected(entity)


@pytest.mark.parametrize(
    ("kind", "beside"),
    [
        *(("text/x-amp-html", PLAIN), ("text/watch-html", HTML), ("text/enriched", HTML)),
        *(("text/markdown", PLAIN),),
    ],
)
def test_an_alternative_that_a_text_carries_is_left_out(kind: str, beside: str) -> None:
    entity = multipart("alternative", beside, part(kind, "content"))
    assert names(adapted(entity, f"{kind} alternative left out")) == []
    rejected(entity)


def test_a_strict_relay_accepts_the_parts_of_an_alternative() -> None:
    image = part("image/png; name=a.png", "png", "Content-Disposition: attachment")
    for html in (
        multipart("mixed", HTML, image, boundary="c"),
        multipart("alternative", HTML, boundary="c"),
        multipart("related", HTML, image, boundary="c"),
    ):
        body = json.loads(request(multipart("alternative", PLAIN, html), is_strict=True).body)
        assert (body["text"], body["html"]) == ("plain", "<p>html</p>")
        assert names(body) == (["a.png"] if "image" in html else [])


def test_a_strict_relay_rejects_alternatives_beside_another_text() -> None:
    alternatives = multipart("alternative", PLAIN, HTML, boundary="c")
    why = rejected(multipart("mixed", PLAIN, alternatives))
    assert (
        why == "Part 2: multipart/alternative: alternatives beside another text are not supported"
    )


def test_the_last_part_without_a_closing_delimiter_has_a_number() -> None:
    pdf = part("application/pdf", "content")
    entity = multipart("mixed", PLAIN, pdf, pdf + "2").removesuffix("--b--\r\n")
    assert names(adapted(entity)) == ["part-2.pdf", "part-3.pdf"]


def test_markdown_beside_html_alone_is_attached() -> None:
    entity = multipart("alternative", part("text/markdown", "# md"), HTML)
    assert names(adapted(entity, "text/markdown alternative attached as part-1.md")) == [
        "part-1.md"
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_file_that_repeats_an_alternative_is_left_out(is_first: bool) -> None:
    invitation = multipart("alternative", PLAIN, part(ICS, "EVENT"), boundary="c")
    copy = part("application/ics", "EVENT\r\n", "Content-Disposition: attachment; filename=m.ics")
    parts = (copy, invitation) if is_first else (invitation, copy)
    sentences = (
        ["Second file with the content of m.ics left out"]
        if is_first
        else [
            "text/calendar alternative attached as invite.ics",
            "Second file with the content of invite.ics left out, and its name kept: m.ics",
        ]
    )
    assert names(adapted(multipart("mixed", *parts), *sentences)) == ["m.ics"]


def test_a_file_that_is_repeated_twice_has_the_first_name() -> None:
    invitation = multipart("alternative", PLAIN, part(ICS, "EVENT"), boundary="c")
    copies = [
        part("application/ics", "EVENT", f"Content-Disposition: attachment; filename={name}")
        for name in ("m.ics", "n.ics")
    ]
    sentences = (
        "text/calendar alternative attached as invite.ics",
        "Second file with the content of invite.ics left out, and its name kept: m.ics",
        "Second file with the content of m.ics left out",
    )
    assert names(adapted(multipart("mixed", invitation, *copies), *sentences)) == ["m.ics"]


def test_a_blank_name_of_a_repeated_file_is_not_kept() -> None:
    invitation = multipart("alternative", PLAIN, part(ICS, "EVENT"), boundary="c")
    copy = part("application/ics", "EVENT", "Content-Disposition: attachment; filename=..")
    sentences = (
        "text/calendar alternative attached as invite.ics",
        "Second file with the content of invite.ics left out",
    )
    assert names(adapted(multipart("mixed", invitation, copy), *sentences)) == ["invite.ics"]


@pytest.mark.parametrize("value", ['"attachment"', "attachment, filename=a.txt"])
def test_an_odd_disposition(value: str) -> None:
    file = part("text/plain", "text", f"Content-Disposition: {value}")
    assert len(adapted(multipart("mixed", PLAIN, file))["attachments"]) == 1


def test_a_long_type_before_its_parameters_is_no_type() -> None:
    entity = f"Content-Type: text/{'x' * 300} charset=utf-8\r\n\r\ntext"
    sentence = "Content-Type, which is not a media type, read as text/plain"
    assert adapted(entity, sentence)["text"] == "text"


def test_files_with_the_same_content_are_all_sent() -> None:
    file = part("application/pdf", "%PDF", "Content-Disposition: attachment; filename=a.pdf")
    assert names(adapted(multipart("mixed", PLAIN, file, file))) == ["a.pdf", "a.pdf"]


def test_a_copy_that_the_html_shows_leaves_its_content_id() -> None:
    html = part("text/html", '<img src="cid:x">')
    alternative = part("image/png", "png")
    inner = multipart("alternative", html, alternative, boundary="c")
    copy = part("image/png", "png", "Content-ID: <x>")
    body = adapted(
        multipart("mixed", inner, copy),
        "image/png alternative attached as part-1.2.png",
        "Second file with the content of part-1.2.png left out",
    )
    assert content_ids(body) == ["x"]


def test_copies_that_the_html_may_show_by_two_names_are_all_sent() -> None:
    html = part("text/html", '<img src="cid:x"><img src="cid:y">')
    alternative = part("image/png", "png", "Content-ID: <y>")
    inner = multipart("alternative", html, alternative, boundary="c")
    copy = part("image/png", "png", "Content-ID: <x>")
    sentence = "image/png alternative attached as part-1.2.png"
    assert content_ids(adapted(multipart("mixed", inner, copy), sentence)) == ["y", "x"]


def test_empty_files_are_no_copies() -> None:
    inner = multipart("alternative", PLAIN, part("text/calendar", ""), boundary="c")
    log = part("text/plain", "", "Content-Disposition: attachment; filename=empty.log")
    sentence = "text/calendar alternative attached as invite.ics"
    assert names(adapted(multipart("mixed", inner, log), sentence)) == ["invite.ics", "empty.log"]


def test_alternatives_of_the_same_kind() -> None:
    entity = multipart("alternative", PLAIN, PLAIN, HTML)
    sentence = "Part 2: left out: another alternative has the same content"
    assert adapted(entity, sentence)["text"] == "plain"
    entity = multipart("alternative", PLAIN, part("text/plain", "other"), HTML)
    body = adapted(entity, "Part 2: joined to the text before it")
    assert (body["text"], body["html"]) == ("plain\r\n\r\nother\r\n", "<p>html</p>")
    named = part("text/html; name=a.html", "<b>")
    entity = multipart("alternative", PLAIN, named)
    assert adapted(entity, "Part 2: the text sent without its filename")["html"] == "<b>"


def test_alternatives_of_one_kind_alone() -> None:
    sentence = "Part 2: joined to the text before it"
    body = adapted(multipart("alternative", PLAIN, part("text/plain", "other")), sentence)
    assert (body["text"], body.get("html")) == ("plain\r\n\r\nother\r\n", None)
    body = adapted(multipart("alternative", HTML, part("text/html", "<b>")), sentence)
    assert body["html"] == "<p>html</p><br>\r\n<b>"


def test_a_sentence_about_a_joined_alternative_names_its_first_part() -> None:
    texts = [part("text/plain", "one"), part("text/plain", "two")]
    pairs = [multipart("alternative", text, HTML, boundary=f"d{text[-1]}") for text in texts]
    entity = multipart("alternative", PLAIN, multipart("mixed", *pairs, boundary="c"))
    body = adapted(
        entity,
        "Part 2.2.1: joined to the text before it",
        "Part 2.1.1: the text left out: an alternative has a text",
    )
    assert body["text"] == "plain"


def test_an_html_alternative_with_a_text_of_its_own() -> None:
    inner = multipart("alternative", part("text/plain", "other"), HTML, boundary="c")
    entity = multipart("alternative", PLAIN, inner)
    body = adapted(entity, "Part 2.1: the text left out: an alternative has a text")
    assert (body["text"], body["html"]) == ("plain", "<p>html</p>")


# Other texts


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("text/markdown", ".md"), ("text/enriched", ".txt"), ("text/x-log", ".txt")),
        *(("text/csv; charset=utf-8", ".csv"), (ICS, "invite.ics")),
    ],
)
def test_a_text_of_another_type_is_attached(kind: str, name: str) -> None:
    text = part(kind, "words", "Content-Disposition: inline")
    full = kind.partition(";")[0]
    for entity, number in ((text, 1), (multipart("mixed", PLAIN, text), 2)):
        filename = name if name == "invite.ics" else f"part-{number}{name}"
        body = adapted(entity, f"{full} attached as {filename}")
        assert names(body) == [filename]
        assert names(json.loads(request(entity, is_strict=True).body)) == [filename]


@pytest.mark.parametrize("fields", ["attachment", "inline; filename=a.md"])
def test_a_text_of_another_type_that_is_a_file(fields: str) -> None:
    file = part("text/markdown", "words", f"Content-Disposition: {fields}")
    assert names(adapted(file)) in (["part-1.md"], ["a.md"])
    style = part("text/css", "p {}", "Content-ID: <a>")
    assert names(adapted(multipart("related", HTML, style))) == ["part-2.css"]


@pytest.mark.parametrize("kind", ["text/plain; name=body.txt", "text/html; name=body.html"])
def test_a_message_that_is_one_text_with_a_name_is_this_text(kind: str) -> None:
    body = adapted(part(kind, "words"), "The text sent without its filename")
    assert "words" in (body["text"], body.get("html"))
    assert "attachments" not in body
    file = part(kind, "words", "Content-Disposition: attachment")
    assert len(names(adapted(file))) == 1
    assert len(names(adapted(multipart("mixed", PLAIN, part(kind, "words"))))) == 1


# Several texts


def test_texts_beside_each_other_are_joined() -> None:
    picture = part("image/png", "x", "Content-Disposition: inline; filename=a.png")
    entity = multipart("mixed", part("text/plain", "one\r\n"), picture, part("text/plain", "two"))
    body = adapted(entity, "Part 3: joined to the text before it")
    assert body["text"] == "one\r\n\r\ntwo\r\n"
    assert names(body) == ["a.png"]
    strict = json.loads(request(entity, is_strict=True).body)
    assert names(strict) == ["a.png", "part-3.txt"]


def test_a_text_is_joined_to_both_forms_of_a_text() -> None:
    both = multipart("alternative", PLAIN, HTML, boundary="c")
    body = adapted(
        multipart("mixed", both, part("text/plain", 'a < "b"')),
        "Part 2: joined to the text before it",
    )
    assert body["text"] == 'plain\r\n\r\na < "b"\r\n'
    assert body["html"] == '<p>html</p><br>\r\n<pre>a &lt; "b"</pre>\r\n'


def test_an_empty_line_at_the_begin_of_a_text_is_shown_in_html() -> None:
    entity = multipart("mixed", HTML, part("text/plain", "\r\nfooter"))
    body: dict[str, Any] = json.loads(request(entity).body)
    assert body["html"] == "<p>html</p><br>\r\n<pre>\r\n\r\nfooter</pre>\r\n"


def test_the_api_makes_the_text_of_several_of_which_one_is_only_html() -> None:
    entity = multipart("mixed", PLAIN, HTML, part("text/plain", "footer"))
    joined = [f"Part {number}: joined to the text before it" for number in (2, 3)]
    made = "Text version made from the joined HTML text"
    body = adapted(entity, *joined, made)
    assert "text" not in body
    assert "<pre>plain</pre>" in body["html"]
    assert "<pre>footer</pre>" in body["html"]
    both = multipart("alternative", PLAIN, HTML, boundary="c")
    body = adapted(multipart("mixed", both, HTML), joined[0], made)
    assert "text" not in body
    assert body["html"] == "<p>html</p><br>\r\n<p>html</p>"


BLANK = part("text/plain", "\r\n")


@pytest.mark.parametrize("parts", [(PLAIN, HTML), (PLAIN, HTML, BLANK)])
def test_one_text_and_one_html_text_are_two_forms_of_one(parts: tuple[str, ...]) -> None:
    body = adapted(multipart("mixed", *parts), "Part 2: joined to the text as its HTML")
    assert (body["text"], body["html"]) == ("plain", "<p>html</p>")


FILE = part("application/pdf; name=a.pdf", "x")


@pytest.mark.parametrize("parts", [(HTML, PLAIN), (PLAIN, HTML, FILE), (PLAIN, FILE, HTML)])
def test_a_text_that_is_not_alone_with_html_is_shown_in_it(parts: tuple[str, ...]) -> None:
    number = len(parts) if parts[-1] != FILE else 2
    sentence = f"Part {number}: joined to the text before it"
    body = adapted(
        multipart("mixed", *parts), sentence, "Text version made from the joined HTML text"
    )
    assert "<pre>plain</pre>" in body["html"]
    assert "<p>html</p>" in body["html"]
    assert "text" not in body


def test_joined_texts_stay_whole_beside_html_that_the_api_would_cut() -> None:
    long = "x" * MAX_HTML
    inner = multipart("mixed", part("text/plain", long), HTML, FILE, boundary="c")
    entity = multipart("mixed", inner, part("text/plain", "IMPORTANT"))
    body = adapted(
        entity,
        "Part 1.2: joined to the text before it",
        "Part 2: joined to the text before it",
        "HTML text replaced by [...] in the text version",
    )
    assert body["text"] == f"{long}\r\n\r\n[...]\r\n\r\nIMPORTANT\r\n"
    assert "<pre>IMPORTANT</pre>" in body["html"]


def test_the_longest_html_that_the_api_makes_a_text_of() -> None:
    noted = Adaptations()
    assert text_version("a", "x" * MAX_HTML, noted) is None
    assert text_version("a", "x" * (MAX_HTML + 1), noted) == "a"


def test_the_relay_knows_how_much_html_the_api_makes_a_text_of() -> None:
    assert MAX_HTML == plain_text.MAX_HTML


@pytest.mark.parametrize("html", [HTML, multipart("alternative", PLAIN, HTML, boundary="c")])
def test_a_text_that_would_make_the_message_too_large_is_attached(html: str) -> None:
    long = "&" * 900_000
    footer = part("text/plain", "footer")
    body = adapted(
        multipart("mixed", part("text/plain", long), html, footer),
        "Part 3: joined to the text before it",
        "Part 1: attached as part-1.txt: too long for the HTML text",
        *(["Text version made from the joined HTML text"] if html == HTML else []),
    )
    (file,) = body["attachments"]
    assert (file["filename"], content_of(file)) == ("part-1.txt", long)
    assert "<p>html</p>" in body["html"]
    assert "<pre>footer</pre>" in body["html"]


def test_a_long_text_that_an_alternative_repeats_has_one_sentence() -> None:
    long = "&" * 900_000
    copy = part("text/plain", long, "Content-Disposition: attachment; filename=a.txt")
    alternatives = multipart("alternative", HTML, copy, boundary="c")
    entity = multipart("mixed", alternatives, part("text/plain", long))
    body = adapted(
        entity,
        "text/plain alternative attached as a.txt",
        "Second file with the content of a.txt left out",
    )
    assert names(body) == ["a.txt"]


def test_a_file_with_the_content_of_a_text_that_is_attached_is_kept() -> None:
    """The text is no alternative, so it is not left out as a copy."""
    long = "&" * 900_000
    copy = part("text/plain", long, "Content-Disposition: attachment; filename=a.txt")
    body = adapted(
        multipart("mixed", copy, HTML, part("text/plain", long)),
        "Part 3: attached as part-3.txt: too long for the HTML text",
    )
    assert names(body) == ["a.txt", "part-3.txt"]


def test_the_texts_that_html_shows_are_limited_together() -> None:
    half = part("text/plain", "x" * (MAX_TEXTS_IN_HTML // 2))
    body = json.loads(request(multipart("mixed", HTML, half, half, PLAIN)).body)
    assert names(body) == ["part-3.txt"]
    assert "<pre>plain</pre>" in body["html"]


def test_long_texts_are_joined_if_there_is_no_html() -> None:
    long = part("text/plain", "&" * 900_000)
    for more in (PLAIN, BLANK, part("text/html", " ")):
        assert "attachments" not in json.loads(request(multipart("mixed", long, more)).body)


def test_blank_texts_are_not_joined() -> None:
    blank = part("text/plain", "\r\n")
    assert adapted(multipart("mixed", blank, PLAIN, blank))["text"] == "plain"
    assert adapted(multipart("mixed", blank, blank))["text"] == "\r\n"
    assert adapted(multipart("mixed", part("text/plain", "  "), blank))["text"] == "  "


def test_the_root_of_a_related_may_be_named() -> None:
    """Of several parts that could be the root, it is the one with this Content-ID."""
    first, root = (part("text/html", f"<p>{n}</p>", f"Content-ID: <{n}@x>") for n in (1, 2))
    related = multipart("related", first, root)
    body = adapted(related.replace("boundary=b", 'start="<2@x>"; boundary=b'))
    assert (body["html"], names(body)) == ("<p>2</p>", ["part-1.html"])
    assert adapted(related)["html"] == "<p>1</p>"
    assert adapted(related.replace("boundary=b", "start=3@x; boundary=b"))["html"] == "<p>1</p>"


def test_a_text_of_a_related_is_a_resource_only_if_it_can_be_shown() -> None:
    css = part("text/plain", "css", "Content-ID: <css@x>")
    assert names(adapted(multipart("related", HTML, css))) == ["part-2.txt"]
    sentence = "Part 2: joined to the text as its HTML"
    assert adapted(multipart("related", PLAIN, HTML), sentence)["html"] == "<p>html</p>"


@pytest.mark.parametrize("html", [part("text/html", "<b>", "Content-ID: <root>"), HTML])
def test_a_related_that_begins_with_a_picture(html: str) -> None:
    image = part("image/png; name=a.png", "x", "Content-ID: <a>")
    sentence = "Part 2: read as the text that the multipart/related shows"
    body = adapted(multipart("related", image, html), sentence)
    assert body["html"] in ("<b>", "<p>html</p>")
    assert names(body) == ["a.png"]
    named = part("text/html; name=a.html", "<b>")
    assert names(adapted(multipart("related", image, named))) == ["a.png", "a.html"]


# Boundaries


@pytest.mark.parametrize("declared", ['"b" (c)', "x", '""', "é", "éb", "x" * 300])
def test_a_boundary_other_than_that_of_the_lines(declared: str) -> None:
    entity = multipart("mixed", PLAIN, FILE).replace("boundary=b", f"boundary={declared}", 1)
    body = adapted(entity, "Boundary of the multipart guessed from its lines")
    assert (body["text"], names(body)) == ("plain", ["a.pdf"])
    assert "boundary" in rejected(entity)


@pytest.mark.parametrize(
    "line", ["-- ", "-----\r\nContent-Note: x", f"--{'c' * 201}\r\nContent-Note: x"]
)
def test_a_line_that_is_no_boundary_is_not_guessed(line: str) -> None:
    entity = multipart("mixed", PLAIN, FILE).replace("\r\n--b", f"\r\n{line}\r\n--b", 1)
    entity = entity.replace("boundary=b", 'boundary=""')
    assert names(adapted(entity, "Boundary of the multipart guessed from its lines")) == ["a.pdf"]


def test_the_longest_boundary() -> None:
    longest = multipart("mixed", PLAIN, FILE, boundary="x" * 200)
    assert names(adapted(longest)) == ["a.pdf"]
    other = longest.replace("boundary=x", "boundary=y")
    assert names(adapted(other, "Boundary of the multipart guessed from its lines")) == ["a.pdf"]
    with pytest.raises(CannotRelay, match="no boundary"):
        request(multipart("mixed", PLAIN, FILE, boundary="x" * 201))


def test_one_delimiter_at_the_beginning_of_the_body_is_enough() -> None:
    inner = multipart("alternative", PLAIN, HTML, boundary="c")
    cut = multipart("mixed", inner).removesuffix("--b--\r\n")
    body = adapted(cut)
    assert (body["text"], body["html"]) == ("plain", "<p>html</p>")


def test_a_boundary_in_angle_brackets_without_quotes() -> None:
    entity = multipart("mixed", PLAIN, FILE, boundary="<b>")
    assert names(adapted(entity, "Boundary of the multipart guessed from its lines")) == ["a.pdf"]


@pytest.mark.parametrize("body", ["text", "-- \r\nContent-Type: a/b", "--b\r\n\r\ntext"])
def test_a_boundary_is_not_guessed_without_the_header_of_a_part(body: str) -> None:
    with pytest.raises(CannotRelay, match="boundary"):
        request(f"Content-Type: multipart/mixed; boundary=x\r\n\r\n{body}")


# Messages, reports, signatures


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        *(("Subject: Re: 1/2 tides", "Re: 1_2 tides.eml"), ("From: a@b.example", "message.eml")),
        *(("Subject:\r\nSubject: one\r\nSubject: two", "one.eml"),),
        *(("Subject:", "message.eml"), ("Subject: =?utf-8?q?a=0D=0Ab?=", "a__b.eml")),
        ("Subject: " + "x" * 400, "x" * 251 + ".eml"),
    ],
)
def test_a_message_is_attached_under_its_subject(subject: str, name: str) -> None:
    inner = f"{subject}\r\n\r\ninner"
    entity = multipart("mixed", PLAIN, part("message/rfc822", inner))
    (file,) = adapted(entity, f"message/rfc822 attached as {shown(name)}")["attachments"]
    assert (file["filename"], file["content_type"]) == (name, "message/rfc822")
    assert content_of(file) == inner
    assert rejected(entity).startswith("Part 2: message/rfc822")


def test_a_message_is_an_attachment_although_it_has_a_content_id() -> None:
    fields = ("Content-Disposition: inline; filename=fwd.eml", "Content-ID: <a>")
    entity = multipart("mixed", HTML, part("message/rfc822", "Subject: x\r\n\r\n", *fields))
    (file,) = json.loads(request(entity).body)["attachments"]
    assert "content_id" not in file


def test_a_message_with_a_name_needs_no_change() -> None:
    named = "Content-Disposition: attachment; filename=fwd.eml"
    entity = multipart("mixed", PLAIN, part("message/rfc822", "Subject: x\r\n\r\n", named))
    assert names(adapted(entity)) == ["fwd.eml"]
    rejected(entity)


@pytest.mark.parametrize(
    ("kind", "name", "sent_as"),
    [
        ("message/delivery-status", "delivery-status.txt", "text/plain"),
        ("message/disposition-notification", "disposition-notification.txt", "text/plain"),
        ("message/feedback-report", "feedback-report.txt", "text/plain"),
        ("message/external-body", "external-body.txt", "text/plain"),
        ("message/global", "message.eml", "message/rfc822"),
    ],
)
def test_other_messages_are_attached_as_text(kind: str, name: str, sent_as: str) -> None:
    headers = part("text/rfc822-headers", "Subject: x")
    entity = multipart("report", PLAIN, part(kind, "Status: 5.1.1"), headers)
    body = adapted(
        entity,
        "multipart/report sent as its parts",
        f"{kind} attached as {name}",
        "text/rfc822-headers attached as headers.txt",
    )
    assert names(body) == [name, "headers.txt"]
    assert body["attachments"][0]["content_type"] == sent_as
    assert "multipart/report" in rejected(entity)


def test_a_digest() -> None:
    inner = multipart(
        "digest", "\r\nSubject: one\r\n\r\n1", "\r\nSubject: two\r\n\r\n2", boundary="c"
    )
    body = adapted(
        multipart("mixed", PLAIN, inner),
        "Part 2: multipart/digest sent as its parts",
        "message/rfc822 attached as one.eml",
        "message/rfc822 attached as two.eml",
    )
    assert names(body) == ["one.eml", "two.eml"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("application/pgp-signature", "signature.asc"),
        ("application/pkcs7-signature", "smime.p7s"),
        ("application/x-pkcs7-signature; name=own.p7s", "own.p7s"),
    ],
)
def test_a_signature_is_attached(kind: str, name: str) -> None:
    both = multipart("alternative", PLAIN, HTML, boundary="c")
    entity = multipart("signed", both, part(kind, "signature"))
    body = adapted(entity, "Signature attached as a file, so it will not verify")
    assert (body["text"], body["html"], names(body)) == ("plain", "<p>html</p>", [name])
    assert "multipart/signed" in rejected(entity)


@pytest.mark.parametrize(
    "entity",
    [
        multipart("encrypted", part("application/pgp-encrypted", "Version: 1"), PLAIN),
        part("application/pkcs7-mime; smime-type=enveloped-data", "x"),
        part("application/x-pkcs7-mime; name=smime.p7m", "x"),
        part("application/pkcs7-mime; smime-type=authEnveloped-data", "x"),
        multipart("mixed", part("application/pkcs7-mime; smime-type=enveloped-data", "x"), PLAIN),
        multipart("mixed", part("application/pkcs7-mime; name=smime.p7m", "x"), PLAIN),
    ],
)
def test_an_encrypted_message_is_rejected(entity: str) -> None:
    with pytest.raises(CannotRelay, match="encrypted"):
        request(entity)
    rejected(entity)


def test_only_a_part_of_a_signed_message_is_a_signature() -> None:
    entity = multipart("mixed", PLAIN, part("application/pgp-signature", "x"))
    (name,) = names(adapted(entity))
    assert name.startswith("part-2.")


def test_signed_content_in_one_part_is_attached() -> None:
    kind = "application/pkcs7-mime; smime-type=signed-data"
    body = adapted(part(kind, "x"), "Signed content attached as smime.p7m")
    assert names(body) == ["smime.p7m"]
    sentence = "Part 2: signed content attached as smime.p7m"
    assert names(adapted(multipart("mixed", PLAIN, part(kind, "x")), sentence)) == ["smime.p7m"]


@pytest.mark.parametrize("kind", ["name=letter.p7m", "smime-type=certs-only; name=smime.p7c"])
def test_other_files_of_smime_are_files(kind: str) -> None:
    file = part(f"application/pkcs7-mime; {kind}", "x")
    assert names(adapted(multipart("mixed", PLAIN, file))) == [kind.rpartition("=")[2]]


def test_other_multiparts_are_sent_as_their_parts() -> None:
    sentence = "multipart/voice-message sent as its parts"
    assert adapted(multipart("voice-message", PLAIN), sentence)["text"] == "plain"


@pytest.mark.parametrize(
    ("before", "after", "is_noted"),
    [("", "", False), ("\r\n", "\r\n\r\n", False), ("a\r\n", "", True), ("", "\r\nb", True)],
)
def test_text_around_uuencoded_content(before: str, after: str, is_noted: bool) -> None:
    content = f"{before}begin 644 a\r\n#86)C\r\n`\r\nend{after}"
    file = part("image/png; name=a.png", content, "Content-Transfer-Encoding: uuencode")
    sentences = ["Part 1: text before or after the uuencoded content left out"]
    body = adapted(multipart("mixed", file), *(sentences if is_noted else ()))
    assert [content_of(file) for file in body["attachments"]] == ["abc"]
    if is_noted:
        assert "uuencoded" in rejected(multipart("mixed", file))


@pytest.mark.parametrize(
    ("lines", "is_valid"), [(["5"], True), (["6"], False), (["M", "M"], False)]
)
def test_uuencoded_lines_that_are_shorter_than_they_say(lines: list[str], is_valid: bool) -> None:
    """The file must not become longer than the text that encodes it, which has 21 bytes or more."""
    entity = part(
        "image/png",
        "\r\n".join(["begin 644 a", *lines, "end", ""]),
        "Content-Transfer-Encoding: uuencode",
    )
    if is_valid:
        (file,) = adapted(entity)["attachments"]
        assert content_of(file) == "\0" * 21
    else:
        with pytest.raises(CannotRelay, match="not uuencoded from begin to end"):
            request(entity)


# Files and Content-IDs


@pytest.mark.parametrize(
    ("given", "name", "change"),
    [
        ("C:/Files/x/report.pdf", "report.pdf", " reduced to its last segment"),
        ("folder/", "folder", " reduced to its last segment"),
        ("a\u202eb\u200d.pdf", "a_b_.pdf", ": characters that are not allowed replaced by _"),
        ("名" * 90 + ".tar.gz", "名" * 84 + ".gz", " shortened to 255 bytes"),
        ("x" * 300, "x" * 255, " shortened to 255 bytes"),
        # An ending has at most 20 bytes.
        (f"{'x' * 300}.{'y' * 20}", f"{'x' * 234}.{'y' * 20}", " shortened to 255 bytes"),
        (f"{'x' * 240}.{'y' * 21}", f"{'x' * 240}.{'y' * 14}", " shortened to 255 bytes"),
        (f".{'x' * 255}", f".{'x' * 254}", " shortened to 255 bytes"),
    ],
)
def test_filenames(given: str, name: str, change: str) -> None:
    file = part("application/pdf", "x", f'Content-Disposition: attachment; filename="{given}"')
    body = adapted(multipart("mixed", PLAIN, file), f"Filename of {shown(name)}{change}")
    assert names(body) == [name]


def test_the_longest_filename() -> None:
    name = "é" * 125 + "x.pdf"
    file = part("application/pdf", "x", f'Content-Disposition: attachment; filename="{name}"')
    assert (len(name.encode()), names(adapted(multipart("mixed", PLAIN, file)))) == (255, [name])


def test_a_type_that_is_not_registered_has_its_usual_ending() -> None:
    assert names(adapted(multipart("mixed", PLAIN, part("image/jpg", "x")))) == ["part-2.jpg"]


def test_a_missing_semicolon() -> None:
    file = part("image/png", "x", "Content-Disposition: attachment filename=a.png")
    assert names(adapted(multipart("mixed", PLAIN, file))) == ["a.png"]
    file = part("image/png", "x", "Content-Disposition: attachment filename")
    assert names(adapted(multipart("mixed", PLAIN, file))) == ["part-2.png"]


BLANK_NAMES = ["", " ", "..", "//", "\u00a0", "\u3000", "=?utf-8?q?=E2=80=83?=", "\u1680 ."]


@pytest.mark.parametrize("given", BLANK_NAMES)
def test_a_blank_filename(given: str) -> None:
    named = f'Content-Disposition: attachment; filename="{given}"'
    file = part("application/pdf", "x", named)
    entity = multipart("mixed", PLAIN, part("image/png", "x"), file)
    body = adapted(entity, "Blank filename replaced by attachment-2")
    assert names(body) == ["part-2.png", "attachment-2"]


@pytest.mark.parametrize("given", BLANK_NAMES)
def test_a_blank_filename_of_a_part_that_a_rule_names(given: str) -> None:
    named = f'Content-Disposition: inline; filename="{given}"'
    body = adapted(
        multipart("alternative", PLAIN, part(ICS, "x", named)),
        "text/calendar alternative attached as invite.ics",
    )
    assert names(body) == ["invite.ics"]
    message = part("message/rfc822", "Subject: one\r\n\r\nx", named)
    sentence = "message/rfc822 attached as one.eml"
    assert names(adapted(multipart("mixed", PLAIN, message), sentence)) == ["one.eml"]


@pytest.mark.parametrize("given", BLANK_NAMES)
def test_a_blank_filename_is_no_name(given: str) -> None:
    """A text is displayed, an encrypted message is rejected, and another name counts."""
    named = f'Content-Disposition: inline; filename="{given}"'
    assert adapted(multipart("mixed", part("text/plain", "x", named)))["text"] == "x"
    secret = part("application/pkcs7-mime; smime-type=enveloped-data", "x", named)
    assert "encrypted" in rejected(multipart("mixed", PLAIN, secret))
    with pytest.raises(CannotRelay, match="encrypted"):
        request(multipart("mixed", PLAIN, secret))
    assert names(adapted(multipart("mixed", PLAIN, part("image/png; name=a.png", "x", named)))) == [
        "a.png"
    ]


def picture(content_id: str, name: str, disposition: str = "inline") -> str:
    fields = (f"Content-Disposition: {disposition}; filename={name}", f"Content-ID: {content_id}")
    return part("image/png", name, *fields)


def content_ids(body: dict[str, Any]) -> list[str | None]:
    return [file.get("content_id") for file in body["attachments"]]


@pytest.mark.parametrize(
    ("reference", "new"),
    [
        *(('"cid:a b.png"', '"cid:a%20b.png"'), ("'CID:a%20b.png'", "'CID:a%20b.png'")),
        *(("url(cid:a b.png)", "url(cid:a%20b.png)"), ('"cid:a&#32;b.png"', '"cid:a%20b.png"')),
        *(('"cid:other"', '"cid:other"'), ("cid:a b.png", "cid:a b.png")),
    ],
)
def test_a_content_id_with_forbidden_characters(reference: str, new: str) -> None:
    html = part("text/html", f"<img src={reference}>")
    entity = multipart("related", html, picture("<a b.png>", "a.png"))
    body = adapted(entity, "Content-ID of a.png percent-encoded")
    assert content_ids(body) == ["a%20b.png"]
    assert body["html"] == f"<img src={new}>"
    rejected(entity)


@pytest.mark.parametrize(
    ("written", "sent"), [("<a b>", "a%20b"), ("a>", "a%3E"), ("<a", "%3Ca"), ("a b", "a%20b")]
)
def test_content_ids_without_html_and_behind_other_files(written: str, sent: str) -> None:
    entity = multipart("mixed", PLAIN, FILE, picture(written, "b.png"))
    body = adapted(entity, "Content-ID of b.png percent-encoded")
    assert content_ids(body) == [None, sent]


def test_all_other_characters_of_a_content_id_are_kept() -> None:
    kept = "!#$%&'()*+,-./09:;=?@AZ[]^_`az{|}~"
    entity = multipart("related", HTML, picture(f"<{kept}>", "a.png"))
    assert content_ids(adapted(entity)) == [kept]
    entity = multipart("related", HTML, picture("<\x7f>", "a.png"))
    assert content_ids(adapted(entity, "Content-ID of a.png percent-encoded")) == ["%7F"]


def test_a_content_id_that_is_too_long() -> None:
    long = "i" * 129
    html = part("text/html", f'<img src="cid:{long}"><p title="{long}">')
    entity = multipart("related", html, picture(f"<{long}>", "a.png"))
    body = adapted(entity, "Content-ID of a.png replaced by a hash")
    (content_id,) = content_ids(body)
    assert content_id is not None
    assert len(content_id) == 32
    assert body["html"] == f'<img src="cid:{content_id}"><p title="{long}">'
    exact = multipart("related", HTML, picture(f"<{'i' * 128}>", "a.png"))
    assert content_ids(adapted(exact)) == ["i" * 128]


def test_a_content_id_of_any_length_is_replaced_in_the_html_too() -> None:
    long = "x" * 2100
    html = part("text/html", f"<img src=\"cid:{long}\"><img src='cid:{long}'>")
    entity = multipart("related", html, picture(f"<{long}>", "a.png"))
    body = adapted(entity, "Content-ID of a.png replaced by a hash")
    (content_id,) = content_ids(body)
    assert body["html"] == f"<img src=\"cid:{content_id}\"><img src='cid:{content_id}'>"


def test_a_second_equal_content_id() -> None:
    entity = multipart("related", HTML, *(picture("<a>", f"{n}.png") for n in (1, 2)))
    body = adapted(entity, "Second equal Content-ID of 2.png left out")
    assert content_ids(body) == ["a", None]
    entity = multipart("related", HTML, *(picture("<a b>", f"{n}.png") for n in (1, 2)))
    sentences = ["Content-ID of 1.png percent-encoded", "Second equal Content-ID of 2.png left out"]
    assert content_ids(adapted(entity, *sentences)) == ["a%20b", None]


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_file_is_attached_unless_the_html_shows_it(is_strict: bool) -> None:
    files = [picture(f"<{name}>", name, "attachment") for name in ("a", "b")]
    html = part("text/html", '<img src="cid:b">')
    body = json.loads(request(multipart("mixed", html, *files), is_strict=is_strict).body)
    assert content_ids(body) == [None, "b"]
    assert body["adaptations"] == ["Content-ID of a left out: no HTML text shows the file"]


# Fields and parameters


def test_fields_of_parts() -> None:
    fields = (
        "Content-Duration: 9",
        "Content-Description:",
        "content-md5: x",
        "Content-Language: de",
    )
    file = part("audio/x-wav; name=a.wav;", "x", *fields)
    sentences = [f"Part 2: {name} left out" for name in ("Content-Duration", "Content-Language")]
    adapted(multipart("mixed", PLAIN, file), *sentences)


def test_fields_beside_a_description_and_a_content_id() -> None:
    fields = "Content-Description: a.wav", "Content-ID: <a>", "Content-Duration: 9"
    entity = multipart("mixed", PLAIN, part("audio/x-wav; name=a.wav", "x", *fields))
    adapted(entity, "Part 2: Content-Duration left out")
    assert rejected(entity) == "Part 2: Content-Duration is not supported"


NOT_A_TYPE = "Content-Type, which is not a media type, read as"


@pytest.mark.parametrize(
    ("written", "sent", "sentences"),
    [
        ("image/png;", "image/png", []),
        ("image/png; name=b.png; x=y", "image/png; x=y", []),
        ("image/png; charset=; ;a=b", "image/png; a=b", []),
        ('image/png; "x"=y', "image/png", ["Part 2: a parameter of Content-Type left out"]),
        ("image/png; a=é", "image/png", ["Part 2: a parameter of Content-Type left out"]),
        (
            "image/png; n*0=a; n*=b; c=d",
            "image/png; c=d",
            ["Part 2: Content-Type: unreadable parameters left out"],
        ),
        (
            "image/png; c=" + "d" * 300,
            "image/png",
            ["Part 2: a parameter of Content-Type left out"],
        ),
        (
            "text/csv charset=utf-8",
            "text/csv; charset=utf-8",
            ["Part 2: Content-Type, which is not a media type, read as text/csv"],
        ),
        *(
            (odd, "text/plain", [f"Part 2: {NOT_A_TYPE} text/plain"])
            for odd in ("pdf", "/html", "text html", "plain/text", "multipart", "x; boundary=b")
        ),
        ("charset=utf-8", "text/plain; charset=utf-8", [f"Part 2: {NOT_A_TYPE} text/plain"]),
    ],
)
def test_types(written: str, sent: str, sentences: list[str]) -> None:
    file = part(written, "x", "Content-Disposition: attachment; filename=a; size=;")
    (attachment,) = adapted(multipart("mixed", PLAIN, file), *sentences)["attachments"]
    assert (attachment["content_type"], attachment["filename"]) == (sent, "a")


def test_the_longest_types() -> None:
    for kind in ("a/" + "b" * 118, f"image/png; c={'d' * 242}"):
        (file,) = adapted(multipart("mixed", PLAIN, part(kind, "x")))["attachments"]
        assert file["content_type"] == kind
    file = part(f"image/png; c={'d' * 243}", "x")
    body = adapted(multipart("mixed", PLAIN, file), "Part 2: a parameter of Content-Type left out")
    assert body["attachments"][0]["content_type"] == "image/png"
    sentence = "Part 2: Content-Type, which is not a media type, read as text/plain"
    long = part("a/" + "b" * 119, "x", "Content-Disposition: attachment")
    body = adapted(multipart("mixed", PLAIN, long), sentence)
    assert body["attachments"][0]["content_type"] == "text/plain"


def test_errors_show_the_beginning_of_a_type_and_of_a_parameter() -> None:
    error = rejected(f"Content-Type: {'x' * 61}\r\n\r\n")
    assert error == f"Content-Type is not a media type: {'x' * 60}"
    error = rejected(f"Content-Type: image/png; {'n' * 41}=é\r\n\r\nx")
    assert error == f"a parameter of Content-Type is not supported: {'n' * 40!r}"


def test_two_blank_names_are_no_name_for_a_strict_relay() -> None:
    file = part('image/png; name=" "', "x", 'Content-Disposition: attachment; filename=""')
    strict = request(multipart("mixed", PLAIN, file), is_strict=True)
    assert names(json.loads(strict.body)) == ["part-2.png"]


@pytest.mark.parametrize("field", ["X-Unused: x", "Content-Disposition: x; filename"])
def test_a_filename_of_any_length_is_shortened(field: str) -> None:
    name, given = "a" * 251 + ".pdf", f'"{"a" * 9000}.pdf"'
    file = part(f"application/pdf; name={given}", "x", f"{field}={given}")
    sentence = f"Filename of {shown(name)} shortened to 255 bytes"
    assert names(adapted(multipart("mixed", PLAIN, file), sentence)) == [name]


def test_a_parameter_that_is_too_long_costs_only_itself() -> None:
    file = part(f"application/pdf; x={'a' * 9000}; y=b", "x")
    body = adapted(multipart("mixed", PLAIN, file), "Part 2: a parameter of Content-Type left out")
    assert body["attachments"][0]["content_type"] == "application/pdf; y=b"


def test_a_type_without_a_subtype_is_what_the_content_is() -> None:
    what = "Content-Type, which is not a media type, read as"
    assert adapted("Content-Type: text\r\n\r\nwords", f"{what} text/plain")["text"] == "words"
    entity = b"Content-Type: pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0AAQ=="
    (file,) = adapted(entity, f"{what} application/octet-stream")["attachments"]
    assert file["content_type"] == "application/octet-stream"
    entity = b"Content-Type: multipart; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b--"
    assert adapted(entity, f"{what} multipart/mixed")["text"] == "words"


def test_a_filename_in_its_charset() -> None:
    encoded = b"Content-Disposition: attachment; filename*=iso-8859-7'el'%e1.pdf\r\n\r\nx"
    assert names(adapted(encoded)) == ["α.pdf"]


@pytest.mark.parametrize(
    "written",
    [
        *('"text/html"', "text/html, charset=utf-8", "text/html,charset=utf-8", "text/html,"),
        *('"text/html; charset=utf-8"', '"text/html";', "text/html charset=utf-8"),
    ],
)
def test_html_in_quotes_or_with_a_comma_is_shown(written: str) -> None:
    sentence = "Content-Type, which is not a media type, read as text/html"
    entity = f"Content-Type: {written}\r\n\r\n<p>ü</p>"
    charset = [] if "charset" in written else ["The text read as UTF-8"]
    assert adapted(entity, sentence, *charset)["html"] == "<p>ü</p>"


def test_filenames_in_unknown_charsets() -> None:
    raw = b"Content-Disposition: attachment; filename=Gr\xfc\xdfe.pdf\r\n\r\nx"
    assert names(adapted(raw, "Content-Disposition read as windows-1252")) == ["Grüße.pdf"]
    encoded = b"Content-Disposition: attachment; filename*=x-none''%fc.pdf\r\n\r\nx"
    assert names(adapted(encoded, "Content-Disposition read as windows-1252")) == ["ü.pdf"]
    half = "Content-Disposition: attachment; filename*=utf-8''中.pdf\r\n\r\nx"
    assert names(adapted(half, "Content-Disposition: a parameter read as UTF-8")) == ["中.pdf"]


# Transfer encodings


@pytest.mark.parametrize("name", ['"base64"', "base64; x=y", "BASE64 (a comment)", "base64;"])
def test_the_name_of_a_transfer_encoding(name: str) -> None:
    assert adapted(f"Content-Transfer-Encoding: {name}\r\n\r\nd29yZHM=")["text"] == "words"


@pytest.mark.parametrize("size", [45, 300_000])
def test_encoded_content_of_many_lines(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"the end of it"
    lines = [binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45)]
    written = b"begin 644 a\n" + b"".join(lines) + b"\nend\n"
    for encoding, encoded in (
        ("x-uuencode", written),
        ("quoted-printable", binascii.b2a_qp(content, istext=False)),
    ):
        head = f"Content-Type: image/png\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        (file,) = adapted(head.encode() + encoded.replace(b"\n", b"\r\n"))["attachments"]
        assert base64.b64decode(file["content"]) == content


def test_an_error_shows_the_beginning_of_an_encoding() -> None:
    error = rejected(f"Content-Transfer-Encoding: {'x' * 41}\r\n\r\n")
    assert error == f"unknown Content-Transfer-Encoding: {'x' * 40}"


@pytest.mark.parametrize("name", ["x-yenc", "8 bit", "utf-8"])
def test_an_unknown_transfer_encoding(name: str) -> None:
    entity = f"Content-Transfer-Encoding: {name}\r\n\r\nwords=20"
    sentence = "Unknown Content-Transfer-Encoding read as 8bit"
    assert adapted(entity, sentence)["text"] == "words=20"
    assert "unknown Content-Transfer-Encoding" in rejected(entity)


@pytest.mark.parametrize(
    "base64_text",
    [
        *("d29yZHM=\r\n-- \r\nA footer", "d29yZHMu\r\n____\r\nA footer", "d29yZHM=footer"),
        *("d29y\r\nZHMu\r\n\r\n*** SCANNED ***", "d29yZHMu\r\nWords of a list\r\n"),
        *("d29yZHM=\r\na.example", "d29yZHMu\r\nfree text of a list", "d29yZHMu\r\n.\ttabs"),
        f"d29yZHM={'A' * 59}",
    ],
)
def test_text_behind_base64(base64_text: str) -> None:
    entity = f"Content-Transfer-Encoding: base64\r\n\r\n{base64_text}"
    body = adapted(entity, "Text behind the end of the base64 content left out")
    assert body["text"].rstrip(".") == "words"
    assert "is not base64" in rejected(entity)


LONG = base64.b64encode("é÷ÿ".encode("latin-1") * 40).decode()  # has + and /


@pytest.mark.parametrize(
    ("base64_text", "text", "sentence"),
    [
        ("d29yZHM=\r\nQUFBQQ==", "wordsAAAA", "Base64 in several pieces read as one"),
        ("d29yZHM=QQ==\r\nQUFB", "wordsAAAA", "Base64 in several pieces read as one"),
        ("d29yZHMu\r\n\r\nQUFB", "words.AAA", "Base64 behind an empty line read as content"),
        (
            LONG[:60] + "!" + LONG[60:],
            "é÷ÿ" * 40,
            "Characters that are not base64 left out",
        ),
        (
            LONG[:100] + "!" + LONG[100:],
            "é÷ÿ" * 40,
            "Characters that are not base64 left out",
        ),
        (
            LONG.translate(str.maketrans("+/", "-_")),
            "é÷ÿ" * 40,
            "Base64 read in its alphabet for URLs",
        ),
    ],
)
def test_content_of_odd_base64_is_complete(base64_text: str, text: str, sentence: str) -> None:
    kind = "Content-Type: text/plain; charset=iso-8859-1\r\n"
    entity = f"{kind}Content-Transfer-Encoding: base64\r\n\r\n{base64_text}"
    assert adapted(entity, sentence)["text"] == text


@pytest.mark.parametrize("size", [180, 181, 182, 228])
def test_blanks_in_base64_are_ignored(size: int) -> None:
    content = bytes(range(256))[:size]
    lines = base64.encodebytes(content).decode().split()
    fields = "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    for number, line in enumerate(lines):
        for place in (0, 1, len(line) // 2, len(line) - 1, len(line)):
            with_blank = [*lines]
            with_blank[number] = f"{line[:place]} \t{line[place:]}"
            (file,) = adapted(fields + "\r\n".join(with_blank))["attachments"]
            assert base64.b64decode(file["content"]) == content


def test_pieces_of_base64_before_a_footer() -> None:
    entity = "Content-Transfer-Encoding: base64\r\n\r\nd29yZHM=\r\nQUFBQQ==\r\n-- \r\nA footer"
    body = adapted(
        entity,
        "Base64 in several pieces read as one",
        "Text behind the end of the base64 content left out",
    )
    assert body["text"] == "wordsAAAA"


@pytest.mark.parametrize(
    "text",
    [
        *("--//" * 40, "++__" * 40, LONG[:101] + "!" + LONG[101:]),
        # Padding inside of content.
        LONG[:63] + "=" + LONG[64:100] + "!" + LONG[100:],
        *("d29y!ZHM=", "words of a text\r\n, and more", "d29yZ\r\n-- \r\n", "not-base64"),
        # Content could follow the text, or a character could be missing.
        *("d29yZHM=\r\n-- \r\nQUFBQQ==", f"d29yZHM=\r\n-- \r\n{LONG}", "d29yZHMu\r\na.example"),
        *(
            f"d29yZHM={'A' * 61}",
            "d29yZHMu\r\n-- \r\n" + "QUFB\r\n" * 20,
            LONG[1:60] + "!" + LONG[60:],
        ),
    ],
)
def test_what_is_not_base64_is_rejected(text: str) -> None:
    with pytest.raises(CannotRelay, match="the content is not base64"):
        request(f"Content-Transfer-Encoding: base64\r\n\r\n{text}")


@pytest.mark.parametrize(("letters", "others"), [(60, 7), (59, 7), (64, 8), (63, 8)])
def test_lines_behind_base64_are_no_text_if_they_look_like_base64(
    letters: int, others: int
) -> None:
    """At least 60 letters and digits, and at most one other character for eight of them."""
    lines = " ".join(["a", "a \r\na", *["a"] * (others - 3), "b" * (letters - others)])
    kind = "Content-Type: text/plain; charset=iso-8859-1\r\n"
    entity = f"{kind}Content-Transfer-Encoding: base64\r\n\r\nd29yZHM=\r\n{lines}"
    if letters in (60, 64):
        assert adapted(entity, "Base64 in several pieces read as one")["text"] != "words"
    else:
        sentence = "Text behind the end of the base64 content left out"
        assert adapted(entity, sentence)["text"] == "words"


@pytest.mark.parametrize(("digits", "strays"), [(32, 1), (28, 1), (128, 4), (124, 4)])
def test_characters_that_are_not_base64_are_at_most_one_in_32(digits: int, strays: int) -> None:
    content = b"w" * (digits // 4 * 3 - 1)
    written = base64.b64encode(content)
    marked = b"\xff" * strays + written[:8] + b"\r\n" + written[8:]
    entity = b"Content-Transfer-Encoding: base64\r\n\r\n" + marked
    if digits in (32, 128):
        sentence = "Characters that are not base64 left out"
        assert adapted(entity, sentence)["text"] == content.decode()
    else:
        with pytest.raises(CannotRelay, match="is not base64"):
            request(entity)


@pytest.mark.parametrize("base64_text", ["d29yZHM", "d29yZA", "d29yZHMu", "d29y\r\n\tZHMu "])
def test_base64_without_padding(base64_text: str) -> None:
    entity = f"Content-Transfer-Encoding: base64\r\n\r\n{base64_text}"
    assert adapted(entity)["text"] in ("words", "word", "words.")


def test_the_encoding_of_a_multipart_is_ignored() -> None:
    entity = "Content-Transfer-Encoding: base64\r\n" + multipart("mixed", PLAIN)
    sentence = "Content-Transfer-Encoding of the multipart ignored"
    assert adapted(entity, sentence)["text"] == "plain"
    assert "can't have a Content-Transfer-Encoding" in rejected(entity)


# Charsets


@pytest.mark.parametrize(
    ("charset", "content", "text", "sentence"),
    [
        ("", "ü".encode(), "ü", "The text read as UTF-8"),
        ("us-ascii", b"\x93\xfc\x94", "“ü”", "The text read as windows-1252"),
        ("unknown-8bit", b"\xfc", "ü", "The text read as windows-1252"),
        ("x-none", "ü".encode(), "ü", "The text read as UTF-8"),
        ("utf-8", b"a\xfcb", "a\ufffdb", "The text: bytes invalid in its charset replaced"),
        (
            "gb2312",
            b"\xc4\xe3\xff!",
            "你\ufffd!",
            "The text: bytes invalid in its charset replaced",
        ),
        ("iso-8859-1", b"\x80\x81", "€\x81", None),
        ("gb2312", "镕".encode("gb18030"), "镕", None),
        ("gbk", "㐀".encode("gb18030"), "㐀", None),
        ("shift_jis", "①".encode("cp932"), "①", None),
        ("euc-kr", "똠".encode("cp949"), "똠", None),
        ("big5", "碁".encode("cp950"), "碁", None),
        ("iso-2022-jp", b"\x1b$B\x2d\x21\x2d\x6a\x1b(B", "①㈱", None),
        (
            "iso-2022-jp",
            b"\x1b$B0!\x1b(B\xff",
            "亜\ufffd",
            "The text: bytes invalid in its charset replaced",
        ),
    ],
)
def test_charsets(charset: str, content: bytes, text: str, sentence: str | None) -> None:
    field = f"Content-Type: text/plain; charset={charset}\r\n\r\n" if charset else "\r\n"
    body = adapted(field.encode() + content, *([sentence] if sentence else []))
    assert body["text"] == text


def test_an_error_shows_the_beginning_of_the_charset() -> None:
    long = "utf-8" + "-" * 35
    content = f"Content-Type: text/plain; charset={long}x\r\n\r\n".encode() + b"\xff"
    why = "The text contains bytes that are invalid in its charset"
    assert rejected(content) == f"{why}, {long}"
    content = f"Content-Type: text/plain; charset={'x' * 41}\r\n\r\ntext".encode()
    assert rejected(content) == f"The text has an unknown charset, {'x' * 40!r}"


@pytest.mark.parametrize(
    "charset", ["windows1251", "cp-1251", "win-1251", "x-cp1251", "Windows_1251", '"CP 1251"']
)
def test_the_name_of_a_charset(charset: str) -> None:
    field = f"Content-Type: text/plain; charset={charset}\r\n\r\n"
    assert adapted(field.encode() + "Привет".encode("cp1251"))["text"] == "Привет"


def test_a_flowed_text() -> None:
    text = "你好 \r\n世界\r\n> a \r\n> b\r\nc \r\n>> d\r\n-- \r\n me \r\n"
    entity = f"Content-Type: text/plain; charset=utf-8; format=flowed; delsp={{}}\r\n\r\n{text}"
    assert adapted(entity.format("yes"))["text"] == "你好世界\r\n> ab\r\nc\r\n>> d\r\n-- \r\nme"
    assert adapted(entity.format("no"))["text"] == text


# The header


def test_a_line_of_a_mailbox_file() -> None:
    content = b"From a@b.example Mon Nov 30\r\n" + HEAD + b"\r\ntext"
    to = ["recipient@example.net"]
    sent = convert(content, to, sender="sender@example.com", max_hops=30)
    assert json.loads(sent.body)["subject"] == "A subject"
    assert sent.adaptations.sentences() == ["The From line of a mailbox file left out"]


EMPTY_LINES = "Empty lines before the header left out"
NO_FIELD = "The body begins at a line that is not a header field"
LEFT_OUT = "A line of the header that is not a field left out"


@pytest.mark.parametrize(
    ("content", "subject", "text", "sentence"),
    [
        ("\r\nSubject: a", "a", "\r\n", EMPTY_LINES),
        ("\r\n\r\nSubject: a\r\n\r\ntext", "a", "text", EMPTY_LINES),
        ("\r\nX-A: a\r\n\r\ntext", None, "X-A: a\r\n\r\ntext", None),
        ("\r\nSubject: a\r\nb\r\n\r\nc", None, "Subject: a\r\nb\r\n\r\nc", None),
        ("X Y: a\r\nSubject: b\r\n\r\nc", "b", "c", LEFT_OUT),
        ("Subject: a\r\nX Y: b\r\nc\r\n\r\nd", "a", "X Y: b\r\nc\r\n\r\nd", NO_FIELD),
        ("Subject: a\r\nX Y: b\r\nBcc: c\r\n\r\nd", "a", "d", LEFT_OUT),
        ("From : a\r\nSubject: b\r\n\r\nc", "b", "c", None),
        (">From a\r\nSubject: b\r\n\r\nc", "b", "c", "The From line of a mailbox file left out"),
    ],
)
def test_where_the_header_begins_and_ends(
    content: str, subject: str | None, text: str, sentence: str | None
) -> None:
    to = ["recipient@example.net"]
    sent = convert(content.encode(), to, sender="sender@example.com", max_hops=30)
    body = json.loads(sent.body)
    assert (body["subject"], body["text"]) == (subject or "(no subject)", text)
    ignored = ('Empty Subject replaced by "(no subject)"', "Bcc left out")
    noted = [one for one in sent.adaptations.sentences() if not one.startswith((*ignored, "From "))]
    assert noted == ([sentence] if sentence else [])


def test_an_error_shows_the_line_that_is_no_field() -> None:
    why = "not a header field, and no empty line before the body: "
    assert rejected("words\r\nmore: words\r\n\r\nend") == f"{why}words"
    assert rejected("w" * 41) == why + "w" * 40


def test_a_line_that_is_no_field_begins_the_body() -> None:
    sentence = "The body begins at a line that is not a header field"
    assert (
        adapted("words\r\nmore: words\r\n\r\nend", sentence)["text"]
        == "words\r\nmore: words\r\n\r\nend"
    )
    entity = multipart("mixed", "Content-Type: text/plain\r\nwords")
    assert adapted(entity, "Part 1: the body begins at a line that is not a header field")
    assert "not a header field" in rejected(entity)


@pytest.mark.parametrize("name", ["Bcc", "bcc ", "Resent-Bcc"])
def test_hidden_recipients_never_become_part_of_the_body(name: str) -> None:
    for entity in (f"words\r\nX-A: b\r\n{name}: c@d.example\r\n\r\ntext", f"words\r\n{name}:x"):
        with pytest.raises(CannotRelay, match="would show hidden recipients"):
            request(entity)


def test_a_field_like_bcc_in_a_body_is_text() -> None:
    assert "Bcc" in adapted("\r\nBcc: c@d.example\r\n")["text"]


def test_a_field_with_an_invalid_name_is_left_out() -> None:
    sentence = "A line of the header that is not a field left out"
    body = adapted("X Y: a\r\n b\r\nX-Z: c\r\n\r\ntext", sentence)
    assert (body["text"], body["headers"]) == ("text", {"X-Z": "c"})
