"""A private site: site password, human verification, and restrictions for users."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.console.person import SECONDS, Person, watched
from tests.e2e.api import ADMIN_PASSWORD, DEPLOYMENT, Api
from tests.e2e.turnstile import SECRET_KEY, Turnstile
from tools.local_server import LocalServer
from tools.wrangler import node_binary

pytestmark = pytest.mark.slow  # starts a separate server

SITE_PASSWORD = "das Paßwort 密码"
PROGRAMS = {
    "curl": ["sh", "-c"],
    "Python, requests": [sys.executable, "-c"],
    "JavaScript": [str(node_binary()), "--input-type=module", "-e"],
}
CLOUDFLARE = "https://challenges.cloudflare.com/"

# A replacement for Turnstile's script, with a challenge that always succeeds.
CHALLENGE = """
window.turnstile = {
  render(place, { sitekey, callback }) {
    document.querySelector(place).textContent = "Solved for " + sitekey;
    callback("good");
  },
};
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with Turnstile() as turnstile:
        variables = {
            **DEPLOYMENT,
            "PASSWORDS": SITE_PASSWORD,
            "DISABLE_CUSTOM_ADDRESS_NAME": "true",
            "CF_TURNSTILE_SITE_KEY": "the-site-key",
            "CF_TURNSTILE_SECRET_KEY": SECRET_KEY,
            "CF_TURNSTILE_VERIFY_URL": turnstile.url,
        }
        with LocalServer(variables=variables) as running:
            yield running


@pytest.fixture
def visitor(browser: Browser, api: Api) -> Iterator[Person]:
    """A person who may load Turnstile's script."""
    with (
        browser.new_context(locale="en-GB") as context,
        watched(context, api, strangers=(CLOUDFLARE,)),
    ):

        def fulfil(route: Route) -> None:
            route.fulfill(body=CHALLENGE, content_type="text/javascript")

        context.route(f"{CLOUDFLARE}**", fulfil)
        page = context.new_page()
        page.set_default_timeout(10 * SECONDS)
        yield Person(page, api)


def enter(person: Person, place: str = "") -> None:
    person.open(place)
    person.field("Site password").fill(SITE_PASSWORD)
    person.button("Enter").click()


def test_the_site_password_comes_first(person: Person) -> None:
    person.open("sent")
    expect(person.heading("This site is private")).to_be_visible()
    person.field("Site password").fill("a guess")
    person.button("Enter").click()
    assert "site password" in person.error_at("Site password")
    person.field("Site password").fill(SITE_PASSWORD)
    person.button("Enter").click()
    expect(person.page.get_by_role("tab", name="Credential")).to_be_visible()
    assert person.page.evaluate("localStorage.length") == 0


def test_turnstile_is_solved_on_a_separate_page(visitor: Person) -> None:
    enter(visitor)
    expect(visitor.page.get_by_text("chosen at random")).to_be_visible()
    challenge = visitor.page.frame_locator("iframe.human")
    expect(challenge.locator("body")).to_contain_text("Solved for the-site-key")
    visitor.button("Create a random address").click()
    expect(visitor.heading("Your address is ready")).to_be_visible()
    # The console itself loads no script from another host.
    hosts = visitor.page.evaluate("[...document.scripts].map((script) => script.src)")
    assert all(source.startswith(visitor.url) for source in hosts)


def test_a_blocked_turnstile_is_reported_and_can_be_retried(visitor: Person) -> None:
    visitor.page.route(f"{CLOUDFLARE}**", lambda route: route.abort())
    enter(visitor)
    expect(visitor.page.get_by_role("alert")).to_contain_text("challenges.cloudflare.com")
    visitor.page.unroute(f"{CLOUDFLARE}**")
    visitor.button("Try again").click()
    challenge = visitor.page.frame_locator("iframe.human")
    expect(challenge.locator("body")).to_contain_text("Solved for the-site-key")
    expect(visitor.page.get_by_role("alert")).to_have_count(0)


def test_everything_works_behind_the_site_password(visitor: Person) -> None:
    enter(visitor)
    challenge = visitor.page.frame_locator("iframe.human")
    expect(challenge.locator("body")).to_contain_text("Solved")
    visitor.button("Create a random address").click()
    visitor.write_first_message()
    visitor.write()
    visitor.send()
    expect(visitor.heading("History")).to_be_visible()
    visitor.open("password")
    expect(visitor.page.get_by_text("x-custom-auth: ••••")).to_be_visible()
    visitor.button("Show").click()
    for name, command in PROGRAMS.items():
        visitor.page.get_by_role("tab", name=name, exact=True).click()
        code = visitor.page.get_by_role("tabpanel").locator("code").inner_text()
        done = subprocess.run([*command, code], capture_output=True, text=True, check=True)
        assert "ok" in done.stdout, done.stdout


def test_the_admin_password_is_asked_for(person: Person) -> None:
    enter(person, "admin")
    person.field("Admin password").fill("a guess")
    person.button("Sign in").click()
    assert "admin password" in person.error_at("Admin password")
    person.field("Admin password").fill(ADMIN_PASSWORD)
    person.button("Sign in").click()
    expect(person.field("Admin password")).not_to_be_visible()
    person.button("Sign out").click()
    expect(person.heading("This site is private")).to_be_visible()
    assert person.session() == {}
