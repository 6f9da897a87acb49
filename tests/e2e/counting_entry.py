"""Replaces src/entry.py, which is entry_original.py, and tells what Python holds."""

import gc
import json
from typing import Any

import pyodide_js
from entry_original import Default as Original  # type: ignore[import-not-found]
from workers import Response

import runtime.coroutines

# The SDK makes them for each request. JavaScript's garbage collector frees them, some time later.
_OF_THE_SDK = ("Default", "_EnvWrapper", "method")


class Default(Original):  # type: ignore[misc]
    """The Worker. ``GET /api/counts`` returns what Python holds.

    These are the numbers of coroutines that have not ended and of objects, and the bytes of
    Python's memory.
    """

    def fetch(self, request: Any) -> Any:
        if request.url.endswith("/api/counts"):
            gc.collect()
            counts = {
                "coroutines": len(runtime.coroutines._works),
                "objects": sum(type(one).__name__ not in _OF_THE_SDK for one in gc.get_objects()),
                "memory": pyodide_js._module.HEAPU8.length,
            }
            return Response(json.dumps(counts))
        return super().fetch(request)
