"""A person who uses the console: the actions and checks of the tests."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.e2e.api import ADMIN_PASSWORD, Api, Sender, unique_name
from tools.prepare import NODE_MODULES

SECONDS = 1000  # Playwright counts milliseconds.

# A PNG of one pixel.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Person:
    """One browser window with the console of one server."""

    def __init__(self, page: Page, api: Api) -> None:
        self.page = page
        self.api = api

    @property
    def url(self) -> str:
        url: str = self.api.server.url
        return url

    def open(self, place: str = "") -> None:
        """Go to ``#/place`` and wait for its screen."""
        self.page.goto(f"{self.url}/#/{place}" if place else f"{self.url}/")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def sign_in(self, sender: Sender | None = None) -> Sender:
        """Sign in as ``sender``, or as a new sender, without the start screen."""
        sender = sender or self.api.new_sender()
        self.page.goto(f"{self.url}/icon.svg")
        self._store({"address": sender.address, "jwt": sender.jwt})
        return sender

    def enter_administration(self) -> None:
        """Sign in as the administrator."""
        self.page.goto(f"{self.url}/icon.svg")
        self._store({"adminPassword": ADMIN_PASSWORD})

    def create_address(self, name: str | None = None) -> str:
        """Create an address on the start screen and return it."""
        name = unique_name() if name is None else name
        self.open()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Create").click()
        expect(self.heading("Your address is ready")).to_be_visible()
        address: str = self.session()["address"]
        return address

    def confirm_stored(self) -> None:
        """Confirm the question that appears before the page of a new address is left."""
        self.page.get_by_role("dialog").get_by_role("button", name="I have stored it").click()

    def write_first_message(self) -> None:
        """Go on from the page of a new address."""
        self.page.get_by_role("link", name="Write a message").click()
        self.confirm_stored()
        expect(self.heading("New message")).to_be_visible()

    def sign_out_and_discard(self) -> None:
        """Sign out although there is a draft."""
        self.button("Sign out").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()

    def write(self, **fields: str) -> None:
        """Fill in a message. Keywords are labels in lower case; ``html`` fills Message as HTML."""
        fields = {"to": "bob@example.net", "subject": "Hello", "message": "Hello, Bob", **fields}
        if fields.keys() & {"cc", "bcc", "reply_to"}:
            self.button("Cc, Bcc, Reply to").click()
        if "html" in fields:
            self.page.get_by_label("HTML").check()
            fields["message"] = fields.pop("html")
        for name, text in fields.items():
            label = name.replace("_", " ").capitalize()
            if label in ("To", "Cc", "Bcc"):
                self.write_recipients(label, text)
            else:
                self.field(label).fill(text)

    def write_recipients(self, label: str, text: str) -> None:
        """Replace the recipients of a field."""
        chips = self.chips(label).get_by_role("button")
        while chips.count():
            chips.first.click()
        self.field(label).fill(text)

    def chips(self, label: str) -> Locator:
        """The finished recipients of a field."""
        return self.page.get_by_role("list", name=f"{label}: recipients").locator(".chip")

    def send(self) -> None:
        self.button("Send").click()

    def attach(self, name: str, content: bytes, *, kind: str = "text/plain") -> None:
        """Choose a file and wait until it is read."""
        chooser = self.page.locator("input[type=file]").first
        chooser.set_input_files({"name": name, "mimeType": kind, "buffer": content})
        expect(self.button(f"Remove {name}")).to_be_visible()

    def insert_image(self, name: str) -> None:
        """Insert an image at the cursor."""
        with self.page.expect_file_chooser() as chosen:
            self.button("Insert image").click()
        chosen.value.set_files({"name": name, "mimeType": "image/png", "buffer": DOT})
        expect(self.button(f"Remove {name}")).to_be_visible()

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        controls = self.page.locator("input, textarea, select")
        return self.page.get_by_label(label, exact=True).and_(controls)

    def error_at(self, label: str) -> str:
        """The error and hint of an invalid field, as screen readers announce them."""
        field = self.field(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        ids = (field.get_attribute("aria-describedby") or "").split()
        return " ".join(self.page.locator(f"[id='{one}']").inner_text() for one in ids)

    def messages(self) -> Locator:
        """The rows of the list of messages."""
        return self.page.locator(".messages li")

    def preview(self) -> Any:
        """The document that shows a message."""
        return self.page.frame_locator(".preview iframe")

    def session(self) -> dict[str, Any]:
        """The session that the browser stores."""
        kept = self.page.evaluate("sessionStorage.session ?? localStorage.session ?? '{}'")
        session: dict[str, Any] = json.loads(kept)
        return session

    def clipboard(self) -> str:
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text

    def break_off(self, place: str) -> None:
        """Let every response to ``place`` end after its headers, until the page is reloaded."""
        self.page.evaluate(_BREAK_OFF, place)

    def is_wider_than_the_screen(self) -> bool:
        """Whether the page scrolls horizontally."""
        wider: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wider

    def violations(self) -> list[str]:
        """The serious and critical violations that axe-core finds."""
        # Evaluated by the debugger, which the page's policy does not restrict.
        self.page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text())
        result = self.page.evaluate("axe.run({ iframes: false, resultTypes: ['violations'] })")
        return [
            f"{found['id']}: {found['help']}: {[node['html'] for node in found['nodes']]}"
            for found in result["violations"]
            if found["impact"] in ("serious", "critical")
        ]

    def _store(self, session: dict[str, str]) -> None:
        self.page.evaluate(
            "change => sessionStorage.session = JSON.stringify("
            "{ ...JSON.parse(sessionStorage.session ?? '{}'), ...change })",
            session,
        )


# A response whose headers arrive, and whose body does not.
_BREAK_OFF = """
place => {
  const real = window.fetch;
  window.fetch = async (url, options) => {
    const response = await real(url, options);
    if (url !== place) return response;
    const { status, headers } = response;
    const body = new ReadableStream({ start: (it) => it.error(new TypeError("Failed to fetch")) });
    return new Response(body, { status, headers });
  };
}
"""


class HeldRequest:
    """The next request to ``place``, held until the test responds to it."""

    def __init__(self, page: Page, place: str) -> None:
        self._page = page
        self._routes: list[Route] = []
        page.route(place, lambda route: self._routes.append(route), times=1)

    def __call__(self) -> Route:
        """Wait for the request."""
        for _ in range(500):
            if self._routes:
                return self._routes[0]
            self._page.wait_for_timeout(20)
        raise TimeoutError("No request was made")


@contextmanager
def watched(context: BrowserContext, api: Api, strangers: tuple[str, ...] = ()) -> Iterator[None]:
    """Fail on an error in the browser's log, or on a request to another host.

    ``strangers`` are other hosts that requests may go to.
    """
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(f"uncaught: {error.error}"))

    def read(message: Any) -> None:
        # Browsers log failed requests and statuses from 400 on, which many tests cause.
        is_expected = message.text.startswith("Failed to load resource")
        if message.type == "error" and not is_expected:
            errors.append(f"console: {message.text}")

    def check(request: Any) -> None:
        allowed = (api.server.url, "data:", *strangers)
        if not request.url.startswith(allowed):
            errors.append(f"request to {request.url}")

    context.on("console", read)
    context.on("request", check)
    yield
    assert not errors, errors
