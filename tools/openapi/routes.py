"""The worker's table of routes, read off its source: `src/routes.py` imports the runtime."""

import ast
from typing import NamedTuple

from tools.prepare import ROOT


class Route(NamedTuple):
    """One line of the table; `guard` is a name in `guards.Guard`, `handler` the source of it.

    A route that `sends` is counted by the rate limit.
    """

    method: str
    path: str
    guard: str
    handler: str
    sends: bool


def _read() -> tuple[Route, ...]:
    tree = ast.parse((ROOT / "src" / "routes.py").read_text("utf-8"))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Route"
    ]
    return tuple(
        Route(
            ast.literal_eval(method),
            ast.literal_eval(path),
            ast.unparse(guard).removeprefix("Guard."),
            ast.unparse(handler),
            sends=any(keyword.arg == "sends" for keyword in call.keywords),
        )
        for call in calls
        for method, path, guard, handler in (call.args,)
    )


ROUTES = _read()
