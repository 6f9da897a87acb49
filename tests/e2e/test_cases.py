"""Requests as clients write them, as in ``tests/api/test_cases.py``, on the real runtime."""

import pytest

from tests.cases.request import REQUEST_NAMES, RequestCase
from tests.e2e.api import Api, Sender
from tools.local_server import LocalServer


@pytest.fixture(scope="module")
def sender(server: LocalServer) -> Sender:
    return Api(server).new_sender()


@pytest.mark.parametrize("name", REQUEST_NAMES)
def test_case(api: Api, sender: Sender, name: str) -> None:
    RequestCase(name, sender).check(api)
