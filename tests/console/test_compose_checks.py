"""Writing a message: recipients as chips, and the errors that the console finds before sending."""

import pytest
from playwright.sync_api import expect

from mail.addresses import InvalidAddress
from mail.mailbox import parse_mailbox
from tests.console.person import Person


def test_recipients_become_chips(composing: Person) -> None:
    to = composing.field("To")
    to.press_sequentially('bob@example.net, "Doe, Jane" <jane@example.net>;carol')
    expect(composing.chips("To")).to_have_text(
        ["bob@example.net", '"Doe, Jane" <jane@example.net>']
    )
    expect(composing.page.get_by_text("3 of 50 recipients")).to_be_visible()
    to.press("Enter")
    expect(composing.chips("To")).to_have_count(3)
    expect(composing.page.locator(".wrong-chip")).to_have_text("carol")
    composing.button("Remove carol").click()
    expect(composing.chips("To")).to_have_count(2)
    expect(composing.page.get_by_text("2 of 50 recipients")).to_be_visible()


@pytest.mark.slow
def test_a_pasted_list_becomes_chips(composing: Person) -> None:
    addresses = [f"r{number}@example.net" for number in range(60)]
    composing.page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join(addresses))
    composing.field("To").press("ControlOrMeta+v")
    expect(composing.chips("To")).to_have_count(60)
    composing.field("Subject").fill("Hello")
    composing.field("Message").fill("Hello")
    composing.send()
    assert "These are 60 recipients." in composing.error_at("To")
    for number in range(10):
        composing.button(f"Remove r{number}@example.net").click()
    expect(composing.field("To")).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.slow
def test_chips_are_used_with_the_keyboard(composing: Person) -> None:
    to = composing.field("To")
    to.press_sequentially("a@example.net,b@example.net,c@example.net,")
    focused = composing.page.locator(":focus")
    to.press("Backspace")
    expect(focused).to_have_accessible_name("Remove c@example.net")
    focused.press("ArrowLeft")
    expect(focused).to_have_accessible_name("Remove b@example.net")
    focused.press("Delete")
    expect(composing.chips("To")).to_have_text(["a@example.net", "c@example.net"])
    expect(focused).to_have_accessible_name("Remove c@example.net")
    focused.press("Enter")
    expect(to).to_be_focused()
    expect(to).to_have_value("c@example.net")
    expect(composing.chips("To")).to_have_text(["a@example.net"])


def test_all_errors_are_found_before_sending(composing: Person) -> None:
    asked: list[str] = []
    composing.page.on("request", lambda request: asked.append(request.url))
    composing.send()
    summary = composing.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("listitem")).to_have_count(3)
    assert composing.violations() == []
    composing.field("Subject").fill("Hello")
    expect(summary.get_by_role("listitem")).to_have_count(2)
    composing.attach("large.bin", bytes(4_000_000))
    composing.write()
    composing.send()
    expect(composing.page.get_by_text("All files together may have at most 3.6 MB.")).to_have_count(
        1
    )
    assert [url for url in asked if "send_mail" in url] == []


def test_a_message_is_not_sent_while_offline(composing: Person) -> None:
    composing.write()
    composing.page.context.set_offline(True)
    composing.send()
    expect(composing.page.get_by_text("You are offline. Nothing was sent.")).to_be_visible()
    composing.page.context.set_offline(False)
    composing.send()
    expect(composing.heading("History")).to_be_visible()


@pytest.mark.slow
def test_a_test_mail_needs_two_clicks(composing: Person) -> None:
    composing.page.get_by_text("Test mail", exact=True).click()
    composing.button("Bounced").click()
    expect(composing.chips("To")).to_have_text(["bounced@test.invalid"])
    composing.send()
    expect(composing.heading("History")).to_be_visible()
    expect(composing.page.get_by_text("Bounced").first).to_be_visible()


@pytest.mark.slow
def test_the_preview_has_the_width_of_a_phone(composing: Person) -> None:
    composing.write(html="<p>Hello</p>")
    composing.page.get_by_role("tab", name="Preview").click()
    frame = composing.page.locator(".preview iframe")
    expect(frame).to_be_visible()
    wide = frame.bounding_box()
    composing.page.get_by_label("Phone").check()
    narrow = frame.bounding_box()
    assert wide
    assert narrow
    assert wide["width"] > 600
    assert 370 < narrow["width"] < 380


ADDRESSES = (
    *("bob@example.net", "Bob <bob@example.net>", '"Bob, B" <bob@example.net>', "bob", "@b.de"),
    *("bob@", "bob@example", "a..b@example.net", "bob@-a.example", "bob@1.2.3.4", "a@b@c.example"),
    *("bób@example.net", "bob@bücher.example", "x" * 65 + "@example.net", "b@" + "a" * 64 + ".de"),
    *("Bob <bob>", "<bob@example.net>", ".bob@example.net", "o'neil+x@example.co.uk"),
)


@pytest.mark.slow
def test_the_console_accepts_the_addresses_that_the_server_accepts(composing: Person) -> None:
    for address in ADDRESSES:
        try:
            parse_mailbox(address)
            is_valid = True
        except InvalidAddress:
            is_valid = False
        composing.write_recipients("To", address)
        composing.field("Subject").focus()
        expect(composing.page.locator(".wrong-chip")).to_have_count(0 if is_valid else 1)
