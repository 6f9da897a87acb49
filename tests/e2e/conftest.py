"""The servers of the end-to-end tests: one a kind of deployment, shared by the tests that fit."""

from collections.abc import Iterator

import pytest

from tests.e2e.api import DEPLOYMENT, Api
from tools.local_server import LocalServer


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """An ordinary deployment: creation open, a starting balance, the real local `send_email`."""
    with LocalServer(variables=DEPLOYMENT) as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(server)
