"""ISO-2022-JP: like Python's codec where that one knows the characters, and as fast."""

import random

import pytest

from smtp_relay.message import charsets
from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.iso_2022_jp import decode_iso_2022_jp
from tests.measured import is_quick

MEBIBYTE = 1024 * 1024
PIECES = [
    *(b"\x1b(B", b"\x1b(J", b"\x1b(I", b"\x1b$B", b"\x1b$@", b"\x1b$(D", b"\x1b$(B"),
    *(b"\x1b&@\x1b$B", b"\r\n", b"\t", b"a\\", b"!!", b"0!", b"~", b'"/'),
]


def test_what_the_codec_decodes() -> None:
    chosen = random.Random(1)
    compared = 0
    for _ in range(5000):
        content = b"".join(chosen.choices(PIECES, k=chosen.randint(1, 8)))
        try:
            expected = content.decode("iso2022_jp_ext")
        except UnicodeError:
            continue
        assert decode_iso_2022_jp(content) == expected, content
        compared += 1
    assert compared > 500


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x1b$B-!-j\x1b(B.", "①㈱."),
        (b"\x1b$B0!\xff-!\x80\x1b(Ba\xff", "亜\ufffd①\ufffda\ufffd"),
        (b"a\x1bb\x1b\x1b$B0!0", "a\ufffdb\ufffd亜\ufffd"),
        (b"\x1b$B/!", "\ufffd"),
        (b"\x1b$B" + b"-!" * 10_000, "①" * 10_000),
        # The first and the last cells of the rows that Windows adds.
        (b"\x1b$B-!-_-`-|y!y_y`y~z!z~{~|q|||~", "①㍻〝∪纊\ufa0f\ufa10德忞犱釚ⅰ￤＂"),
        (b"\x1b$B0! \x1f0!", "亜\ufffd\x1f亜"),
        (b"\x1b(I \x7f\x1b(B", " \x7f"),
    ],
)
def test_what_the_codec_does_not_decode(content: bytes, expected: str) -> None:
    assert decode_iso_2022_jp(content) == expected


def test_katakana_of_one_byte() -> None:
    codes = range(0x21, 0x7F)
    expected = [chr(0xFF40 + code) if code < 0x60 else "\ufffd" for code in codes]
    assert decode_iso_2022_jp(b"\x1b(I" + bytes(codes)) == "".join(expected)


@pytest.mark.parametrize(
    "content", [b"a\xff", b"\x1b$B" + b"-!" * 1000, b"\x1b$B!", b"\x1b$B!!!\x1b(I!"]
)
def test_time(content: bytes) -> None:
    """A call for each character takes at least five seconds for the first."""
    repeated = content * (2 * MEBIBYTE // len(content))
    assert is_quick(lambda: decode_iso_2022_jp(repeated), 3)


def test_invalid_text_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def decode(content: bytes) -> str:
        decoded.append(content)
        return "\ufffd"

    monkeypatch.setattr(charsets, "decode_iso_2022_jp", decode)
    charsets.decode_leniently(b"\x1b$B!", "iso-2022-jp", "the text", Adaptations())
    assert decoded == [b"\x1b$B!"]
