"""The guides at /guides/: the pages of docs/ and the README as HTML, built by `make prepare`.

docs/README.md has the parts and the order of the pages. The pages are static and load nothing from
other hosts. Their search reads one file, search.json, in the browser.
"""

import sys

from tools.prepare import ROOT

# The error codes are those of the Worker.
sys.path.append(str(ROOT / "src"))
