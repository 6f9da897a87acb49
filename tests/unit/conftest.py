import os

import hypothesis
import pytest

from tests.unit.sqlite_database import SqliteDatabase

hypothesis.settings.register_profile("unit", max_examples=100, deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unit"))


@pytest.fixture
def database() -> SqliteDatabase:
    """An empty database with every migration applied."""
    return SqliteDatabase()
