"""Select the lines of wrangler's output that `make dev` shows."""

import re

_PLACE = re.compile(r'File "/session/metadata/([^"]+)", line (\d+)')
_EXCEPTION = re.compile(r"^ *((?!PythonError)\w+(?:Error|Exception)(?:: .*)?)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# The table of modules has more than a hundred lines. Wrangler prints the table of bindings twice,
# and hides the values.
_TABLE = re.compile(
    r"Attaching additional modules:|[┌├│└]"
    r"|Your Worker has access to the following bindings:|Binding +Resource|env\.\w+ "
)

# Wrangler prints this line and, indented below it, advice. `make dev` runs the cron itself.
_CRON = "Scheduled Workers are not automatically triggered"


class WranglerOutput:
    """Decides for each line of the output whether to print it."""

    def __init__(self) -> None:
        self._is_advice = False
        self._is_after_blank = False

    def shows(self, line: str) -> bool:
        """Whether to print ``line``. It must be called for each line of the output, in order."""
        plain = _COLOUR.sub("", line)
        if _CRON in plain:
            self._is_advice = True
            return False
        is_blank = not plain.strip()
        if self._is_advice and (is_blank or plain.startswith(" ")):
            return False
        self._is_advice = False
        if _TABLE.match(plain):
            return False
        is_repeated = is_blank and self._is_after_blank
        self._is_after_blank = is_blank
        return not is_repeated


def python_error(output: str) -> str | None:
    """The last Python error in the output, with its file and line. None if there is none."""
    exceptions = _EXCEPTION.findall(_COLOUR.sub("", output))
    if not exceptions:
        return None
    places = _PLACE.findall(output)
    place = "src/{}, line {}: ".format(*places[-1]) if places else ""
    return place + str(exceptions[-1])
