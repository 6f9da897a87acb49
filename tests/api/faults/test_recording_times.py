"""When outcomes are recorded: after failures of the database, and after late responses."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from store.database import Statement
from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api


@pytest.fixture(params=[10_000])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """A deployment; the parameter is the number of subrequests per invocation."""
    variables = {"SUBREQUESTS": request.param, "SEND_RATE_LIMIT": "1000/minute"}
    with TestClient({**DEPLOYMENT, **variables}) as server:
        yield Api(server)


def submit(api: Api, waits: list[float]) -> None:
    """Submit a batch. The provider responds to each message after the seconds in ``waits``."""
    sender = api.new_sender(balance=100)
    emails = [
        {
            "from": sender.address,
            "to": "you@example.net",
            "subject": f"[wait {int(seconds * 1000)}]",
            "text": "Hello",
        }
        for seconds in waits
    ]
    headers = {**sender.headers, "Idempotency-Key": "k"}
    response = api.post("/emails/batch", emails, headers=headers)
    assert response.status_code == 200, response.text


def lines(api: Api, event: str) -> list[dict[str, Any]]:
    return [line for line in api.server.log_lines() if line["event"] == event]


def late_groups(api: Api) -> list[int]:
    """How many late outcomes were recorded together, per group."""
    return [len(line["message_ids"]) for line in lines(api, "late_outcomes")]


def test_outcomes_are_recorded_again_after_growing_delays(api: Api) -> None:
    times: list[int] = []

    def lose(when: str, statements: list[Statement]) -> bool:
        records = any("status = target" in one.sql for one in statements)
        if when == "before" and records:
            times.append(api.server.now())
        return records

    sender = api.new_sender()
    api.server.lose_responses = lose
    assert api.send(sender).status_code == 200
    api.server.settle()
    gaps = [(second - first) / 1000 for first, second in pairwise(times)]
    # D1 repeats each batch within a second. These repetitions do not count here.
    assert [gap for gap in gaps if gap > 0.9] == pytest.approx([1, 3, 9, 15], abs=0.05)
    assert len(lines(api, "record_given_up")) == 1


@pytest.mark.parametrize(("second", "groups"), [(32.9, [2]), (33.1, [1, 1])])
def test_late_responses_within_two_seconds_are_recorded_together(
    api: Api, second: float, groups: list[int]
) -> None:
    submit(api, [31, second])
    api.server.settle()
    assert late_groups(api) == groups


@pytest.mark.parametrize("api", [52], indirect=True)
@pytest.mark.parametrize(("last", "first_group"), [(56.9, 20), (57.1, 19)])
def test_the_last_group_of_late_responses_is_recorded_after_27_seconds(
    api: Api, last: float, first_group: int
) -> None:
    submit(api, [31] * 19 + [last])
    api.server.advance(27.05)
    assert late_groups(api) == [first_group]
    (sent,) = api.server.sql("SELECT count(*) AS count FROM messages WHERE status = 'sent'")
    assert sent["count"] == first_group


@pytest.mark.parametrize("api", [53], indirect=True)
def test_a_group_is_not_the_last_one_if_the_next_one_just_fits(api: Api) -> None:
    submit(api, [31] * 19 + [56.9])
    api.server.settle()
    assert late_groups(api) == [19, 1]
