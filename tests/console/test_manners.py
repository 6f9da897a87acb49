"""Behaviour of all screens: policy, size, languages, colours, keyboard, width."""

import gzip
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.console.person import Person, watched
from tests.console.screens import SCREENS
from tests.e2e.api import Api
from tools.prepare import CONSOLE_ASSETS, ROOT

pytestmark = pytest.mark.slow

NARROW = {"width": 360, "height": 740}
BUDGET = 150 * 1024


@pytest.mark.slow  # many screens
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_has_no_serious_fault_and_fits_360_pixels(person: Person, screen: str) -> None:
    SCREENS[screen](person)
    assert person.violations() == []
    person.page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    assert not person.is_wider_than_the_screen()
    person.page.emulate_media(color_scheme="dark")
    person.page.wait_for_timeout(200)  # until the colour transitions have ended
    assert person.violations() == []


def test_the_policy_is_strict(api: Api) -> None:
    for path in ("/", "/docs", "/guides/", "/guides/errors", "/assets/console.js"):
        response = api.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy or path == "/docs"  # Scalar writes styles into the page
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_has_no_inline_code_and_no_foreign_urls() -> None:
    page = (ROOT / "public" / "index.html").read_text()
    assert "<style" not in page
    assert not re.search(r"\son\w+=|\sstyle=", page)
    assert "<script type=" in page
    assert re.findall(r"<script[^>]*>([^<]*)</script>", page) == [""]
    assert "//" not in page


def test_code_and_styles_are_within_the_size_limit() -> None:
    files = [file for file in CONSOLE_ASSETS.rglob("*") if file.suffix in (".js", ".css")]
    size = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert 10_000 < size < BUDGET


def test_unchanged_files_are_not_loaded_again(api: Api) -> None:
    first = api.get("/assets/console.js")
    assert "must-revalidate" in first.headers["Cache-Control"]
    again = api.get("/assets/console.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_files_of_the_build_are_not_served(api: Api) -> None:
    assert api.get("/assets/.prepared").status_code == 404


def test_the_browser_chooses_the_language(browser: Browser, api: Api) -> None:
    with browser.new_context(locale="zh-CN") as context, watched(context, api):
        person = Person(context.new_page(), api)
        person.open()
        expect(person.heading("手动或用程序发送邮件")).to_be_visible()
        assert person.page.evaluate("document.documentElement.lang") == "zh-Hans"
        person.page.get_by_role("tab", name="凭证").click()
        person.field("凭证").fill("eyJhbGciOiJIUzI1NiJ9.eyJhZGRyZXNzIjoiYUBiLmMifQ.AAAA")
        person.button("登录").click()
        expect(person.page.get_by_role("alert")).to_contain_text("凭证")  # the server's error


@pytest.mark.slow
def test_the_language_can_be_switched_and_stays(person: Person) -> None:
    person.open()
    person.page.get_by_label("Language").select_option("中文")
    expect(person.heading("手动或用程序发送邮件")).to_be_visible()
    person.page.reload()
    expect(person.heading("手动或用程序发送邮件")).to_be_visible()
    person.page.get_by_label("语言").select_option("English")
    expect(person.heading("Send mail by hand or from a program")).to_be_visible()


def test_light_and_dark(person: Person) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    person.open()
    light = person.page.evaluate(ground)
    person.page.emulate_media(color_scheme="dark")
    dark = person.page.evaluate(ground)
    assert light != dark
    person.page.get_by_label("Appearance").select_option("Light")
    assert person.page.evaluate(ground) == light
    person.page.emulate_media(color_scheme="light")
    person.page.get_by_label("Appearance").select_option("Dark")
    assert person.page.evaluate(ground) == dark
    person.page.reload()
    assert person.page.evaluate(ground) == dark


def test_a_message_is_sent_with_the_keyboard_alone(person: Person) -> None:
    sender = person.sign_in()
    person.open("sent")
    keys = person.page.keyboard
    keys.press("Tab")
    expect(person.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    expect(person.page.get_by_role("link", name="Compose").first).to_be_focused()
    keys.press("Enter")
    expect(person.heading("New message")).to_be_focused()
    keys.press("Tab")
    expect(person.field("Your name")).to_be_focused()
    for text in ("Alice", None, "bob@example.net", "By keyboard"):
        if text:
            keys.insert_text(text)
        keys.press("Tab")
    keys.press("Tab")
    keys.press("Tab")
    expect(person.field("Message")).to_be_focused()
    keys.insert_text("Hello")
    for _ in range(3):  # past the time and the test mail
        keys.press("Tab")
    expect(person.button("Send")).to_be_focused()
    keys.press("Enter")
    expect(person.heading("By keyboard")).to_be_focused()
    assert len(person.api.sent_by(sender)) == 1


@pytest.mark.slow
def test_tabs_move_with_the_arrows(person: Person) -> None:
    person.open()
    person.page.get_by_role("tab", name="New address").focus()
    person.page.keyboard.press("ArrowRight")
    expect(person.page.get_by_role("tab", name="Credential")).to_be_focused()
    expect(person.page.get_by_role("tab", name="Credential")).to_have_attribute(
        "aria-selected", "true"
    )
    person.page.keyboard.press("Home")
    expect(person.page.get_by_role("tab", name="New address")).to_be_focused()
    person.page.keyboard.press("End")
    expect(person.page.get_by_role("tab", name="Password")).to_be_focused()


def test_an_owner_finds_the_administration_and_the_reference_on_a_phone(person: Person) -> None:
    person.sign_in()
    person.open("sent")
    links = person.page.get_by_role("link", name="Administration")
    expect(links.filter(visible=True)).to_have_count(1)
    person.page.set_viewport_size({"width": 360, "height": 700})
    expect(
        person.page.get_by_role("link", name="API reference").filter(visible=True)
    ).to_be_visible()
    links.filter(visible=True).click()
    expect(person.heading("Administration")).to_be_visible()


def test_only_the_content_is_printed(person: Person) -> None:
    person.sign_in()
    person.open("sent")
    person.page.emulate_media(media="print")
    expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    expect(person.page.get_by_role("navigation", name="Main")).not_to_be_visible()


def test_escape_closes_a_dialog_and_returns_the_focus(person: Person) -> None:
    person.sign_in()
    person.open("password")
    person.button("Replace credential").click()
    expect(person.page.get_by_role("dialog")).to_be_visible()
    person.page.keyboard.press("Escape")
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    expect(person.button("Replace credential")).to_be_focused()


@pytest.mark.slow
def test_a_dialog_closes_only_by_a_press_outside(person: Person) -> None:
    person.sign_in()
    person.open("password")
    person.button("Replace credential").click()
    dialog = person.page.get_by_role("dialog")
    text = dialog.get_by_text("Every program, mail client and browser").bounding_box()
    assert text
    mouse = person.page.mouse
    mouse.move(text["x"] + 5, text["y"] + 5)
    mouse.down()
    mouse.move(5, 5)
    mouse.up()
    expect(dialog).to_be_visible()
    mouse.click(5, 5)
    expect(dialog).to_have_count(0)


@pytest.mark.slow
def test_messages_are_announced_to_screen_readers(person: Person) -> None:
    person.sign_in()
    person.open("password")
    news = person.page.locator(".toasts")
    expect(news).to_have_attribute("aria-live", "polite")
    person.button("Copy: Credential").click()
    expect(news).to_contain_text("Copied")


@pytest.mark.slow
def test_error_messages_stay_until_closed(person: Person) -> None:
    person.page.clock.install()
    person.sign_in()
    person.open("password")
    person.button("Copy: Credential").click()
    expect(person.page.get_by_text("Copied")).to_be_visible()
    person.page.clock.fast_forward(7000)
    expect(person.page.get_by_text("Copied")).to_have_count(0)
    person.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
    person.button("Copy: Credential").click()
    bad = person.page.get_by_text("The browser did not allow copying")
    expect(bad).to_be_visible()
    person.page.clock.fast_forward(60_000)
    expect(bad).to_be_visible()
    person.page.locator(".toasts").get_by_role("button", name="Close").click()
    expect(bad).to_have_count(0)


@pytest.mark.slow
def test_motion_is_reduced_if_the_browser_prefers_it(person: Person) -> None:
    person.page.emulate_media(reduced_motion="reduce")
    person.sign_in()
    person.open("compose")
    duration = "getComputedStyle(document.querySelector('.button')).transitionDuration"
    seconds = person.page.evaluate(duration).split(",")[0].removesuffix("s")
    assert float(seconds) < 0.001
