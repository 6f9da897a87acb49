"""The whole application in the test's own process: requests, queue and cron, over SQLite.

Time is virtual: it stands still between requests, and whatever waits for it takes none.
"""

from tests.client.client import TestClient

__all__ = ["TestClient"]
