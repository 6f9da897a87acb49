"""Characters that names, subjects and filenames must not contain. The API has the same rules."""

import re

# Category Cc, the Unicode line ends, and lone surrogates, which can't be encoded.
_CONTROL = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
# Invisible characters except joiners, and all bidirectional controls (UAX #9, section 2).
_HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
_JOINERS = "\u200c\u200d"

CONTROL = re.compile(f"[{_CONTROL}]")
HIDDEN = re.compile(f"[{_HIDDEN}]")
JOINER = re.compile(f"[{_JOINERS}]")
FORBIDDEN_IN_FILENAME = re.compile(f"[{_CONTROL}{_HIDDEN}{_JOINERS}]")

# The first character of an encoded word (RFC 2047, section 2). Mail programs would show the text
# that the word encodes.
ENCODED_WORD = re.compile(r"=(?=\?[^?\s]++\?[bq]\?[^?\s]*+\?=)", re.IGNORECASE)
