"""Requests as clients write them: each does what its case says.

``tests/cases/api/`` has the cases.
"""

import pytest

from tests.cases.request import REQUEST_NAMES, RequestCase
from tests.client import TestClient
from tests.e2e.api import Api, Sender


@pytest.fixture(scope="module")
def sender(server: TestClient) -> Sender:
    return Api(server).new_sender()


@pytest.mark.parametrize("name", REQUEST_NAMES)
def test_case(api: Api, sender: Sender, name: str) -> None:
    RequestCase(name, sender).check(api)
