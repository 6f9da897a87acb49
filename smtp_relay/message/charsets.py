"""Charsets: their names, and the decoding of text in them.

``decode`` is lossless. ``decode_leniently`` also reads the text of programs that declare no
charset, an unknown one or the wrong one.
"""

import codecs
import re
from encodings.aliases import aliases

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.errors import Malformed
from smtp_relay.message.iso_2022_jp import decode_iso_2022_jp

# Codecs in Python's table that do not decode bytes to text, or that some systems lack.
_TRANSFORMS = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec"}
_TRANSFORMS |= {"zlib_codec", "mbcs", "tactis"}

# `codecs.lookup` is not used: it imports a module with the name of the charset, and caches unknown
# names without a limit.
_CODECS = {name: name for name in aliases.values() if name not in _TRANSFORMS}
_CODECS |= {alias: name for alias, name in aliases.items() if name in _CODECS}
# Codecs that Python's table lacks, and more names that programs use.
_CODECS |= {name: name for name in ("cp1006", "cp720", "cp737", "cp856", "cp874", "cp875")}
_CODECS |= {name: name for name in ("koi8_r", "koi8_t", "koi8_u")}
_CODECS |= {
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_8_i": "iso8859_8",  # RFC 1556; programs write -e and -i in logical order
    "utf8mb4": "utf_8",
    "windows_31j": "cp932",
    "windows_874": "cp874",
    "windows_949": "cp949",
    "x_sjis": "cp932",
}
# By their names in lower case without punctuation: programs write windows1251, cp-1251, x-cp1251.
_PUNCTUATION = re.compile("[^a-z0-9]")
_CODECS = {_PUNCTUATION.sub("", name): codec for name, codec in _CODECS.items()}
_CODECS |= {name.replace("windows", "win"): codec for name, codec in _CODECS.items()}
# Some programs declare the charset on the left, but use characters of its superset on the right.
_SUPERSETS = {
    "ascii": "utf_8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
}
_ISO_2022_JP = {"iso2022_jp", "iso2022_jp_ext"}
_ESCAPE = b"\x1b"
_JAPANESE = (b"$@", b"$B", b"$(@", b"$(B", b"$(D")  # the sets of characters that it selects

# All browsers and mail programs read ISO-8859-1 as windows-1252, which has characters instead of
# some control characters. Five bytes have no character (WHATWG Encoding Standard, section 4.2).
_LATIN = {"latin_1", "cp1252"}
_WINDOWS_1252 = "".join(
    bytes([byte]).decode("latin_1" if byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252")
    for byte in range(256)
)


_REPLACEMENT = "\ufffd"


def decode(content: bytes, charset: str, what: str, adaptations: Adaptations) -> str:
    """``content`` as text. ``what`` describes the content in errors and sentences.

    :raises Malformed: the charset is unknown, or the bytes are invalid in it. Or they are
        ISO-2022-JP in US-ASCII, and the relay is strict.
    """
    codec = _codec(charset)
    if text := _japanese_as_ascii(content, codec, what, adaptations):
        return text
    decoded = _decoded(content, codec)
    if decoded is None or not _is_valid(decoded, codec):
        raise _problem(charset, codec, what)
    return decoded


def decode_leniently(content: bytes, charset: str, what: str, adaptations: Adaptations) -> str:
    """``content`` as text, in the charset that fits best. ``what`` describes it in sentences.

    :raises Malformed: as ``decode`` does, if the relay is strict.
    """
    codec = _codec(charset)
    if text := _japanese_as_ascii(content, codec, what, adaptations):
        return text
    decoded = _decoded(content, codec)
    if decoded is not None and _is_valid(decoded, codec):
        if codec == "ascii" and not decoded.isascii():
            adaptations.add("guessed", f"{what} read as UTF-8", None)
        return decoded
    problem = _problem(charset, codec, what)
    if codec in (None, "ascii"):
        text, name = guessed(content)
        adaptations.add("guessed", f"{what} read as {name}", problem)
        return text
    adaptations.add("repaired", f"{what}: bytes invalid in its charset replaced", problem)
    return _with_replacements(content, codec) if decoded is None else decoded


def _decoded(content: bytes, codec: str | None) -> str | None:
    """``content`` as text, None if it is invalid in ``codec``, or ``codec`` is None.

    Text in ISO-2022-JP has U+FFFD for each byte that is invalid.
    """
    if codec is None:
        return None
    if codec in _LATIN:
        return from_windows_1252(content)
    for candidate in (codec, _SUPERSETS.get(codec, codec)):
        try:
            text = content.decode(candidate)
            text.encode()  # fails for lone surrogates, which UTF-7 can encode
        except UnicodeError:
            continue
        return text
    return decode_iso_2022_jp(content) if codec in _ISO_2022_JP else None


def _is_valid(text: str, codec: str | None) -> bool:
    return codec not in _ISO_2022_JP or _REPLACEMENT not in text


def _problem(charset: str, codec: str | None, what: str) -> Malformed:
    if codec is None:
        return Malformed(f"{what} has an unknown charset, {charset[:40]!r}")
    return Malformed(f"{what} contains bytes that are invalid in its charset, {charset[:40]}")


def guessed(content: bytes) -> tuple[str, str]:
    """``content``, whose charset is not known, as text, and the name of the charset that fits."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return from_windows_1252(content), "windows-1252"
    if japanese := _japanese(content):
        return japanese, "ISO-2022-JP"
    return text, "UTF-8"


def _japanese_as_ascii(
    content: bytes, codec: str | None, what: str, adaptations: Adaptations
) -> str:
    text = _japanese(content) if codec == "ascii" else ""
    if text:
        problem = Malformed(f"{what} is ISO-2022-JP, but its charset is US-ASCII")
        adaptations.add("guessed", f"{what} read as ISO-2022-JP", problem)
    return text


def _japanese(content: bytes) -> str:
    """``content`` as text if it is ISO-2022-JP, which consists of ASCII characters. Else empty."""
    is_likely = (
        _ESCAPE in content
        and content.isascii()
        and any(_ESCAPE + selected in content for selected in _JAPANESE)
    )
    text = decode_iso_2022_jp(content) if is_likely else ""
    return "" if _REPLACEMENT in text else text


def from_windows_1252(content: bytes) -> str:
    """``content`` as text. All bytes are valid."""
    return codecs.charmap_decode(content, "strict", _WINDOWS_1252)[0]


def _codec(charset: str) -> str | None:
    name = _PUNCTUATION.sub("", charset[:40].lower())
    return _CODECS.get(name) or _CODECS.get(name.removeprefix("x"))


def _with_replacements(content: bytes, codec: str) -> str:
    text = content.decode(_SUPERSETS.get(codec, codec), "replace")
    # UTF-7 can encode lone surrogates.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
