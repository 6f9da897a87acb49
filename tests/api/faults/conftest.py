"""One deployment per file, because the provider counts its calls per subject."""

from collections.abc import Iterator

import pytest

from tests.client import TestClient
from tests.client.provider import ScriptedBinding
from tests.e2e.api import DEPLOYMENT


@pytest.fixture(scope="module")
def server() -> Iterator[TestClient]:
    with TestClient(DEPLOYMENT) as running:
        yield running


@pytest.fixture
def provider(server: TestClient) -> ScriptedBinding:
    """The mail provider, with the mails that it accepted."""
    return server.provider
