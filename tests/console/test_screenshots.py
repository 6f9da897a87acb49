"""Screenshots of every screen for review, in build/screenshots."""

import pytest
from playwright.sync_api import Browser, Page

from tests.console.admin_screens import ADMIN_SCREENS
from tests.console.person import Person
from tests.console.screens import SCREENS
from tests.console.webhook_screens import WEBHOOK_SCREENS
from tests.e2e.api import Api
from tools.prepare import BUILD

ALL_SCREENS = {**SCREENS, **ADMIN_SCREENS, **WEBHOOK_SCREENS}
FOLDER = BUILD / "screenshots"
SIZES = {"wide": (1200, 800), "narrow": (360, 740)}


@pytest.mark.slow
@pytest.mark.parametrize("screen", ALL_SCREENS)
def test_pictures_of(screen: str, browser: Browser, api: Api) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with browser.new_context(
        locale="en-GB", timezone_id="Europe/Berlin", reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        person = Person(page, api)
        ALL_SCREENS[screen](person)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.mouse.move(0, 0)
                page.wait_for_timeout(300)
                if size == "narrow":  # the picture shows the full height
                    page.set_viewport_size({"width": width, "height": _height(page)})
                picture = FOLDER / f"{screen}-{size}-{scheme}.png"
                page.screenshot(path=picture)
                assert picture.stat().st_size > 5_000


def _height(page: Page) -> int:
    height: int = page.evaluate("document.documentElement.scrollHeight")
    return height
