"""The limits of pages and of the search index are those of the documentation."""

from store.message_filter import MAX_SEEN
from store.search import MAX_MATCHES
from store.search_index import MAX_TEXT
from tools.prepare import ROOT


def test_the_numbers_of_the_documentation() -> None:
    api = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert f"looks at {MAX_SEEN:,} messages at most" in api
    assert f"in a search at {MAX_MATCHES:,} matches" in api
    assert f"{MAX_TEXT:,} characters of the text" in api
