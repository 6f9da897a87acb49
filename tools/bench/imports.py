"""The time that this project's imports add to the start of a worker, beyond the SDK's imports.

Each sample needs a new instance of the worker, because Python imports a module once.
"""

import shutil
import statistics
import urllib.request

from tools.bench.report import Figures, progress
from tools.local_server import LocalServer
from tools.prepare import BUILD, ROOT

_STARTS = 3
_PROBE = ROOT / "tools" / "bench" / "import_probe"
_FOLDER = BUILD / "bench" / "import_probe"


def measure(figures: Figures, repeat: int) -> None:
    """Start a worker that has imported only the SDK, and let it import this project's modules."""
    starts = _STARTS * repeat
    progress(f"Timing the imports in {starts} new workers ({4 * starts} s)")
    shutil.rmtree(_FOLDER, ignore_errors=True)
    shutil.copytree(ROOT / "src", _FOLDER, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(_PROBE, _FOLDER, dirs_exist_ok=True)
    server = LocalServer((_FOLDER / "wrangler.toml",), state=_FOLDER.with_name("import_state"))
    samples = []
    with server:
        for start in range(starts):
            if start:
                server.restart()
            with urllib.request.urlopen(f"{server.url}/import", timeout=60) as response:
                samples.append(float(response.read()))
    figures.add("import_ms_beyond_sdk", statistics.median(samples), 0)
