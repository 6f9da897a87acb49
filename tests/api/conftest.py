"""The shared deployment of the API tests. It runs in the process of the tests."""

from collections.abc import Iterator

import pytest

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender


@pytest.fixture(scope="session")
def server() -> Iterator[TestClient]:
    """A typical deployment: open address creation, a default balance, an accepting provider."""
    with TestClient(DEPLOYMENT) as running:
        yield running


@pytest.fixture
def api(server: TestClient) -> Api:
    return Api(server)


@pytest.fixture(scope="module")
def sender(server: TestClient) -> Sender:
    """An address for tests that change nothing; the tests of a file share it."""
    return Api(server).new_sender()
