"""The browser, and the deployment that most tests of the console use."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.chromium import chromium
from tests.console.person import SECONDS, Person, watched
from tests.e2e.api import DEPLOYMENT, Api
from tools.local_server import LocalServer

SMTP = {"smtp": {"host": "smtp.example.com", "port": 587, "starttls": True}}


# Not session scope: Playwright's running event loop would break tests of other packages.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            path = chromium(playwright)
        except RuntimeError as error:
            pytest.fail(str(error), pytrace=False)
        # Chromium's own sandbox does not start as root, for example in containers.
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="package")
def server() -> Iterator[LocalServer]:
    """A deployment that allows the owner of an address everything."""
    variables = {
        **DEPLOYMENT,
        "DEFAULT_DOMAINS": "example.com,example.org",
        "ENABLE_USER_DELETE_EMAIL": "true",
        "ENABLE_ADDRESS_PASSWORD": "true",
        "ENABLE_LOCAL_WEBHOOKS": "true",
        "PASSWORD_PEPPER": "a-pepper-of-the-tests-0123456789abcdef",
        "SMTP_IMAP_PROXY_CONFIG": json.dumps(SMTP),
        # The console must work with either format, and this one has no codes.
        "ERROR_FORMAT": "text",
    }
    with LocalServer(variables=variables) as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(server)


@pytest.fixture
def person(browser: Browser, api: Api) -> Iterator[Person]:
    """A person with an English browser; fails on logged errors and on requests to other hosts."""
    with (
        browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 900}) as context,
        watched(context, api),
    ):
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(10 * SECONDS)
        yield Person(page, api)


@pytest.fixture
def composing(person: Person) -> Person:
    """A person who is signed in and begins a message."""
    person.sign_in()
    person.open("compose")
    return person
