"""The size of what a deployment uploads, which every new instance of the worker loads."""

from tools.bench.report import Figures, progress
from tools.deploy_check import gzipped_kib
from tools.prepare import BUILD
from tools.wrangler import WranglerError, run_wrangler


def measure(figures: Figures) -> None:
    """Build the upload without uploading it."""
    progress("Building the upload (3 s)")
    result = run_wrangler("deploy", "--dry-run", "--outdir", BUILD / "bench" / "upload")
    if result.returncode != 0:
        raise WranglerError(f"The upload cannot be built:\n{result.stdout}")
    _, kib = gzipped_kib(result.stdout)
    figures.add("upload_gzip_kib", kib)
