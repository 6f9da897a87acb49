"""The description of the API (OpenAPI 3.1) and the readable page of it, made by `make openapi`.

Both are static files, so they cost the worker nothing. They are made of what the worker itself
uses: the types of `src/api/` that decode requests and encode answers, the table of routes with
its guards, and the refusals with their sentences. Only what these can't say, such as summaries and
examples, stands here, in `operations/`, one file a resource.
"""

import sys

from tools.prepare import ROOT

# The types, refusals and sentences are the worker's own.
sys.path.append(str(ROOT / "src"))
