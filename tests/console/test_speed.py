"""The speed of the console on a slow connection and with many messages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.edge import compressed
from tests.console.person import SECONDS, Person, watched
from tests.e2e.api import DEPLOYMENT, Api, Sender
from tools.bench.history import OWN_ADDRESS_ID, VOCABULARY, write_history
from tools.local_server import LocalServer, migrated_state

# "Slow 4G" (formerly "Fast 3G") of Chromium's developer tools.
SLOW = {
    "offline": False,
    "latency": 562.5,  # milliseconds
    "downloadThroughput": 1.6e6 / 8 * 0.9,  # bytes per second
    "uploadThroughput": 750e3 / 8 * 0.9,
}
# Sets usableAfter to the time in milliseconds at which the form is usable. Playwright itself would
# notice it only at its next poll, up to half a second later.
NOTE_THE_TIME = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("form input")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.usableAfter = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""
# The times at which new rows are painted in place of the skeleton.
NOTE_THE_ROWS = """
() => {
  window.rowsAt = [];
  let wereThere = true;
  new MutationObserver(() => {
    const areThere = !document.querySelector(".skeleton");
    if (areThere && !wereThere) {
      requestAnimationFrame(() => setTimeout(() => rowsAt.push(performance.now())));
    }
    wereThere = areThere;
  }).observe(document.body, { childList: true, subtree: true });
}
"""
ASKED_AT = """
(word) => performance.getEntriesByType("resource").find(
  ({ name }) => name.endsWith("q=" + encodeURIComponent(word))
).startTime
"""
OWN_MESSAGES = 100_000
SEARCHES = 20


def milliseconds_until_usable(page: Page, url: str) -> float:
    """The time from a click on a link to a usable name field, with an empty cache."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", SLOW)
    page.add_init_script(NOTE_THE_TIME)
    page.goto(url, wait_until="commit")
    page.get_by_label("Name").fill("alice")
    taken: float = page.evaluate("window.usableAfter")
    return taken


@pytest.mark.slow
def test_the_first_load_is_usable_within_two_seconds_on_a_slow_connection(
    browser: Browser, api: Api
) -> None:
    with compressed(api.server.url) as url, browser.new_page(locale="en-GB") as page:
        taken = milliseconds_until_usable(page, url)
    print(f"\nUsable after {taken:.0f} ms")
    assert taken < 2 * SECONDS


def test_the_settings_are_requested_once(person: Person) -> None:
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.open()
    assert sum("/open_api/settings" in url for url in asked) == 1


@pytest.fixture(scope="module")
def owner_of_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with an address that has sent 100,000 of 1,000,000 messages."""
    state: Path = migrated_state(tmp_path_factory.mktemp("many") / "state")
    write_history(state, 10 * OWN_MESSAGES)
    with LocalServer(state=state, variables=DEPLOYMENT) as server:
        yield Api(server)


def _owner(api: Api) -> Sender:
    (row,) = api.server.sql("SELECT name FROM addresses WHERE id = ?", [OWN_ADDRESS_ID])
    response = api.admin("GET", f"/admin/show_password/{OWN_ADDRESS_ID}")
    return Sender(row["name"], OWN_ADDRESS_ID, response.json()["jwt"])


@pytest.mark.slow  # writing the messages takes a minute
@pytest.mark.timeout(900)
def test_a_search_over_many_messages_is_fast(owner_of_many: Api, browser: Browser) -> None:
    with browser.new_context(locale="en-GB") as context, watched(context, owner_of_many):
        person = Person(context.new_page(), owner_of_many)
        person.sign_in(_owner(owner_of_many))
        person.open("sent")
        expect(person.messages()).to_have_count(25)
        person.page.evaluate(NOTE_THE_ROWS)
        times = []
        for number, word in enumerate(VOCABULARY[:: len(VOCABULARY) // SEARCHES], 1):
            person.field("Search").fill(word)
            person.page.wait_for_function("number => rowsAt.length === number", arg=number)
            times.append(
                person.page.evaluate("rowsAt.at(-1)") - person.page.evaluate(ASKED_AT, word)
            )
        print(f"\nSearches took {sorted(round(one) for one in times)} ms until they were shown")
        assert sorted(times)[int(SEARCHES * 0.95) - 1] < 300
        person.field("Search").fill("")
        expect(person.messages()).to_have_count(25)
        for _ in range(5):
            with person.page.expect_request_finished(
                lambda asked: "cursor=0" in asked.url
            ) as asked:
                person.page.get_by_role("link", name="Older").click()
            assert 0 < asked.value.timing["responseEnd"] < 300
