"""What is done each minute, whether anybody calls or not."""

from clock import now
from runtime.bindings import Bindings
from runtime.log import log
from store.database import DatabaseUnavailable
from store.sweep import end_expired_leases


async def each_minute(bindings: Bindings) -> None:
    """Bring to their end the messages that a dead worker has left behind."""
    database = bindings.database
    if database is None:
        log("sweep", problem="the DB binding is missing")
        return
    try:
        log("sweep", became_unknown=await end_expired_leases(database, now=now()))
    except DatabaseUnavailable:
        log("sweep", problem="the database does not answer")  # the next minute comes
