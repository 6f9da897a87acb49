"""A person in front of the console: what the tests do and see."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.e2e.api import ADMIN_PASSWORD, Api, Sender, unique_name
from tools.prepare import NODE_MODULES

SECONDS = 1000  # Playwright counts milliseconds.

# The smallest picture there is.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Person:
    """One browser window on the console of one server."""

    def __init__(self, page: Page, api: Api) -> None:
        self.page = page
        self.api = api

    @property
    def url(self) -> str:
        return self.api.server.url

    def open(self, place: str = "") -> None:
        """Go to ``#/place``, and wait until its screen is there."""
        self.page.goto(f"{self.url}/#/{place}" if place else f"{self.url}/")
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def sign_in(self, sender: Sender | None = None) -> Sender:
        """Be signed in as ``sender``, or a new one, without going through the start."""
        sender = sender or self.api.new_sender()
        self.page.goto(f"{self.url}/icon.svg")
        self._store({"address": sender.address, "jwt": sender.jwt})
        return sender

    def enter_administration(self) -> None:
        """Be signed in as the administrator."""
        self.page.goto(f"{self.url}/icon.svg")
        self._store({"adminPassword": ADMIN_PASSWORD})

    def create_address(self, name: str | None = None) -> str:
        """Make an address at the start, and return it."""
        name = unique_name() if name is None else name
        self.open()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Create").click()
        expect(self.heading("Your address is ready")).to_be_visible()
        address: str = self.session()["address"]
        return address

    def write(self, **fields: str) -> None:
        """Fill in a message, by the labels of its fields in lower case."""
        fields = {"to": "bob@example.net", "subject": "Hello", "message": "Hello, Bob", **fields}
        if fields.keys() & {"cc", "bcc", "reply_to"}:
            self.button("Cc, Bcc, Reply to").click()
        if "html" in fields:
            self.page.get_by_label("HTML").check()
            fields["message"] = fields.pop("html")
        for name, text in fields.items():
            self.field(name.replace("_", " ").capitalize()).fill(text)

    def send(self) -> None:
        self.button("Send").click()

    def attach(self, name: str, content: bytes, *, kind: str = "text/plain") -> None:
        """Choose a file, and wait until it is read."""
        chooser = self.page.locator("input[type=file]").first
        chooser.set_input_files({"name": name, "mimeType": kind, "buffer": content})
        expect(self.button(f"Remove {name}")).to_be_visible()

    def insert_image(self, name: str) -> None:
        """Choose a picture for the place of the cursor."""
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
        """What is said to be wrong with a field, as screen readers are told it."""
        field = self.field(label)
        expect(field).to_have_attribute("aria-invalid", "true")
        ids = (field.get_attribute("aria-describedby") or "").split()
        return " ".join(self.page.locator(f"[id='{one}']").inner_text() for one in ids)

    def messages(self) -> Locator:
        """The lines of the list of messages."""
        return self.page.locator(".messages li")

    def preview(self) -> Any:
        """The document in which a message is shown."""
        return self.page.frame_locator(".preview iframe")

    def session(self) -> dict[str, Any]:
        """What the tab knows of who is signed in."""
        kept = self.page.evaluate("sessionStorage.session ?? localStorage.session ?? '{}'")
        session: dict[str, Any] = json.loads(kept)
        return session

    def clipboard(self) -> str:
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text

    def is_wider_than_the_screen(self) -> bool:
        """Whether one has to scroll sideways."""
        wider: bool = self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wider

    def faults(self) -> list[str]:
        """What axe-core finds serious or worse."""
        # Evaluated from outside, so that the page's policy stays as it is.
        self.page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text())
        result = self.page.evaluate("axe.run({ iframes: false, resultTypes: ['violations'] })")
        return [
            f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes']]}"
            for fault in result["violations"]
            if fault["impact"] in ("serious", "critical")
        ]

    def _store(self, session: dict[str, str]) -> None:
        self.page.evaluate(
            "change => sessionStorage.session = JSON.stringify("
            "{ ...JSON.parse(sessionStorage.session ?? '{}'), ...change })",
            session,
        )


class Held:
    """The next request to ``place``, which stays unanswered until the test says how."""

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
        raise TimeoutError("The request did not come")


@contextmanager
def watched(context: BrowserContext, api: Api, strangers: tuple[str, ...] = ()) -> Iterator[None]:
    """Fail when the console's log has an error, or a request goes to another host.

    ``strangers`` are the hosts to which requests may go.
    """
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(f"uncaught: {error.error}"))

    def read(message: Any) -> None:
        # Browsers log answers of 400 and more, and those that are lost, which many tests order.
        is_ordered = message.text.startswith("Failed to load resource")
        if message.type == "error" and not is_ordered:
            faults.append(f"console: {message.text}")

    def check(request: Any) -> None:
        allowed = (api.server.url, "data:", *strangers)
        if not request.url.startswith(allowed):
            faults.append(f"request to {request.url}")

    context.on("console", read)
    context.on("request", check)
    yield
    assert not faults, faults
