"""The Accept header chooses a plain sentence or a problem object (RFC 9110, 12.5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.responses import prefers_plain_text


@pytest.mark.parametrize(
    "accept",
    [
        "text/plain",
        "TEXT/PLAIN",
        " text/plain ",
        "text/plain; charset=utf-8",
        "text/*",
        "text/plain, */*;q=0.1",
        "text/plain, application/json;q=0.9",
        "text/plain;q=0.5, application/json;q=0.4",
        "application/json;q=0.4, text/plain;q=0.5",
        "text/plain;q=0.001",
        "text/plain ; q=1.000 , */* ; q=0",
        "text/plain;charset=utf-8;q=0.9, */*;q=0.8",
        "text/html, text/plain;q=0.1",
        "text/plain;q=0.1, text/plain;q=0.9, */*;q=0.5",
        "text/plain;q=0.9, text/plain;q=0.1, */*;q=0.5",
        "text/plain, application/problem+json;q=0",
    ],
)
def test_plain_text_is_preferred(accept: str) -> None:
    assert prefers_plain_text(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/problem+json",
        "application/*",
        "text/plain, application/json",
        "text/plain, application/problem+json",
        "text/plain, */*",
        "text/plain;q=0.5, application/json",
        "text/plain;q=0.5, */*",
        "text/plain;q=0.5, application/*;q=0.6",
        "text/*;q=0.5, application/*;q=0.6",
        "text/plain;q=0",
        "text/plain;q=0, */*",
        "text/plain;q=nonsense",
        "text/plain;q=",
        "text/plain;q=nan",
        "text/html",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "text/plain2",
        "xtext/plain",
        ",;,;q=1,",
        "nonsense",
    ],
)
def test_plain_text_is_not_preferred(accept: str) -> None:
    assert not prefers_plain_text(accept)


@given(st.text(st.sampled_from("text/plain,;q=0.1 */json") | st.characters(), max_size=60))
def test_every_header_is_read(accept: str) -> None:
    assert prefers_plain_text(accept) in {True, False}
