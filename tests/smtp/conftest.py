"""A relay in front of an ordinary deployment, shared by tests that do not change it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.api import DEPLOYMENT, Api, Sender
from tests.faults.deployment import failing_deployment
from tests.faults.ledger import Ledger
from tests.smtp.certificates import make_certificate
from tests.smtp.passwords import new_sender_with_password
from tests.smtp.relay import RelayProcess, Talk
from tools.local_server import LocalServer

MAILS_A_MINUTE = 6


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """A deployment with open creation, a default balance, passwords, and the local `send_email`."""
    variables = {
        **DEPLOYMENT,
        "ENABLE_ADDRESS_PASSWORD": "true",
        "ERROR_FORMAT": "text",  # the relay needs the codes, so it must ask for the other format
    }
    with LocalServer(variables=variables) as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for localhost and the key of the certificate."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def relay(
    server: LocalServer, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RelayProcess]:
    """A relay with default settings, and TLS."""
    folder = tmp_path_factory.mktemp("relay")
    with RelayProcess(server.url, folder, certificate=certificate) as running:
        yield running


class Faulty(NamedTuple):
    """A deployment whose provider follows instructions in the subject, and its ledger."""

    api: Api
    ledger: Ledger

    def mails_out(self, sender: Sender) -> int:
        return len(self.ledger.mails_of(sender.address))


@pytest.fixture(scope="session")
def faulty() -> Iterator[Faulty]:
    """A faulty deployment without a queue, with a limit of ``MAILS_A_MINUTE`` per credential."""
    variables = {"SEND_RATE_LIMIT": f"{MAILS_A_MINUTE}/minute"}
    with Ledger() as ledger, failing_deployment(ledger, variables, queue=False) as server:
        yield Faulty(Api(server), ledger)


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(server)


@pytest.fixture
def sender(api: Api) -> Sender:
    return api.new_sender()


@pytest.fixture
def with_password(api: Api) -> tuple[Sender, str]:
    """A new address, and its first password."""
    return new_sender_with_password(api)


@pytest.fixture
def talk(relay: RelayProcess, sender: Sender) -> Iterator[Talk]:
    """A connection on which ``sender`` has logged in."""
    with relay.talk() as talk:
        talk.log_in(sender)
        yield talk
