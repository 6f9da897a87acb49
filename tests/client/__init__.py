"""The whole application in the test's own process: requests, queue and cron, over SQLite.

Time is virtual. It passes only while a request or a method of ``TestClient`` waits, and waiting
takes no real time.
"""

from tests.client.client import TestClient

__all__ = ["TestClient"]
