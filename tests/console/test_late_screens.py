"""Screens whose code is loaded when they are first opened."""

import re

from playwright.sync_api import expect

from tests.console.person import Person
from tools.prepare import CONSOLE_ASSETS, CONSOLE_PAGE

_IMPORTED = re.compile(r'(?:from|import)"\./([^"]+)"')


def test_the_page_preloads_what_its_script_imports() -> None:
    needed = ["console.js"]
    for name in needed:
        text = (CONSOLE_ASSETS / name).read_text("utf-8")
        needed += {*_IMPORTED.findall(text)} - {*needed}
    preloaded = re.findall(r'rel="modulepreload" href="assets/([^"]+)"', CONSOLE_PAGE.read_text())
    assert sorted(preloaded) == sorted(needed[1:])


def test_the_administration_is_loaded_when_it_is_opened(person: Person) -> None:
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url))
    person.open()
    assert [url for url in asked if "Admin-" in url] == []
    person.page.get_by_role("link", name="Administration").click()
    expect(person.field("Admin password")).to_be_visible()
    assert len([url for url in asked if "Admin-" in url]) == 1


def test_a_screen_that_can_not_be_loaded_says_so(person: Person) -> None:
    person.open()
    person.page.route("**/Admin-*.js", lambda route: route.abort())
    person.page.get_by_role("link", name="Administration").click()
    expect(person.heading("This page could not be loaded")).to_be_focused()
    person.page.unroute("**/Admin-*.js")
    person.button("Reload the console").click()
    expect(person.field("Admin password")).to_be_visible()
