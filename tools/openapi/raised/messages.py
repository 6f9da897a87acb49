"""Refusals of what a message says, by the fields of `POST /api/send_mail`."""

from typing import Any

from mail.attachments import (
    MAX_ATTACHMENTS,
    MAX_CONTENT_ID_CHARACTERS,
    MAX_CONTENT_TYPE_CHARACTERS,
    MAX_FILENAME_BYTES,
)
from mail.headers import MAX_HEADERS, MAX_NAME_BYTES, MAX_TOTAL_BYTES, MAX_VALUE_BYTES
from mail.limits import MAX_RECIPIENTS, MAX_SUBJECT_CHARACTERS
from mail.mailbox import MAX_NAME_CHARACTERS
from mail.schedule import MAX_DAYS_AHEAD
from mail.tags import MAX_TAG_CHARACTERS, MAX_TAGS
from mail.test_recipients import OUTCOMES
from refusals import Refusal
from tools.openapi.raised.field import in_field

_TEST_RECIPIENTS = ", ".join(f"{outcome}@test.invalid" for outcome in OUTCOMES)


def _header(code: str, name: str, **values: Any) -> Refusal:
    return in_field(code, f"headers.{name}", name=name, **values)


def _file(code: str, member: str, **values: Any) -> Refusal:
    return in_field(code, f"attachments[0].{member}", **values)


def _sending(refusal: Refusal) -> Refusal:
    return refusal.prefixed("failed_to_send")


OF_FIELDS = tuple(
    _sending(refusal)
    for refusal in (
        # Recipients
        in_field("invalid_recipient", "to_mail", sentence="address_syntax"),
        in_field("too_many_recipients", "to", limit=MAX_RECIPIENTS),
        in_field("invalid_reply_to", "reply_to", sentence="address_syntax"),
        in_field("reply_to_too_many", "reply_to"),
        in_field("test_recipients_mixed", "cc"),
        in_field("unknown_test_recipient", "to", known=_TEST_RECIPIENTS),
        in_field("test_outcomes_mixed", "cc"),
        # Subject and bodies
        in_field("subject_empty", "subject"),
        in_field("subject_has_control", "subject"),
        in_field("subject_too_long", "subject", limit=MAX_SUBJECT_CHARACTERS),
        in_field("content_empty", "content"),
        # Names
        in_field("display_name_has_control", "from_name"),
        in_field("display_name_has_hidden", "from_name"),
        in_field("display_name_has_encoded_word", "from_name"),
        in_field("display_name_shows_address", "from_name"),
        in_field("display_name_too_long", "from_name", limit=MAX_NAME_CHARACTERS),
        # Headers
        _header("header_name_invalid", "X Order", limit=MAX_NAME_BYTES),
        _header("header_not_allowed", "Date"),
        _header("header_has_own_field", "Reply-To", own_field="reply_to"),
        _header("header_repeated", "X-Order"),
        _header("header_value_empty", "X-Order"),
        _header("header_value_has_control", "X-Order"),
        _header("header_value_too_long", "X-Order", limit=MAX_VALUE_BYTES),
        in_field("headers_too_many", "headers", limit=MAX_HEADERS),
        in_field("headers_too_large", "headers", limit=MAX_TOTAL_BYTES),
        in_field("list_unsubscribe_invalid", "headers.List-Unsubscribe"),
        in_field("list_unsubscribe_post_invalid", "headers.List-Unsubscribe-Post"),
        # Attachments
        in_field("attachments_too_many", "attachments", limit=MAX_ATTACHMENTS),
        _file("attachment_filename_missing", "filename"),
        _file("attachment_filename_invalid", "filename"),
        _file("attachment_filename_too_long", "filename", limit=MAX_FILENAME_BYTES),
        _file("attachment_content_missing", "content"),
        _file("attachment_content_invalid", "content"),
        _file("attachment_content_is_data_url", "content"),
        _file("attachment_content_type_invalid", "content_type", limit=MAX_CONTENT_TYPE_CHARACTERS),
        _file("attachment_content_type_refused", "content_type"),
        _file("attachment_content_id_invalid", "content_id", limit=MAX_CONTENT_ID_CHARACTERS),
        _file("attachment_content_id_repeated", "content_id"),
        # Tags
        in_field("tags_too_many", "tags", limit=MAX_TAGS),
        in_field("tag_invalid", "tags[0].value"),
        in_field("tag_too_long", "tags[0].value", limit=MAX_TAG_CHARACTERS),
        in_field("tag_repeated", "tags[1].name"),
        # Schedule
        in_field("scheduled_at_invalid", "scheduled_at"),
        in_field("scheduled_in_past", "scheduled_at"),
        in_field("scheduled_too_far", "scheduled_at", days=MAX_DAYS_AHEAD),
    )
)
