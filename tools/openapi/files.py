"""The files that are made, and where they stand."""

import json
from pathlib import Path

from tools.openapi.description import describe
from tools.openapi.page import page
from tools.prepare import ROOT

DESCRIPTION = ROOT / "public" / "openapi.json"
PAGE = ROOT / "public" / "docs.html"


def made_files() -> dict[Path, str]:
    """What the files should hold, by their paths."""
    description = describe()
    return {
        DESCRIPTION: json.dumps(description, indent=1, ensure_ascii=False) + "\n",
        PAGE: page(description),
    }
