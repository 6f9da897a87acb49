"""`pytest --contract` lists the HTTP contract and the tests of each sentence. It runs no tests.

`@pytest.mark.contract("POST /api/send_mail: Returns 200 with both ids")` gives a route, or the
name of a rule for several routes, and one sentence about it.

Each ``async def`` test runs in its own event loop.
"""

import asyncio
import inspect

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--contract",
        action="store_true",
        help="list the sentences of the HTTP contract and their tests, without running any test",
    )


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup``, one process runs a file, and one all tests of the console.

    A browser and a server for it take as much time to start as ten of these tests.
    """
    for item in items:
        folder = item.path.parent.name
        item.add_marker(pytest.mark.xdist_group(folder if folder == "console" else str(item.path)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.getoption("contract") or session.testsfailed:
        return None  # pytest runs the tests, or reports the files that it cannot collect
    print("\n".join(report(session.items)))
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None  # pytest calls the function
    parameters = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in parameters}))
    return True


def report(items: list[pytest.Item]) -> list[str]:
    """The lines of the list: one block per part, with its sentences and the ids of their tests."""
    parts: dict[str, dict[str, dict[str, None]]] = {}
    for item in items:
        test = item.nodeid.partition("[")[0]
        for marker in item.iter_markers("contract"):
            part, _, sentence = marker.args[0].partition(": ")
            parts.setdefault(part, {}).setdefault(sentence, {})[test] = None
    lines = []
    for part in sorted(parts):
        lines += ["", part]
        for sentence, tests in sorted(parts[part].items()):
            lines += [f"  {sentence}", *(f"    {test}" for test in tests)]
    return lines
