"""One attempt to deliver, and the time of the next."""

import asyncio
from collections.abc import Callable

import pytest

from sending.backoff import next_webhook_attempt_at
from services import HttpResponse
from tests.unit.given import NOW
from transport.webhooks import WebhookOutcome, deliver

Post = Callable[[], HttpResponse]


def attempted(post: Post) -> WebhookOutcome:
    async def call(url: str, headers: dict[str, str], body: bytes) -> HttpResponse:
        assert (url, headers, body) == ("https://a.example", {"a": "b"}, b"{}")
        return post()

    return asyncio.run(deliver(call, "https://a.example", {"a": "b"}, "{}", now=NOW))


def responded(status: int, retry_after: str | None = None) -> WebhookOutcome:
    return attempted(lambda: HttpResponse(status, "text", retry_after))


@pytest.mark.parametrize(
    ("status", "result"),
    [
        *((status, "success") for status in (200, 202, 204, 299)),
        *((status, "failed") for status in (100, 199, 301, 302, 307, 400, 404, 429, 500, 503)),
        (410, "gone"),
    ],
)
def test_only_a_2xx_is_a_success(status: int, result: str) -> None:
    outcome = responded(status)
    assert (outcome.result, outcome.code, outcome.response) == (result, status, "text")


def test_a_receiver_that_does_not_respond_is_a_failure() -> None:
    def fail(error: Exception) -> Post:
        def post() -> HttpResponse:
            raise error

        return post

    assert attempted(fail(TimeoutError())).error == "no response within 15 s"
    assert attempted(fail(OSError("refused"))).error == "refused"
    assert attempted(fail(OSError())).error == "OSError"
    assert attempted(fail(OSError("a" * 500))).error == "a" * 200


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        *((429, "120", 120), (503, "0", 0), (500, "120", None), (429, None, None)),
        *((429, "soon", None), (429, "-5", None), (429, "9" * 30, None)),
        (503, "Tue, 03 Nov 2026 12:01:00 GMT", 60),
        (503, "Tue, 03 Nov 2020 12:01:00 GMT", 0),
        (503, "Tue, 99 Nov 2026 12:01:00 GMT", None),
    ],
)
def test_retry_after_is_read_of_429_and_503(
    status: int, header: str | None, seconds: int | None
) -> None:
    assert responded(status, header).retry_after == seconds


def delay(tries: int, retry_after: int | None = None) -> tuple[float, float]:
    """The shortest and the longest of many delays, in seconds."""
    found = [
        next_webhook_attempt_at(tries=tries, now=NOW, retry_after=retry_after) or 0
        for _ in range(200)
    ]
    return (min(found) - NOW) / 1000, (max(found) - NOW) / 1000


def test_a_delivery_is_tried_for_more_than_a_day() -> None:
    for tries, seconds in enumerate((5, 300, 1800, 7200, 18_000, 36_000, 36_000), start=1):
        least, most = delay(tries)
        assert seconds <= least < most <= seconds * 1.2
    assert next_webhook_attempt_at(tries=8, now=NOW, retry_after=None) is None


def test_retry_after_extends_the_delay_up_to_a_day() -> None:
    assert delay(1, 100)[0] >= 100
    assert delay(2, 100)[0] >= 300
    assert delay(1, 10**9) == (86_400, 86_400)
