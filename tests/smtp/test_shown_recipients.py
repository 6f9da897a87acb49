"""Whether a text shows a hidden recipient, wherever the text has the address."""

import pytest

from smtp_relay.message.hidden_recipients import shows_any

PIECE = 64 * 1024
ADDRESS = "bob@xn--bcher-kva.example"


@pytest.mark.parametrize("shown", [ADDRESS, ADDRESS.upper(), "Bob@B\u00dcCHER.Example"])
@pytest.mark.parametrize("position", [0, *range(PIECE - 30, PIECE + 2), 3 * PIECE - 5])
def test_an_address_is_found_at_every_position(shown: str, position: int) -> None:
    address = shown.encode()
    text = b"x" * position + address + b"y" * PIECE
    assert shows_any(text, [ADDRESS])
    assert not shows_any(text.replace(address, address[:-1]), [ADDRESS])
    assert not shows_any(text, ["eve@example.com"])


def test_without_hidden_recipients_nothing_is_shown() -> None:
    assert not shows_any(b"bob@example.com", [])
    assert not shows_any(b"", [ADDRESS])
