"""Write the API description and its page to the two files given as arguments."""

import json
import sys
from pathlib import Path

from tools.openapi.description import describe
from tools.openapi.page import page


def made_files() -> tuple[str, str]:
    """The description as JSON, and the page."""
    description = describe()
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n", page(description)


if __name__ == "__main__":
    for path, text in zip(sys.argv[1:], made_files(), strict=True):
        Path(path).write_text(text, "utf-8")
