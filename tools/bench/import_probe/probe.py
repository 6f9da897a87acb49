"""A worker that imports only the SDK, and imports this project's worker on request.

The clock does not advance while a worker starts, so the imports are timed inside a request.
"""

import time
from typing import Any

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Response:
        if not request.url.endswith("/import"):
            return Response("ready")
        began = time.perf_counter()
        import entry  # noqa: F401 - only its import is measured

        return Response(str((time.perf_counter() - began) * 1000))
