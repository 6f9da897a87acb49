"""Build the upload of a deployment, and fail if it is too large.

Every new instance of the Worker loads the whole upload, so its size determines the start-up time.
"""

import re
import shutil
import sys
from pathlib import Path

from tools.prepare import BUILD
from tools.wrangler import WranglerError, run_wrangler

LIMIT_KIB = 500

_SIZE = re.compile(r"^Total Upload: .*gzip: ([0-9.]+) (KiB|MiB).*$", re.MULTILINE)


def build_upload(folder: Path) -> tuple[str, float]:
    """Build the upload in `folder`. Return wrangler's line about its size, and the gzip KiB.

    :raises WranglerError: if the build fails, or prints no size.
    """
    shutil.rmtree(folder, ignore_errors=True)
    result = run_wrangler("deploy", "--dry-run", "--outdir", folder)
    found = _SIZE.search(result.stdout)
    if result.returncode != 0 or found is None:
        raise WranglerError(f"Building the upload failed:\n{result.stdout.strip()}")
    return found[0], float(found[1]) * (1024 if found[2] == "MiB" else 1)


def main() -> int:
    try:
        line, size = build_upload(BUILD / "dry-run")
    except WranglerError as exc:
        print(exc, file=sys.stderr)
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
