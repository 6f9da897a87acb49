"""Errors in general: their format and language; invalid requests never cause a 5xx."""

import gzip

import pytest
import requests

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, check_problem, mail

JSON = {"Content-Type": "application/json"}


@pytest.mark.contract("errors: Malformed JSON returns 400")
@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b"[1,", b'{"name": "x"', b"\xff\xfe", b'{"name": "\xff"}', b"null x"]
)
def test_malformed_json_is_rejected(api: Api, body: bytes) -> None:
    response = api.post("/api/new_address", data=body, headers=JSON)
    assert response.status_code == 400
    assert response.json()["code"] == "malformed_json"


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"text"'])
def test_json_must_be_an_object(api: Api, body: bytes) -> None:
    response = api.post("/api/new_address", data=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


def test_brackets_in_texts_do_not_count_as_nesting(api: Api) -> None:
    sender = api.new_sender()
    content = '[{"\\"' * 10_000
    assert api.send(sender, content=content).status_code == 200
    (sent,) = api.sent_by(sender)
    assert api.server.mail_bodies(sent).text == content


def test_a_string_without_end_is_rejected_in_linear_time(api: Api) -> None:
    body = b'{"x":"' + b'\\"' * 4_000_000 + b"[" * 200
    response = api.post("/external/api/send_mail", data=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "malformed_json")
    assert response.elapsed.total_seconds() < 20


@pytest.mark.contract("errors: An unsupported content type returns 415")
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"],
)
def test_a_wrong_content_type_is_rejected(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    response = api.post("/api/new_address", data=b"{}", headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json", "Application/JSON; charset=UTF-8", "application/x+json"),
        *("application/json;", "application/json; charset=utf-8;", "application/json ; ;"),
    ],
)
def test_json_content_types_are_accepted(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    assert api.post("/api/new_address", data=b"{}", headers=headers).status_code == 200


@pytest.mark.contract("errors: An oversized body returns 413")
def test_a_body_over_ten_mebibytes_is_rejected_by_its_content_length(api: Api) -> None:
    sender = api.new_sender()
    response = api.send(sender, content="x" * (10 * 1024 * 1024))
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_a_compressed_body_is_rejected(api: Api) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    response = api.post("/api/new_address", data=gzip.compress(b"{}"), headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_content_encoding")


def test_a_byte_order_mark_is_ignored(api: Api) -> None:
    response = api.post("/api/new_address", data=b"\xef\xbb\xbf{}", headers=JSON)
    assert response.status_code == 200


@pytest.mark.contract("errors: A wrong method returns 405 with Allow")
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/new_address", "POST"),
        ("PUT", "/external/api/send_mail", "POST"),
        ("POST", "/open_api/settings", "GET, HEAD"),
        ("DELETE", "/health_check", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_rejected(api: Api, method: str, path: str, allow: str) -> None:
    response = api.call(method, path)
    check_problem(response, 405, "method_not_allowed", f"This path takes only {allow}")
    assert response.headers["Allow"] == allow


@pytest.mark.contract("errors: An unknown path returns 404")
@pytest.mark.parametrize("path", ["/api", "/external/x", "/open_api/x", "/health_check//"])
def test_an_unknown_path_is_not_found(api: Api, path: str) -> None:
    response = api.get(path)
    check_problem(response, 404, "not_found", "There is nothing at this path")


def test_a_valid_request_id_is_used(api: Api) -> None:
    for given, taken in (("abc-123_X.y:z", True), ("a b", False), ("x" * 101, False), ("", False)):
        response = api.get("/x", headers={"x-request-id": given})
        assert (response.headers["X-Request-Id"] == given) is taken
        assert response.json()["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.contract(
    "errors: `detail` is the sentence, and the whole body if text/plain is preferred"
)
@pytest.mark.parametrize(
    ("accept", "plain"),
    [
        ("text/plain", True),
        ("text/plain, application/json;q=0.5", True),
        ("*/*", False),
        ("application/json, text/plain, */*", False),
    ],
)
def test_a_client_that_prefers_plain_text_gets_only_the_sentence(
    api: Api, accept: str, plain: bool
) -> None:
    sender = api.new_sender()
    headers = {**sender.headers, "Accept": accept}
    response = api.post("/api/send_mail", mail(subject=""), headers=headers)
    assert response.status_code == 400
    sentence = "Failed to send mail Subject is empty"
    assert (response.text == sentence) is plain
    assert sentence in response.text


SENTENCE = "Failed to create address: Invalid domain"


def invalid(api: Api, **headers: str) -> requests.Response:
    """The response to an invalid request with these headers."""
    return api.post("/api/new_address", {"domain": "elsewhere.example"}, headers=headers)


@pytest.mark.contract("errors: `message` repeats the sentence")
def test_the_sentence_is_also_the_message(api: Api) -> None:
    problem = check_problem(invalid(api), 400, "invalid_domain", SENTENCE)
    assert problem["message"] == SENTENCE


@pytest.mark.contract("errors: `x-error-format: text` and ERROR_FORMAT=text return the sentence")
@pytest.mark.parametrize(
    ("setting", "headers", "is_text"),
    [
        (None, {}, False),
        (None, {"x-error-format": "text"}, True),
        (None, {"x-error-format": "TEXT"}, True),
        (None, {"x-error-format": "xml"}, False),
        (None, {"accept": "text/plain"}, True),
        (None, {"accept": "text/plain", "x-error-format": "json"}, False),
        ("text", {}, True),
        ("text", {"accept": "application/json"}, True),
        ("text", {"x-error-format": "json"}, False),
    ],
)
def test_errors_as_text(setting: str | None, headers: dict[str, str], is_text: bool) -> None:
    variables = {**DEPLOYMENT, **({"ERROR_FORMAT": setting} if setting else {})}
    with TestClient(variables) as server:
        response = invalid(Api(server), **headers)
        if is_text:
            assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert (response.status_code, response.text) == (400, SENTENCE)
        else:
            check_problem(response, 400, "invalid_domain", SENTENCE)


@pytest.mark.parametrize("path", ["/api/settings", "/admin/audit", "/nowhere", "/api/nowhere"])
def test_a_setting_of_the_deployment_makes_every_error_a_sentence(path: str) -> None:
    with TestClient({**DEPLOYMENT, "ERROR_FORMAT": "text"}) as server:
        response = Api(server).get(path)
        assert response.status_code in (401, 404)
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.text[0] not in "{["
        # Clients of Resend can read only its own form.
        assert Api(server).get("/emails").json()["statusCode"] == 401


def test_a_setting_that_cannot_be_read_is_named_in_both_forms() -> None:
    with TestClient({**DEPLOYMENT, "ERROR_FORMAT": "xml"}) as server:
        detail = "The variable ERROR_FORMAT can't be read: it must be one of json, text"
        assert Api(server).get("/api/settings").json()["detail"] == detail
        response = Api(server).get("/api/settings", headers={"x-error-format": "text"})
        assert response.text == detail
