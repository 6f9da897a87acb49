"""The size of the upload of a deployment. Every new instance of the Worker loads it."""

from tools.bench.report import Figures, progress
from tools.deploy_check import build_upload
from tools.prepare import BUILD


def measure(figures: Figures) -> None:
    """Build the upload without uploading it."""
    progress("Building the upload (3 s)")
    _, kib = build_upload(BUILD / "bench" / "upload")
    figures.add("upload_gzip_kib", kib)
