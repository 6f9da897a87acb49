"""Header fields that can name hidden recipients. No other recipient may see them."""

import re

# Programs write these names with many prefixes, and some with other characters than dashes.
_HIDDEN = re.compile(
    r"""bcc | (?<![a-z])(?:
        (?:apparently|delivered|envelope|forwarded|original|rcpt|real|resolved)[^a-z]?to
      | (?:envelope|original)[^a-z]?(?:recipients?|rcpt)
    )(?![a-z])""",
    re.IGNORECASE | re.VERBOSE,
)


def may_name_hidden(field: str) -> bool:
    """Whether a header field with the name ``field`` can name hidden recipients."""
    return _HIDDEN.search(field) is not None
