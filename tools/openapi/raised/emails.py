"""Refusals that only clients of Resend meet."""

from api.emails import MAX_BATCH
from refusals import BadRequest, Forbidden, InvalidInput, PayloadTooLarge
from tools.openapi.raised.field import in_field
from tools.openapi.samples import ADDRESS

OF_EMAILS = (
    in_field("invalid_from", "from", sentence="address_syntax", kind=InvalidInput),
    in_field("from_not_own", "from", kind=Forbidden, address=ADDRESS),
    in_field("template_unsupported", "template", kind=InvalidInput),
    in_field("topic_unsupported", "topic_id", kind=InvalidInput),
    in_field("attachment_path_unsupported", "attachments[0].path", kind=InvalidInput),
    InvalidInput("batch_size", limit=MAX_BATCH),
    in_field("batch_with_attachments", "[0].attachments", kind=InvalidInput),
    in_field("batch_with_schedule", "[0].scheduled_at", kind=InvalidInput),
    BadRequest("invalid_batch_validation"),
    BadRequest("batch_over_rate_limit", limit=10),
    BadRequest("batch_too_long", limit=25),
    PayloadTooLarge("batch_too_large", size=1_900_000, limit=1_800_000),
    in_field("two_cursors", "before", kind=InvalidInput),
    in_field("id_mismatch", "id", kind=InvalidInput),
)
