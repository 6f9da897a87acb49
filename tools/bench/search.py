"""The latency of listing and searching a hundred thousand messages, and the cost of indexing.

These messages belong to one address. Other addresses have nine times as many.
"""

import http.client
import json
import statistics
import time
import urllib.parse
from typing import Any

from tools.bench.history import VOCABULARY
from tools.bench.load import LoadError, Target
from tools.bench.log import await_lines, log_lines
from tools.bench.report import Figures, progress
from tools.bench.workers import Histories
from tools.local_server import HOST, LocalServer

_PAGES = 30
_TURNS = 10  # per search

_SEARCHES = {
    "a rare word": VOCABULARY[-1],
    "a common word": VOCABULARY[1],
    "the beginning of common words": VOCABULARY[1][:3],
    "two common words": f"{VOCABULARY[1]} {VOCABULARY[2]}",
    "a common and a rare word": f"{VOCABULARY[1]} {VOCABULARY[-1]}",
    "words of all messages": "your order no",
    "Chinese": VOCABULARY[700],
    "one ideograph": VOCABULARY[700][0],
    "one letter": VOCABULARY[1][0],
    "a word that is nowhere": "nowhere1",
    "many words": " ".join(VOCABULARY[1:7]),
}

_INDEXED = 500
_WORKER_SECONDS = 60


def measure(histories: Histories, figures: Figures, repeat: int) -> None:
    """Time pages and searches from request to response. Count the rows that indexing writes."""
    target = histories.long
    progress("Listing and searching a hundred thousand messages (10 s)")
    counted = [_get(target, limit=20)[0] for _ in range(_PAGES * repeat)]
    pages = []
    cursor = ""
    for _ in range(_PAGES * repeat):
        milliseconds, page = _get(target, limit=20, cursor=cursor)
        pages.append(milliseconds)
        cursor = page["next_cursor"]
    figures.add("sendbox_page_ms_100k_messages", statistics.median(pages))
    figures.add("sendbox_counted_page_ms_100k_messages", statistics.median(counted))
    slowest = 0.0
    for name, q in _SEARCHES.items():
        turns = [_get(target, q=q, cursor="") for _ in range(_TURNS * repeat)]
        found = len(turns[0][1]["results"])
        median = statistics.median(milliseconds for milliseconds, _ in turns)
        progress(f"{name}: {median:.0f} ms, {found} found")
        slowest = max(slowest, median)
    figures.add("sendbox_search_ms_100k_messages", slowest)
    figures.add("search_index_rows_written_per_message", _rows_written(target.server), 3)


def _get(target: Target, **query: Any) -> tuple[float, dict[str, Any]]:
    """Request one page of the sendbox; return the latency in milliseconds, and the page."""
    client = http.client.HTTPConnection(HOST, target.server.port, timeout=_WORKER_SECONDS)
    headers = {"Authorization": target.authorization}
    client.connect()
    began = time.perf_counter()
    client.request("GET", f"/api/sendbox?{urllib.parse.urlencode(query)}", headers=headers)
    response = client.getresponse()
    body = response.read()
    milliseconds = (time.perf_counter() - began) * 1000
    client.close()
    if response.status != 200:
        raise LoadError(f"the sendbox responded with {response.status}: {body[:500]!r}")
    page: dict[str, Any] = json.loads(body)
    return milliseconds, page


def _rows_written(server: LocalServer) -> float:
    """Index some messages again, and return the number of rows written per message."""
    # Indexing continues after the newest message in the index.
    newest = f"SELECT rowid FROM search ORDER BY rowid DESC LIMIT {_INDEXED}"
    server.sql(f"DELETE FROM search WHERE rowid IN ({newest})")
    before = len(log_lines(server.log, "search_index"))
    server.run_cron()
    line, *_ = await_lines(server.log, "search_index", before)
    rows, messages = line["d1_rows_written"], line["messages"]
    if messages < _INDEXED:
        raise LoadError(f"{messages} of {_INDEXED} messages were added to the search index")
    return float(rows) / float(messages)
