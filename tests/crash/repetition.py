"""Clients repeat their requests after a crash, with the same idempotency keys."""

from tests.crash.clients import Submission
from tests.crash.scene import Held
from tests.crash.site import Site


def check_in_flight(site: Site, held: list[Held]) -> None:
    """Check that before a sweep, repeated requests for unfinished sends get a 409."""
    sending = {row["subject"] for row in site.open_rows() if row["status"] == "sending"}
    for one in held:
        if (
            one.submission.key
            and one.submission.response is None
            and one.submission.subject in sending
        ):
            response = one.submission.send(site.api)
            assert response is not None
            assert (response.status_code, response.json()["code"]) == (409, "idempotency_in_flight")
            assert int(response.headers["Retry-After"]) > 0


def check_repeated(site: Site, submission: Submission, *, kept: bool) -> None:
    """Repeat the request twice. If the message was ``kept``, both responses are replays."""
    first, second = submission.send(site.api), submission.send(site.api)
    assert first is not None
    assert second is not None
    assert ("Idempotent-Replayed" in first.headers) is kept, first.text
    assert second.headers.get("Idempotent-Replayed") == "true", (first.text, second.text)
    assert first.status_code == second.status_code
    assert first.status_code in (200, 202, 502), first.text
    body, second_body = first.json(), second.json()
    assert body["id"] == second_body["id"]
    assert body.get("code") == second_body.get("code")
    if submission.response is not None:
        assert submission.response.json()["id"] == body["id"]
        assert submission.response.status_code == first.status_code
    submission.response = first
