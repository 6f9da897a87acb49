"""Responses of the API, and the SMTP replies for them."""

import pytest

from smtp_relay import replies
from smtp_relay.api_response import ApiResponse
from smtp_relay.reply_mapping import reply_to_mail

LABELS = {"to[1]": "bad@example.net", "attachments[0]": "a/b.txt"}


@pytest.mark.parametrize(
    ("response", "reply"),
    [
        (ApiResponse(200, {"status": "ok", "id": "1"}), "250 2.0.0 Ok: queued as 1"),
        (ApiResponse(202, {"status": "queued", "id": "1"}), "250 2.0.0 Ok: queued as 1"),
        (ApiResponse(400, {"code": "x", "detail": "No"}), "554 5.6.0 No"),
        (ApiResponse(400, {"code": "address_paused", "detail": "No"}), "550 5.7.1 No"),
        (ApiResponse(401, {"code": "invalid_credential", "detail": "No"}), "535 5.7.8 No"),
        (ApiResponse(401, {"code": "site_password_required", "detail": "No"}), "451 4.3.5 No"),
        (ApiResponse(403, {"code": "x", "detail": "No"}), "550 5.7.1 No"),
        (ApiResponse(404), "451 4.3.5 The API responded with status 404"),
        (
            ApiResponse(409, {"code": "x", "detail": "No", "retryable": True}, "5"),
            "451 4.3.0 No (retry after 5 s)",
        ),
        (ApiResponse(409, {"code": "x", "detail": "No", "retryable": False}), "554 5.6.0 No"),
        (ApiResponse(413, {"code": "x", "detail": "No"}), "552 5.3.4 No"),
        (ApiResponse(429), "451 4.7.1 The API responded with status 429"),
        (ApiResponse(499), "554 5.6.0 The API responded with status 499"),
        (ApiResponse(500, {"code": "secret_missing", "detail": "No"}), "451 4.3.5 No"),
        (ApiResponse(502, {"code": "E_SOMETHING_NEW", "detail": "No"}), "554 5.3.0 No"),
        (ApiResponse(502, {"code": "outcome_unknown", "detail": "No"}), "554 5.3.0 No"),
        (ApiResponse(503, {"code": "database_unavailable", "detail": "No"}), "451 4.3.0 No"),
        (
            ApiResponse(503, {"code": "x", "detail": "No"}, "Sun, 22 Nov 2026 08:00:00 GMT"),
            "451 4.3.0 No",
        ),
    ],
)
def test_certain_responses(response: ApiResponse, reply: str) -> None:
    for repeatable in (True, False):
        assert reply_to_mail(response, {}, repeatable=repeatable).text == reply


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (ApiResponse(202, {"id": "1"}), "accepted"),
        (ApiResponse(429), "temporary"),
        (ApiResponse(400, {"code": "x"}), "permanent"),
        (ApiResponse(502, {"code": "E_SOMETHING_NEW"}), "permanent"),
        (ApiResponse(502, {"code": "outcome_unknown"}), "unknown"),
        (ApiResponse(500), "unknown"),
    ],
)
def test_results_in_the_metrics(response: ApiResponse, result: str) -> None:
    for repeatable in (True, False):
        assert reply_to_mail(response, {}, repeatable=repeatable).result == result


@pytest.mark.parametrize(
    "response",
    [
        ApiResponse(500, {"code": "internal_error"}),
        ApiResponse(500),
        ApiResponse(502),
        ApiResponse(503),  # from Cloudflare; the message may have been sent
        ApiResponse(504),
        ApiResponse(524),
        ApiResponse(200),
        ApiResponse(204),
        ApiResponse(302),
    ],
)
def test_responses_that_leave_the_outcome_unknown(response: ApiResponse) -> None:
    assert reply_to_mail(response, {}, repeatable=True).text == replies.API_SILENT
    assert reply_to_mail(response, {}, repeatable=False).text == replies.OUTCOME_UNKNOWN


def test_replies_name_the_fields_with_errors() -> None:
    errors = [
        {"field": "to[1].email", "message": "Not an address"},
        {"field": "attachments[0].filename", "message": "A slash"},
        {"field": "subject", "message": "Bad"},
        "nonsense",
    ]
    body = {"code": "x", "detail": "Bad subject. Bad", "errors": errors}
    reply = reply_to_mail(ApiResponse(400, body), LABELS, repeatable=False).text
    assert reply == (
        "554 5.6.0 Bad subject. Bad; bad@example.net: Not an address; a/b.txt: A slash"
    )
    blocked = {"field": "to[1]", "message": "This is blocked: bad@example.net"}
    body = {"code": "address_blocked", "detail": "Address is blocked", "errors": [blocked]}
    reply = reply_to_mail(ApiResponse(400, body), LABELS, repeatable=False).text
    assert reply == "550 5.7.1 Address is blocked; This is blocked: bad@example.net"


def test_a_reply_names_no_field_that_its_sentence_makes_clear() -> None:
    empty = {"field": "text", "message": "Content is empty"}
    body = {"code": "content_empty", "detail": "Content is empty", "errors": [empty]}
    reply = reply_to_mail(ApiResponse(400, body), LABELS, repeatable=False).text
    assert reply == "554 5.6.0 Content is empty"
    for field, label in (("to[1]", "bad@example.net"), ("headers.X-Long", "X-Long")):
        body = {"code": "x", "detail": "Bad", "errors": [{"field": field, "message": "Bad"}]}
        reply = reply_to_mail(ApiResponse(400, body), LABELS, repeatable=False).text
        assert reply == f"554 5.6.0 Bad; {label}"


def test_a_reply_is_one_line_of_ascii() -> None:
    line = replies.line("554 5.6.0 Grüße\r\n250 ok\x00\x1b[0m " + "x" * 600)
    assert line.startswith("554 5.6.0 Gr\\xfc\\xdfe 250 ok [0m xxx")
    assert len(line) == 500


def test_replies_without_an_enhanced_code_get_one() -> None:
    assert replies.complete("250 OK") == "250 2.0.0 OK"
    assert replies.complete("503 Error: need RCPT command").startswith("503 5.5.1 ")
    for complete in ("250 2.1.5 Ok", "250-SIZE 1", "220 host", "354 End data", "334 YQ=="):
        assert replies.complete(complete) == complete
