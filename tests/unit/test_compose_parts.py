"""Bodies, tags and schedules of the full message, and the paths in its errors."""

import base64
from typing import Any

import pytest

from errors import ApiError, BadRequest, FieldError
from mail.compose import Origin, SenderPolicy, compose
from mail.fields import AttachmentField, SendMail
from mail.limits import MAX_MESSAGE_BYTES, encoded_size
from mail.message import Message, Tag
from mail.schedule import check_scheduled_at
from mail.tags import read_tags
from tests.unit.given import NOW, milliseconds

POLICY = SenderPolicy(("example.com",), ())
MINUTE = 60_000
DAY = 86_400_000


def composed(path: str = "", **fields: Any) -> Message:
    if not {"text", "html", "content"} & fields.keys():
        fields["text"] = "Hello"
    given = {"to": "you@example.org", "subject": "Hello", **fields}
    return compose(SendMail(**given), Origin(address="me@example.com", path=path), POLICY)


def tag(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def rejected(**fields: Any) -> tuple[str, list[tuple[str, str]]]:
    """The code of the error, and the field and code of each entry of ``errors``."""
    with pytest.raises(ApiError) as caught:
        composed(**fields)
    return caught.value.code, [(error.field, error.code) for error in caught.value.errors]


# Bodies


@pytest.mark.parametrize(
    ("fields", "text", "html"),
    [
        ({"text": "a"}, "a", None),
        ({"text": "a", "html": "<b>b</b>"}, "a", "<b>b</b>"),
        ({"text": "a", "html": ""}, "a", None),
        ({"text": "", "html": "<b>b</b>"}, None, "<b>b</b>"),
        ({"html": "<b>b</b>"}, "b", "<b>b</b>"),
        ({"html": "<img src=a>"}, None, "<img src=a>"),
        ({"text": "a", "content": "c", "is_html": True}, "a", None),
        ({"text": "", "html": "<b>b</b>", "content": "c"}, None, "<b>b</b>"),
        ({"html": "<b>b</b>", "content": "c"}, "b", "<b>b</b>"),
        ({"content": "c"}, "c", None),
        ({"content": "<b>c</b>", "is_html": True}, None, "<b>c</b>"),
    ],
)
def test_text_and_html_take_precedence_over_content(
    fields: Any, text: str | None, html: str | None
) -> None:
    message = composed(**fields)
    assert (message.text, message.html) == (text, html)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"content": ""}, "content"),
        ({"text": "", "content": "c"}, "text"),
        ({"html": "", "content": "c"}, "html"),
        ({"text": "", "html": ""}, "text"),
    ],
)
def test_one_body_must_not_be_empty(fields: Any, field: str) -> None:
    assert rejected(**fields) == ("content_empty", [(field, "content_empty")])


def test_no_message_is_rejected_because_of_text_that_we_generate() -> None:
    message = composed(html="a" * 3_800_000)
    assert message.text is None
    assert encoded_size(message) <= MAX_MESSAGE_BYTES


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "a"},
        {"html": "<b>b</b>"},
        {"html": "<hr>"},
        {"html": "<b>b</b>", "text": "a"},
        {"html": "<p>\n\né</p>" * 100},
    ],
)
def test_the_message_has_its_size(fields: Any) -> None:
    message = composed(**fields)
    assert message.size == encoded_size(message)


def test_a_generated_text_may_fill_the_message_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = composed(html="<b>b</b>")
    monkeypatch.setattr("mail.compose.MAX_MESSAGE_BYTES", encoded_size(whole))
    assert composed(html="<b>b</b>") == whole
    monkeypatch.setattr("mail.compose.MAX_MESSAGE_BYTES", encoded_size(whole) - 1)
    assert composed(html="<b>b</b>").text is None


# Tags


def test_tags_keep_their_order() -> None:
    tags = [{"name": "b", "value": "1"}, {"name": "a_-Z9", "value": "x" * 256}]
    assert composed(tags=tags).tags == (Tag("b", "1"), Tag("a_-Z9", "x" * 256))


@pytest.mark.parametrize(
    ("tags", "code", "field"),
    [
        ([tag("", "1")], "tag_invalid", "tags[0].name"),
        ([tag("a", "")], "tag_invalid", "tags[0].value"),
        ([tag("a", "1"), tag("b c", "1")], "tag_invalid", "tags[1].name"),
        ([tag("a", "ä")], "tag_invalid", "tags[0].value"),
        ([tag("a", "1\n")], "tag_invalid", "tags[0].value"),
        ([tag("a" * 257, "1")], "tag_too_long", "tags[0].name"),
        ([tag("a", "1" * 257)], "tag_too_long", "tags[0].value"),
        ([tag("a", "1"), tag("a", "2")], "tag_repeated", "tags[1].name"),
        ([tag("a", "1")] * 51, "tags_too_many", "tags"),
    ],
)
def test_invalid_tags_are_rejected(tags: list[Tag], code: str, field: str) -> None:
    assert rejected(tags=tags) == (code, [(field, code)])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a", "b"], {"X-Tag": "a", "X-Tag-2": "b"}),
        (["a", "b", "a", "b", "c"], {"X-Tag": "a", "X-Tag-2": "b", "X-Tag-3": "c"}),
        (["a", "a"], {"X-Tag": "a"}),
    ],
)
def test_tags_of_the_same_name_as_symfony_writes_them(
    given: list[str], expected: dict[str, str]
) -> None:
    tags = composed(tags=[{"X-Tag": value} for value in given]).tags
    assert {tag.name: tag.value for tag in tags} == expected


def test_a_numbered_tag_takes_no_name_of_another() -> None:
    long = "x" * 256
    given = [{"a": "1"}, {"a": "2"}, tag("a-2", "3"), {long: "4"}, {long: "5"}]
    names = ["a", "a-3", "a-2", long, "x" * 254 + "-2"]
    warnings: list[FieldError] = []
    tags = read_tags(given, warnings)
    assert [one.name for one in tags] == names
    assert [one.field for one in warnings] == ["tags[1]", "tags[4]"]


def test_a_tag_with_a_name_of_its_own_is_not_numbered() -> None:
    code = "tag_repeated"
    assert rejected(tags=[{"a": "1"}, tag("a", "2")]) == (code, [("tags[1].name", code)])


def test_a_message_has_at_most_fifty_tags() -> None:
    assert len(composed(tags=[tag(f"a{n}", "1") for n in range(50)]).tags) == 50


# Schedules


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-04T09:30:00Z", "2026-11-04T09:30:00"),
        ("2026-11-04T09:30:00", "2026-11-04T09:30:00"),
        ("2026-11-04 09:30", "2026-11-04T09:30:00"),
        ("2026-11-04T09:30:00.5+02:00", "2026-11-04T07:30:00.5"),
        ("20261104T093000Z", "2026-11-04T09:30:00"),
        ("2026-11-04T09:30:00.".ljust(64, "0"), "2026-11-04T09:30:00"),
    ],
)
def test_a_schedule_is_a_time_in_iso_8601(text: str, time: str) -> None:
    assert composed(scheduled_at=text).scheduled_at == milliseconds(time)


@pytest.mark.parametrize(
    "text",
    [
        *("", "in 1 hour", "tomorrow", "2026-11-04", "20261104", "2026-W45-3", "09:30"),
        *("1793784600000", "2026-02-30T00:00:00Z", "2026-11-04T25:00:00Z", "٢٠٢٦-11-04T09:30"),
        *("2026-11-04T09:30:00.".ljust(65, "0"), "9" * 1_000_000),
    ],
)
def test_any_other_time_is_rejected(text: str) -> None:
    code = "scheduled_at_invalid"
    assert rejected(scheduled_at=text) == (code, [("scheduled_at", code)])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-11-03T11:58:59.999Z", "scheduled_in_past"),
        ("0001-01-01T00:00:00+23:59", "scheduled_in_past"),
        ("2026-12-03T12:00:00.001Z", "scheduled_too_far"),
        ("9999-12-31T23:59:59-23:59", "scheduled_too_far"),
    ],
)
def test_a_past_or_distant_schedule_is_rejected(text: str, code: str) -> None:
    at = composed(scheduled_at=text).scheduled_at
    assert at is not None
    with pytest.raises(BadRequest) as caught:
        check_scheduled_at(at, now=NOW)
    assert (caught.value.code, caught.value.errors[0].field) == (code, "scheduled_at")


@pytest.mark.parametrize(
    "text", ["2026-11-03T11:59:00Z", "2026-11-03T12:00:00Z", "2026-12-03T12:00:00Z"]
)
def test_a_schedule_is_from_a_minute_ago_to_thirty_days_ahead(text: str) -> None:
    at = composed(scheduled_at=text).scheduled_at
    assert at is not None
    check_scheduled_at(at, now=NOW)


# Paths of fields


def test_a_field_of_an_item_has_the_path_of_the_item() -> None:
    assert rejected(path="[3].", tags=[tag("", "1")])[1][0][0] == "[3].tags[0].name"
    assert rejected(path="[3].", to="nobody")[1][0][0] == "[3].to"
    file = AttachmentField(filename="a", content=base64.b64encode(b"a").decode() + "!")
    assert rejected(path="[0].", attachments=[file])[1][0][0] == "[0].attachments[0].content"
