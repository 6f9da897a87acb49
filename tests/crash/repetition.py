"""What clients do after a crash: they order again, with the same idempotency key."""

from tests.crash.clients import Order
from tests.crash.scene import Held
from tests.crash.site import Site


def check_in_flight(site: Site, held: list[Held]) -> None:
    """As long as no sweep has come by, a message that was being sent still counts as that."""
    sending = {row["subject"] for row in site.open_rows() if row["status"] == "sending"}
    for one in held:
        if one.order.key and one.order.answer is None and one.order.subject in sending:
            answer = one.order.place(site.api)
            assert answer is not None
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_flight")
            assert int(answer.headers["Retry-After"]) > 0


def check_repeated(site: Site, placed: Order, *, kept: bool) -> None:
    """Twice the same answer; a message that was ``kept`` is not sent again."""
    first, second = placed.place(site.api), placed.place(site.api)
    assert first is not None
    assert second is not None
    assert ("Idempotent-Replayed" in first.headers) is kept, first.text
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.status_code == second.status_code
    assert first.status_code in (200, 202, 502), first.text
    told, told_again = first.json(), second.json()
    assert told["id"] == told_again["id"]
    assert told.get("code") == told_again.get("code")
    if placed.answer is not None:
        assert placed.answer.json()["id"] == told["id"]
        assert placed.answer.status_code == first.status_code
    placed.answer = first
