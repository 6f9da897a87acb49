"""Charsets: their names, and lossless decoding."""

from encodings import normalize_encoding
from encodings.aliases import aliases

from smtp_relay.message.adaptations import Adaptations
from smtp_relay.message.errors import Malformed

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
    "x_gbk": "gbk",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_mac_roman": "mac_roman",
    "x_sjis": "cp932",
    "x_windows_949": "cp949",
}
# Some programs declare the charset on the left, but use characters of its superset on the right.
_SUPERSETS = {
    "ascii": "utf_8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso2022_jp": "iso2022_jp_ext",
}
# Five bytes have no character.
_WINDOWS_1252 = {
    byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)
}


def decode(content: bytes, charset: str, what: str) -> str:
    """``content`` as text. ``what`` describes the content in errors.

    :raises Malformed: the charset is unknown, or the bytes are invalid in it.
    """
    codec = _CODECS.get(normalize_encoding(charset.strip()[:40]).lower())
    if codec is None:
        raise Malformed(f"{what} has an unknown charset, {charset[:40]!r}")
    for candidate in (codec, _SUPERSETS.get(codec, codec)):
        try:
            text = content.decode(candidate)
            text.encode()  # fails for lone surrogates, which UTF-7 can encode
        except UnicodeError:
            continue
        return text
    raise Malformed(f"{what} contains bytes that are invalid in its charset, {charset[:40]}")


def decode_leniently(content: bytes, charset: str, what: str, adaptations: Adaptations) -> str:
    """``content`` as text, in the charset that fits best. ``what`` describes it in sentences.

    :raises Malformed: as ``decode`` does, if the relay is strict.
    """
    try:
        return decode(content, charset, what)
    except Malformed as error:
        codec = _CODECS.get(normalize_encoding(charset.strip()[:40]).lower(), "ascii")
        if codec == "ascii":
            text, name = guessed(content)
            adaptations.add("guessed", f"{what} read as {name}", error)
            return text
        adaptations.add("repaired", f"{what}: bytes invalid in its charset replaced", error)
        codec = _SUPERSETS.get(codec, codec)
        return content.decode(codec, "replace").encode("utf-8", "replace").decode()


def guessed(content: bytes) -> tuple[str, str]:
    """``content``, whose charset is not known, as text, and the name of the charset that fits."""
    try:
        return content.decode(), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("latin-1").translate(_WINDOWS_1252), "windows-1252"
