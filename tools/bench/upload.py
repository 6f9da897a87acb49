"""The size of what a deployment uploads, which every new instance of the worker loads."""

import subprocess

from tools.bench.report import Figures, progress
from tools.deploy_check import gzipped_kib
from tools.prepare import BUILD, ROOT
from tools.wrangler import WranglerError, wrangler_command, wrangler_env


def measure(figures: Figures) -> None:
    """Build the upload without uploading it."""
    progress("Building the upload (3 s)")
    result = subprocess.run(
        wrangler_command("deploy", "--dry-run", "--outdir", BUILD / "bench" / "upload"),
        cwd=ROOT,
        env=wrangler_env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise WranglerError(f"The upload cannot be built:\n{result.stdout}")
    _, kib = gzipped_kib(result.stdout)
    figures.add("upload_gzip_kib", kib)
