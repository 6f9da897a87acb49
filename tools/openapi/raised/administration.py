"""Refusals of what is deleted, and of what administrators ask for."""

from accounts.lists import too_large
from refusals import BadRequest, Conflict, Forbidden, NotFound
from tools.openapi.raised.field import in_field

OF_DELETION = (
    Forbidden("user_delete_disabled"),
    Conflict("message_in_flight", retry_after=30, extra={"message_status": "sending"}),
    BadRequest("already_requested"),
)

OF_ADMINISTRATORS = (
    NotFound("address_not_found"),
    in_field("invalid_address_id", "address_id"),
    NotFound("balance_not_found"),
    NotFound("suppression_not_found"),
    NotFound("not_paused"),
    in_field("invalid_requested", "requested"),
    in_field("invalid_sort_by", "sort_by"),
    in_field("invalid_sort_order", "sort_order"),
    Forbidden("password_change_disabled"),
    in_field("password_not_digested", "password"),
    in_field(
        "invalid_list_entry", "sendBlockList[3]", sentence="address_domain", list="sendBlockList"
    ),
    too_large("sendBlockList"),
    in_field("invalid_send_limits", "sendMailLimitConfig.dailyLimit"),
    BadRequest("binding_not_enabled"),
    in_field("invalid_sender", "from", sentence="address_syntax"),
)
