"""The deployment that the tests of the API share; it runs in the test's own process."""

from collections.abc import Iterator

import pytest

from tests.client import TestClient
from tests.e2e.api import DEPLOYMENT, Api, Sender


@pytest.fixture(scope="session")
def server() -> Iterator[TestClient]:
    """An ordinary deployment: open creation, a starting balance, a provider that takes mails."""
    with TestClient(DEPLOYMENT) as running:
        yield running


@pytest.fixture
def api(server: TestClient) -> Api:
    return Api(server)


@pytest.fixture(scope="module")
def sender(server: TestClient) -> Sender:
    """An address for the tests of a file that leave nothing behind."""
    return Api(server).new_sender()
