"""Errors that depend on the runtime: its streams, its stack, its URLs and its responses."""

import pytest

from tests.e2e.api import Api, check_problem, mail

JSON = {"Content-Type": "application/json"}


def test_extreme_nesting_is_malformed_json(api: Api) -> None:
    large = {**api.new_sender().headers, **JSON}
    for body in (b'{"x":' * 100_000, b'{"x":' + b"[" * 1_000_000, b"[" * 1_000_000):
        for path, part in (("/api/send_mail", body), ("/api/new_address", body[:65_536])):
            response = api.post(path, data=part, headers=large)
            assert (response.status_code, response.json()["code"]) == (400, "malformed_json")


@pytest.mark.contract("errors: An oversized body returns 413")
def test_a_chunked_body_over_ten_mebibytes_is_too_large(api: Api) -> None:
    sender = api.new_sender()
    chunks = iter([b" " * 1024 * 1024] * 11)
    headers = {**sender.headers, **JSON}
    response = api.post("/api/send_mail", data=chunks, headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/admin/new_address", "/nope", "/api/send_mail", "/health_check"])
def test_a_request_with_a_large_unread_body_gets_its_response(api: Api, path: str) -> None:
    for _ in range(5):
        response = api.post(path, data=b" " * 5_000_000, headers=JSON)
        assert response.status_code in (401, 404, 405)
        assert response.json()["code"]


def test_a_chunked_body_is_accepted(api: Api) -> None:
    chunks = iter([b'{"name"', b': "', b'"}'])
    assert api.post("/api/new_address", data=chunks, headers=JSON).status_code == 200


def test_head_returns_no_body(api: Api) -> None:
    response = api.call("HEAD", "/open_api/settings")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.contract("errors: The language is x-lang, then DEFAULT_LANG, then English")
def test_languages(api: Api) -> None:
    sender = api.new_sender()
    for language, sentence in (
        ("zh", "发送邮件失败 主题为空"),
        ("en", "Failed to send mail Subject is empty"),
        ("fr", "Failed to send mail Subject is empty"),
    ):
        headers = {**sender.headers, "x-lang": language}
        response = api.post("/api/send_mail", mail(subject=""), headers=headers)
        assert response.json()["detail"] == sentence
        assert sentence.encode() in response.content


@pytest.mark.contract("errors: An unknown path returns 404")
@pytest.mark.parametrize("path", ["/x", "//x", "/%00", "/%ff"])
def test_unknown_path(api: Api, path: str) -> None:
    response = api.get(path)
    check_problem(response, 404, "not_found", "There is nothing at this path")
