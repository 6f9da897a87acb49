"""The conditions for accepting a message hold on the real D1, even under concurrency."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.api import Api


@pytest.mark.contract(
    "send checks: Next come balance, block list, daily limit and monthly limit, in this order"
)
def test_ten_concurrent_sends_with_a_balance_of_one_send_once(api: Api) -> None:
    sender = api.new_sender(balance=1)
    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(lambda _: api.send(sender), range(10)))
    codes = Counter((response.status_code, response.json().get("code")) for response in responses)
    assert codes == {(200, None): 1, (400, "no_balance"): 9}
    assert len(api.sent_by(sender)) == 1
    assert [row["status"] for row in api.messages_of(sender)] == ["sent"]
    assert api.balance(sender) == 0
