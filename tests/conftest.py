"""`pytest --contract` lists the HTTP contract and the tests of each sentence. It runs no tests.

`@pytest.mark.contract("POST /api/send_mail: Returns 200 with both ids")` gives a route, or the
name of a rule for several routes, and one sentence about it.

Each ``async def`` test runs in its own event loop.
"""

import asyncio
import inspect

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--contract",
        action="store_true",
        help="list the sentences of the HTTP contract and their tests, without running any test",
    )


# The folders whose tests share a server of the real runtime, the slowest first. It takes as much
# time to start as ten of these tests.
_SHARING = ("tests/smtp", "tests/e2e", "tests/console")


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """One process runs all files of a folder that shares a server, or one other file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder in _SHARING else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling:
    # The groups of ``--dist loadgroup`` have no effect with pytest 9.2 and pytest-xdist 3.8.
    return FolderScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that share a server, because each takes one process a long time."""

    def place(item: pytest.Item) -> int:
        folder = item.nodeid.partition("::")[0].rpartition("/")[0]
        return _SHARING.index(folder) if folder in _SHARING else len(_SHARING)

    items.sort(key=place)


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
