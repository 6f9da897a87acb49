"""Build the upload of a deployment, and fail if it is too large.

Every new instance of the Worker loads the whole upload, so its size determines the start-up time.
"""

import re
import shutil
import sys

from tools.prepare import BUILD
from tools.wrangler import run_wrangler

LIMIT_KIB = 500

_SIZE = re.compile(r"^Total Upload: .*gzip: ([0-9.]+) (KiB|MiB).*$", re.MULTILINE)


def gzipped_kib(output: str) -> tuple[str, float]:
    """The line in wrangler's output that contains the size, and the gzipped size in KiB.

    :raises ValueError: if there is no such line.
    """
    found = _SIZE.search(output)
    if found is None:
        raise ValueError("wrangler printed no upload size")
    return found[0], float(found[1]) * (1024 if found[2] == "MiB" else 1)


def main() -> int:
    shutil.rmtree(BUILD / "dry-run", ignore_errors=True)
    result = run_wrangler("deploy", "--dry-run", "--outdir", BUILD / "dry-run")
    if result.returncode != 0:
        print(result.stdout, file=sys.stderr)
        print("The build failed. See wrangler's output above.", file=sys.stderr)
        return 1
    try:
        line, size = gzipped_kib(result.stdout)
    except ValueError as exc:
        print(f"{result.stdout}\n{exc}", file=sys.stderr)
        return 1
    print(line)
    if size > LIMIT_KIB:
        print(
            f"The upload has {size:.0f} KiB gzipped. This project allows {LIMIT_KIB} KiB. "
            "The files are in build/dry-run.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
