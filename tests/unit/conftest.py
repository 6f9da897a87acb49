import os

import hypothesis
import pytest

from accounts.credentials import Credential
from tests.unit import given
from tests.unit.sqlite_database import ForgetfulDatabase, SqliteDatabase

hypothesis.settings.register_profile("unit", max_examples=100, deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))


@pytest.fixture(params=[SqliteDatabase, ForgetfulDatabase], ids=["once", "twice"])
def database(request: pytest.FixtureRequest) -> SqliteDatabase:
    """An empty database with every migration applied.

    Every test runs twice. In the second run, the first response of each batch is lost.
    """
    made: SqliteDatabase = request.param()
    return made


@pytest.fixture
def me(database: SqliteDatabase) -> Credential:
    """An address that may send to a hundred recipients."""
    return given.address(database, balance=100)
