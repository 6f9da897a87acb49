"""Write the guides into the folder given as argument."""

import shutil
import sys
from pathlib import Path

from tools.guides.site import made_files
from tools.prepare import ROOT

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made_files().items():
        (folder / name).write_text(text, "utf-8")
    shutil.copytree(ROOT / "docs" / "images", folder / "images", dirs_exist_ok=True)
