"""HTML is shown in a separate document that runs no code and loads nothing without consent."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.console.person import DOT, SECONDS, Person, watched
from tests.e2e.api import Api

pytestmark = pytest.mark.slow

EVIL = "https://evil.example"

HOSTILE = f"""
<html><head>
<title>Owned</title><base href="{EVIL}/"><meta http-equiv="refresh" content="0;url={EVIL}/refresh">
<link rel="stylesheet" href="{EVIL}/a.css"><link rel="prefetch" href="{EVIL}/prefetch">
<style>@import "{EVIL}/b.css"; @import url({EVIL}/c.css);
@font-face {{ font-family: x; src: url({EVIL}/x.woff) }}
body {{ background: url({EVIL}/d.png); font-family: x }}
p::after {{ content: u\\72l({EVIL}/e.png) }}
.f {{ background-image: image-set("{EVIL}/f.png" 1x) }}
html, body, .overlay {{ position: fixed; inset: 0; z-index: 2147483647 }}
</style></head>
<body onload="parent.owned = 1" style="background: url('{EVIL}/g.png')">
<p class="f">Visible words</p>
<div class="overlay">Over everything</div>
<script>parent.owned = 1</script><script src="{EVIL}/h.js"></script>
<scr<script>ipt>parent.owned = 1</script>
<img src="x" onerror="parent.owned = 1"><img src={EVIL}/i.png onload=parent.owned=1>
<img srcset="{EVIL}/j.png 1x"><picture><source srcset="{EVIL}/k.png"><img></picture>
<svg onload="parent.owned = 1"><script>parent.owned = 1</script>
<image href="{EVIL}/l.png"/><use href="{EVIL}/m.svg#x"/>
<a xlink:href="javascript:parent.owned=1"><text y="20">svg link</text></a></svg>
<a href="javascript:parent.owned=1">a link</a> <a href="{EVIL}/page" target="_top">another</a>
<a href="/" target="_parent">home</a>
<form action="{EVIL}/form"><input name="a" autofocus onfocus="parent.owned=1">
<button formaction="javascript:parent.owned=1">a button</button></form>
<iframe src="{EVIL}/n"></iframe><iframe srcdoc="<script>parent.parent.owned=1</script>"></iframe>
<object data="{EVIL}/o"></object><embed src="{EVIL}/p"><video src="{EVIL}/q" poster="{EVIL}/r">
</video><audio src="{EVIL}/s" autoplay></audio><input type=image src="{EVIL}/t">
<table background="{EVIL}/u"><tr><td background="{EVIL}/v">cell</td></tr></table>
<template><img src="{EVIL}/w"></template><details open ontoggle="parent.owned=1">d</details>
<math><mi xlink:href="javascript:parent.owned=1">m</mi></math>
<style><!--</style><img title="--><img src={EVIL}/x onerror=parent.owned=1>">
<noscript><p title="</noscript><img src={EVIL}/y onerror=parent.owned=1>"></noscript>
</body></html>
"""


def is_over_the_page(person: Person) -> bool:
    """Whether the message covers the title or the menu of the console."""
    over: bool = person.page.evaluate(
        """() => [...document.querySelectorAll("h1, nav a")].some((element) => {
          const { x, y, width, height } = element.getBoundingClientRect();
          const top = document.elementFromPoint(x + width / 2, y + height / 2);
          return !top || !(element.contains(top) || top.contains(element));
        })"""
    )
    return over


def test_the_preview_runs_and_loads_nothing(composing: Person) -> None:
    composing.write(html=HOSTILE.replace('class="overlay"', ""))
    composing.page.get_by_role("tab", name="Preview").click()
    body = composing.preview().locator("body")
    expect(body).to_contain_text("Visible words")
    for link in ("a link", "another", "home", "svg link"):
        composing.preview().get_by_text(link, exact=True).click(force=True)
    composing.preview().locator("input").press("Enter")
    composing.page.wait_for_timeout(300)
    assert composing.page.evaluate("window.owned") is None
    assert composing.page.url == f"{composing.url}/#/compose"
    assert body.evaluate("document.location.pathname").startswith("/preview")
    # No request went to another host: otherwise the fixture `person` fails.


def test_a_sent_message_is_shown_in_the_same_way(composing: Person) -> None:
    composing.write(html=HOSTILE)
    composing.send()
    expect(composing.preview().locator("body")).to_contain_text("Visible words")
    assert composing.page.evaluate("window.owned") is None
    expect(composing.preview().locator(".overlay")).to_have_css("position", "fixed")
    composing.page.evaluate("scrollTo(0, 0)")
    assert not is_over_the_page(composing)


def test_the_policy_of_the_document_allows_inline_styles_alone(api: Api) -> None:
    policy = api.get("/preview").headers["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
    )


def test_scripts_do_not_run_even_if_not_removed(browser: Browser, api: Api) -> None:
    """The sandbox and the policy block content even without the console's cleaning."""
    with browser.new_context(locale="en-GB") as context:
        asked: list[str] = []
        context.route(f"{EVIL}/**", lambda route: asked.append(route.request.url))
        composing = Person(context.new_page(), api)
        composing.sign_in()
        composing.open("compose")
        composing.write(html="<p>Hello</p>")
        composing.page.get_by_role("tab", name="Preview").click()
        body = composing.preview().locator("body")
        expect(body).to_contain_text("Hello")
        body.evaluate(
            """(body, evil) => {
              const script = document.createElement("script");
              script.textContent = "parent.owned = 1";
              const image = document.createElement("img");
              image.setAttribute("onerror", "parent.owned = 1");
              image.src = evil + "/x.png";
              body.append(script, image);
            }""",
            EVIL,
        )
        composing.page.wait_for_timeout(300)
        assert composing.page.evaluate("window.owned") is None
        assert asked == []


NAMES = (
    *("replaceWith", "childNodes", "attributes", "remove", "tagName", "localName", "append"),
    *("querySelectorAll", "getAttribute", "setAttribute", "removeAttribute", "parentNode"),
    *("firstChild", "head", "body", "createElement"),
)


def test_named_elements_do_not_shadow_methods(composing: Person) -> None:
    """DOM clobbering: element names that shadow methods of forms and documents."""
    inputs = "".join(f'<input name="{name}"><input id="{name}">' for name in NAMES)
    images = "".join(f'<img name="{name}" id="{name}">' for name in NAMES)
    composing.write(html=f"<form>{inputs}{images}</form>{images}<p>Visible words</p>")
    preview = composing.page.get_by_role("tab", name="Preview")
    preview.click()
    expect(composing.preview().locator("p")).to_have_text("Visible words")
    expect(composing.preview().locator("form")).to_have_count(0)
    # The next message replaces the first one.
    composing.page.get_by_role("tab", name="Write").click()
    composing.write(html="<frameset><frame></frameset>")
    preview.click()
    expect(composing.preview().locator("p")).to_have_count(0)


ENDLESS = {
    "font faces": "<style>" + "@font-face{" * 60_000,
    "images": "<style>a{" + "image-set(url(" * 60_000,
    "sets": '<img srcset="a' + "," * 100_000 + 'b">',
    "tags": "<a" * 60_000 + " on" * 60_000,
}


@pytest.mark.slow
def test_endless_html_is_previewed_quickly(composing: Person) -> None:
    composing.page.get_by_label("HTML").check()
    for name, html in ENDLESS.items():
        composing.page.get_by_role("tab", name="Write").click()
        composing.field("Message").fill(f"<p>{name}</p>{html}")
        started = composing.page.evaluate("performance.now()")
        composing.page.get_by_role("tab", name="Preview").click()
        expect(composing.preview().locator("p")).to_have_text(name)
        assert composing.page.evaluate("performance.now()") - started < 2 * SECONDS, name


@pytest.mark.slow
def test_drawings_load_nothing(composing: Person) -> None:
    composing.write(
        html=f'<svg><rect fill="url({EVIL}/a.svg#x)" filter="u\\72l({EVIL}/b)"'
        ' mask="url(#m)"/></svg>'
    )
    composing.page.get_by_role("tab", name="Preview").click()
    drawn = composing.preview().locator("rect")
    expect(drawn).to_have_attribute("fill", "none")
    expect(drawn).to_have_attribute("filter", "none")
    expect(drawn).to_have_attribute("mask", "url(#m)")


@pytest.mark.slow
def test_inline_styles_apply(composing: Person) -> None:
    styled = '<style>p { color: rgb(1, 2, 3) }</style><p>A</p><b style="color:red">B</b>'
    composing.write(html=styled)
    composing.page.get_by_role("tab", name="Preview").click()
    expect(composing.preview().locator("p")).to_have_css("color", "rgb(1, 2, 3)")
    expect(composing.preview().locator("b")).to_have_css("color", "rgb(255, 0, 0)")


@pytest.mark.slow
def test_the_targets_of_links_can_be_listed(composing: Person) -> None:
    composing.write(html='<a href="https://a.example/x">A</a> <a href="https://a.example/x">B</a>')
    composing.page.get_by_role("tab", name="Preview").click()
    expect(composing.page.get_by_text("https://a.example/x")).not_to_be_visible()
    composing.page.get_by_text("One link, which does not open here").click()
    expect(composing.page.get_by_text("https://a.example/x")).to_be_visible()


@pytest.fixture
def asking(browser: Browser, api: Api) -> Iterator[Person]:
    """A person who may load images from another host."""
    with (
        browser.new_context(locale="en-GB") as context,
        watched(context, api, strangers=("https://pictures.example/",)),
    ):
        page = context.new_page()
        page.set_default_timeout(10_000)
        yield Person(page, api)


def test_remote_images_are_shown_after_consent(asking: Person) -> None:
    asked: list[str] = []

    def fulfil(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=DOT, content_type="image/png")

    asking.page.context.route("https://pictures.example/**", fulfil)
    asking.sign_in()
    asking.open("compose")
    asking.write(
        html='<p>Look</p><img src="https://pictures.example/a.png" alt="A picture">'
        '<img srcset=" https://pictures.example/b,1.png 2x, c.png" alt="Another">'
    )
    asking.page.get_by_role("tab", name="Preview").click()
    expect(asking.preview().locator("p")).to_have_text("Look")
    expect(asking.page.get_by_text("Images from other servers are not shown")).to_be_visible()
    assert asked == []
    asking.button("Show images").click()
    expect(asking.preview().locator("p")).to_have_text("Look")
    image = asking.preview().get_by_alt_text("A picture")
    expect(image).to_have_js_property("naturalWidth", 1)
    expect(asking.preview().get_by_alt_text("Another")).to_have_js_property("naturalWidth", 1)
    assert sorted(asked) == [f"https://pictures.example/{name}.png" for name in ("a", "b,1")]
    expect(asking.button("Show images")).not_to_be_visible()
    # Consent holds for one view of one message.
    asking.open("usage")
    asking.open("compose")
    asking.page.get_by_role("tab", name="Preview").click()
    expect(asking.button("Show images")).to_be_visible()


NEWSLETTER = """<style>
  a { color: rgb(1, 2, 3); }
  .button { color: white; text-decoration: none; }
</style>
<body style="background: rgb(10, 20, 30)">
  <a class="button" href="https://a.example/">Read on</a>
  <a class="plain" href="https://a.example/">More</a>
  <p>Text</p>
</body>"""


def test_the_console_does_not_change_the_style_of_a_mail(composing: Person) -> None:
    composing.write(html=NEWSLETTER)
    composing.page.get_by_role("tab", name="Preview").click()
    preview = composing.preview()
    expect(preview.locator(".button")).to_have_css("color", "rgb(255, 255, 255)")
    expect(preview.locator(".button")).to_have_css("text-decoration-line", "none")
    expect(preview.locator(".plain")).to_have_css("color", "rgb(1, 2, 3)")
    expect(preview.locator(".plain")).to_have_css("text-decoration-line", "underline")
    # The background of the body reaches the edges only if the root has none of its own.
    expect(preview.locator("html")).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_style_attributes_of_a_mail_take_precedence(composing: Person) -> None:
    mail = '<body bgcolor="#000000" text="#ffffff" topmargin="0" leftmargin="0">'
    composing.write(html=f"{mail}<p>White on black</p><a href='https://a.example/'>A link</a>")
    composing.page.get_by_role("tab", name="Preview").click()
    body = composing.preview().locator("body")
    expect(body).to_have_css("color", "rgb(255, 255, 255)")
    expect(body).to_have_css("margin-top", "0px")
    expect(body).to_have_css("background-color", "rgb(0, 0, 0)")


def test_a_mail_without_styles_is_readable_in_the_dark(composing: Person) -> None:
    composing.page.get_by_label("Appearance").select_option("dark")
    composing.write(html="<p>Plain</p><a href='https://a.example/'>A link</a>")
    composing.page.get_by_role("tab", name="Preview").click()
    expect(composing.preview().locator("p")).to_have_css("color", "rgb(29, 29, 27)")
    expect(composing.preview().locator("a")).to_have_css("color", "rgb(59, 91, 219)")
    frame = composing.page.locator(".preview iframe")
    expect(frame).to_have_css("background-color", "rgb(255, 255, 255)")
