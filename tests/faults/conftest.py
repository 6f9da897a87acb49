"""A deployment with the provider's stand-in for each test file.

Files do not share one, because the stand-in counts its calls per subject.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.api import Api
from tests.faults.deployment import failing_deployment
from tests.faults.ledger import Ledger


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with Ledger() as running:
        yield running


@pytest.fixture(scope="module")
def api(ledger: Ledger) -> Iterator[Api]:
    with failing_deployment(ledger) as server:
        yield Api(server)
