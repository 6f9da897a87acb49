"""Charsets: which names are known, and bytes into text without a loss."""

from encodings import normalize_encoding
from encodings.aliases import aliases

from smtp_relay.message.faults import Malformed

# Not text: Python calls these codecs too.
_TRANSFORMS = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec"}
_TRANSFORMS |= {"zlib_codec", "mbcs", "tactis"}

# Names are looked up here and not by `codecs`, which imports a module of whatever name it is asked
# for, and remembers each that it did not find.
_CODECS = {name: name for name in aliases.values() if name not in _TRANSFORMS}
_CODECS |= {alias: name for alias, name in aliases.items() if name in _CODECS}
_CODECS |= dict.fromkeys(("koi8_r", "koi8_u", "koi8_t"), "")
_CODECS |= dict.fromkeys(("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006"), "")
_CODECS = {alias: name or alias for alias, name in _CODECS.items()}
_CODECS |= {
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_8_i": "iso8859_8",  # RFC 1556: the way that all programs write it
    "iso_8859_8_e": "iso8859_8",
    "utf8mb4": "utf_8",
    "windows_874": "cp874",
    "windows_31j": "cp932",
    "windows_949": "cp949",
    "x_sjis": "cp932",
    "x_gbk": "gbk",
    "x_windows_949": "cp949",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
}
# What programs mean when they name the smaller set.
_LARGER = {
    "ascii": "utf_8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso2022_jp": "iso2022_jp_ext",
}


def decode(content: bytes, charset: str, what: str) -> str:
    """``content`` as text; ``what`` says in a refusal which text it is.

    :raises Malformed: the charset is not known, or the bytes are not of it.
    """
    codec = _CODECS.get(normalize_encoding(charset.strip()[:40]).lower())
    if codec is None:
        raise Malformed(f"{what} has an unknown charset, {charset[:40]!r}")
    for candidate in (codec, _LARGER.get(codec, codec)):
        try:
            text = content.decode(candidate)
            text.encode()  # UTF-7 can say what is no character
        except UnicodeError:
            continue
        return text
    raise Malformed(f"{what} holds bytes that are not of its charset, {charset[:40]}")
