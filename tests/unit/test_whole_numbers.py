"""Numbers in queries and headers, up to their limits."""

import asyncio

import pytest

from errors import BadRequest, PayloadTooLarge
from tests.client.ports import UnlimitedMemory
from web.query import limit_and_offset, whole_number
from web.request import Request, RequestHead

LARGEST = 2**53 - 1  # 16 digits


class EmptyBody(UnlimitedMemory):
    async def read(self, limit: int, client: str) -> bytes:
        return b""


def test_the_largest_offset_has_16_digits() -> None:
    assert limit_and_offset({"offset": str(LARGEST)}) == (20, LARGEST)
    assert limit_and_offset({"limit": "0000000000000100"}) == (100, 0)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", " 1", "1 ", "0x1", "１", "²", str(LARGEST + 1), "0" * 16 + "1"]
)
def test_other_texts_are_no_offset(text: str) -> None:
    with pytest.raises(BadRequest, match="invalid_offset"):
        limit_and_offset({"offset": text})


@pytest.mark.parametrize(
    ("text", "is_valid"), [("2", False), ("3", True), ("5", True), ("6", False)]
)
def test_a_number_is_within_its_limits(text: str, is_valid: bool) -> None:
    if is_valid:
        assert whole_number(text, "limit", 1, 3, 5) == int(text)
    else:
        with pytest.raises(BadRequest, match="invalid_limit"):
            whole_number(text, "limit", 1, 3, 5)


def test_a_missing_number_has_its_default() -> None:
    assert whole_number(None, "limit", 9, 3, 5) == 9


@pytest.mark.parametrize("length", ["65537", "9" * 16])
def test_a_body_that_is_declared_too_long_is_not_read(length: str) -> None:
    request = Request(RequestHead("POST", "/", {}, {"content-length": length}), EmptyBody())
    with pytest.raises(PayloadTooLarge, match="body_too_large"):
        asyncio.run(request.body())
