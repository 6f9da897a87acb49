"""The server that most end-to-end tests share. Tests that need other settings start their own."""

from collections.abc import Iterator

import pytest

from tests.e2e.api import DEPLOYMENT, Api
from tools.local_server import LocalServer


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """A deployment with open creation, a default balance, and the local `send_email` binding."""
    with LocalServer(variables=DEPLOYMENT) as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(server)
