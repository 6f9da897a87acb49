"""Where zero-width joiners and non-joiners are part of a script's writing.

Elsewhere they are invisible, and can make a name look like another name. The API has the same rule.
"""

import re

from idna.core import valid_contextj

from smtp_relay.message.characters import JOINER

# Extended_Pictographic (UTS #51, emoji-data.txt of Unicode 15).
_PICTOGRAPHIC = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605"
    "\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734"
    "\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf"
    "\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e"
    "\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a"
    "\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f3fa"
    "\U0001f400-\U0001f53d\U0001f546-\U0001f64f\U0001f680-\U0001f6ff\U0001f774-\U0001f77f"
    "\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f\U0001f85a-\U0001f85f"
    "\U0001f888-\U0001f88f\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001faff\U0001fc00-\U0001fffd]"
)
# A variation selector and a skin tone may follow each part of the emoji (UAX #29, rule GB11).
_JOINED_EMOJI = re.compile(
    rf"{_PICTOGRAPHIC}\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?\u200d(?={_PICTOGRAPHIC})"
)
# The characters around a joiner that are looked at: `valid_contextj` limits the length of a text.
_CONTEXT = 50


def without_misplaced_joiners(text: str) -> str:
    """``text`` without the joiners that its writing does not need."""
    in_emoji = {emoji.end() - 1 for emoji in _JOINED_EMOJI.finditer(text)}
    pieces, end = list[str](), 0
    for joiner in JOINER.finditer(text):
        position = joiner.start()
        is_in_place = position in in_emoji or _is_in_script(text, position)
        pieces += (text[end:position], joiner[0] if is_in_place else "")
        end = position + 1
    return "".join((*pieces, text[end:]))


def _is_in_script(text: str, position: int) -> bool:
    """Whether RFC 5892, appendix A.1 or A.2, allows the joiner at ``position``."""
    start = max(0, position - _CONTEXT)
    try:
        return valid_contextj(text[start : position + _CONTEXT], position - start)
    except ValueError:  # a character next to the joiner is not assigned
        return False
